"""Tools on delivery: what it costs and how long it takes."""

from pydantic import Field

from commerce.checkout.permissions import BUY
from commerce.customer.permissions import OWN_PROFILE
from commerce.shipping.schemas import RateView
from kernel.schemas import Command, Country, View, money
from tools.spec import PUBLIC, Call, Effect, tool

PARCEL_G = 1000
"""Weight of the parcel that stands for an empty cart."""


class Destination(Command):
    to: Country | None = Field(None, description="ISO 3166 code of the country; without it the caller's own")


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


async def _home(call: Call) -> str | None:
    """Where the caller lives: the country of their default address."""
    who = call.work.principal
    saved = await call.commerce.customer.addresses(call.work) if who.customer_id and who.may(OWN_PROFILE) else []
    return next((address.country for address in saved if address.is_default), None)
