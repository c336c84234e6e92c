"""Tools on payment: what can I pay with, what was charged, save a gift card; a verdict on a risky purchase."""

from typing import Annotated

from pydantic import Field, StringConstraints

from commerce.approval import Draft
from commerce.approval.permissions import PROPOSE
from commerce.checkout.reviews import Verdict
from commerce.order.permissions import READ_ORDERS
from commerce.payment import PaymentMethodView, PaymentView
from commerce.payment.permissions import OWN_METHODS, REVIEW_FRAUD
from commerce.payment.schemas import AddPaymentMethod, ReviewView
from kernel.ids import parse
from kernel.schemas import PERSONAL, Command, Text, View
from tools.order import OneOrder
from tools.spec import PUBLIC, Call, Effect, NoArguments, tool


class Choices(View):
    """Ways to pay: those the caller saved, and the kinds the shop takes."""

    saved: list[PaymentMethodView]
    accepted: list[str]


class Paid(View):
    """What happened to the money of an order's purchase."""

    order: str
    payment: PaymentView | None


class GiftCardCode(Command):
    code: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=8, max_length=40),
        Field(description="the code printed on the gift card"),
        PERSONAL,
    ]


class OnePurchase(Command):
    order: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=40),
        Field(description="number of one of its orders, or the purchase's id"),
    ]


@tool(Effect.READ, PUBLIC, OWN_METHODS)
async def payment_options(call: Call, args: NoArguments) -> Choices:  # noqa: ARG001  # every tool has them
    """Says what the caller can pay with: saved cards and gift cards with balances, and the kinds the shop takes."""
    saved = await call.commerce.payment.methods(call.work) if call.work.principal.may(OWN_METHODS) else []
    return Choices(saved=saved, accepted=list(call.commerce.payment.kinds))


@tool(Effect.READ, READ_ORDERS)
async def payment_status(call: Call, args: OneOrder) -> Paid:
    """Shows what was authorised, charged, declined or given back for an order of the caller."""
    order = await call.commerce.order.named(call.work, args.order)
    return Paid(order=order.number, payment=await call.commerce.payment.view(call.work, order.group_id))


@tool(Effect.READ, REVIEW_FRAUD, READ_ORDERS)
async def review_case(call: Call, args: OnePurchase) -> ReviewView:
    """Shows why a purchase is looked at for fraud: score, reasons, amount, what its buyer did before. For staff."""
    try:
        group = parse("grp", args.order)
    except ValueError:
        group = (await call.commerce.order.named(call.work, args.order)).group_id
    return await call.commerce.payment.review_case(call.work, group)


@tool(Effect.WRITE, OWN_METHODS)
async def save_gift_card(call: Call, args: GiftCardCode) -> PaymentMethodView:
    """Saves a gift card by its code, so that the caller can pay with it. Card numbers are never taken in a chat."""
    return await call.commerce.payment.add_method(call.work, AddPaymentMethod(gift_card_code=args.code))


class ReviewVerdict(Command):
    purchase: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=60),
        Field(description="the id of the purchase (grp_...), or the number of one of its orders"),
    ]
    verdict: Annotated[Verdict, Field(description="release lets the payment go on, stop cancels the purchase")]
    reason: Annotated[Text, Field(description="why, in one line for the person who decides")]


@tool(Effect.PROPOSE, REVIEW_FRAUD, PROPOSE, READ_ORDERS)
async def propose_review_verdict(call: Call, args: ReviewVerdict) -> Draft:
    """Proposes to release or to stop a purchase that waits for a risk review. A person decides; until then, and for ten
    minutes at the most, the purchase waits. Not for purchases that do not wait: those cannot be stopped this way."""
    return await call.commerce.review.draft(call.work, args.purchase, args.verdict, args.reason)
