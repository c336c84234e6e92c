"""Tools on e-mail: did it go out."""

from commerce.email import MailView
from commerce.email.permissions import READ_MAIL
from commerce.order.permissions import READ_ORDERS
from kernel.schemas import View
from tools.order import OneOrder
from tools.spec import Call, Effect, tool


class Mails(View):
    order: str
    mails: list[MailView]


@tool(Effect.READ, READ_MAIL, READ_ORDERS)
async def email_status(call: Call, args: OneOrder) -> Mails:
    """Says which mails were written about an order and whether each went out, waits or failed. For staff. It shows no
    address and no text."""
    order = await call.commerce.order.named(call.work, args.order)
    causes = await call.commerce.order.causes(call.work, order.id)
    return Mails(order=order.number, mails=await call.commerce.email.about(call.work, causes))
