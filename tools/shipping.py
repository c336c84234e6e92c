"""Tools on delivery: what it costs and how long it takes; what is wrong with a parcel, and what makes up for it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.checkout.permissions import BUY
from commerce.customer.permissions import OWN_PROFILE
from commerce.notification.schemas import ParcelCase
from commerce.order.permissions import READ_ORDERS
from commerce.shipping.permissions import CARE
from commerce.shipping.schemas import RateView
from kernel.schemas import Command, Country, View, money
from tools.spec import PUBLIC, Call, Effect, tool

PARCEL_G = 1000
"""Weight of the parcel that stands for an empty cart."""


class Destination(Command):
    to: Country | None = Field(None, description="ISO 3166 code of the country; without it the caller's own")


class OneParcel(Command):
    order: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
        Field(description="number of the order, or the id of its parcel (shp_...)"),
    ]


class Deliveries(View):
    """Methods with price and days to a country; for the caller's cart, or without one for a parcel of `parcel_g`."""

    country: str
    parcel_g: int | None = None
    methods: list[RateView]


@tool(Effect.READ, PUBLIC, BUY, OWN_PROFILE)
async def shipping_options(call: Call, args: Destination) -> Deliveries:
    """Says which delivery methods there are, what they cost and how many days they take: for the caller's cart, or for
    a parcel of one kilogram where the cart is empty. Use it for "how much is delivery", "how fast can it be here"."""
    cart = await call.commerce.cart.newest(call.work) if call.work.principal.may(BUY) else None
    channel = await call.commerce.pricing.channel(call.work)
    country = args.to or await _home(call) or channel.country
    if cart and (found := await call.commerce.checkout.deliveries(call.work, cart, country)):
        return Deliveries(country=country, methods=found)
    rates = await call.commerce.shipping.rates(call.work, country, channel.currency, PARCEL_G, 0)
    methods = [
        RateView(
            code=r.code, name=r.name, price=money(r.minor, channel.currency), min_days=r.min_days, max_days=r.max_days
        )
        for r in rates
    ]
    return Deliveries(country=country, parcel_g=PARCEL_G, methods=methods)


@tool(Effect.READ, CARE, READ_ORDERS)
async def parcel_case(call: Call, args: OneParcel) -> ParcelCase:
    """For staff: says what is known about a parcel: its carrier and number, when it was promised for, what its carrier saw
    of it, and what is wrong. Look here before anything is proposed about a parcel."""
    return await call.commerce.parcels.care.case(call.work, args.order)


@tool(Effect.PROPOSE, CARE, PROPOSE, READ_ORDERS)
async def propose_parcel_news(call: Call, args: OneParcel) -> Draft:
    """Proposes to tell the customer that their parcel is late, lost, damaged or came back. The shop writes the words, and
    nobody is told twice of the same. Taken at once within the day's limits. Refused for a parcel that is in order."""
    return await call.commerce.parcels.care.news(call.work, args.order)


@tool(Effect.PROPOSE, CARE, PROPOSE, READ_ORDERS)
async def propose_parcel_remedy(call: Call, args: OneParcel) -> Draft:
    """Proposes what makes up for a parcel in trouble, as the shop works it out: a late one brings the price of its
    delivery as a gift card, a lost one goes out again. What is worth little is done at once, the rest waits for a person:
    say which it was, and promise nothing that only waits."""
    return await call.commerce.parcels.care.remedy(call.work, args.order)


async def _home(call: Call) -> str | None:
    """Where the caller lives: the country of their default address."""
    who = call.work.principal
    saved = await call.commerce.customer.addresses(call.work) if who.customer_id and who.may(OWN_PROFILE) else []
    return next((address.country for address in saved if address.is_default), None)
