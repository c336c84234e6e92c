"""What a killed process does with a return: an order that arrives, and its exchange for something dearer."""

from dataclasses import replace
from uuid import UUID

from commerce.app import GRANTS, Commerce
from commerce.order.schemas import NoteDelivery, ParcelLine, ShipParcel
from commerce.payment.schemas import AddPaymentMethod
from commerce.pricing.schemas import SetPrice
from commerce.returns.errors import ReturnNotFound
from commerce.returns.schemas import (
    InspectedUnits,
    InspectReturn,
    ReceivedUnits,
    ReceiveReturn,
    RequestReturn,
    ReturnUnits,
    SetReturnPolicy,
)
from kernel.auth import SYSTEM, Principal

DEARER = 1500
ENDED = ("completed", "cancelled")


async def customer(shop: Commerce, group: UUID) -> Principal:
    """A customer of this errand's own, with a card."""
    async with shop.database.work(SYSTEM) as work:
        made = await shop.customer.register(work, f"{group.hex}@demo.test", "no password", "Exy")
        work.principal = replace(SYSTEM, customer_id=made.id)
        await shop.payment.add_method(work, AddPaymentMethod(token="tok_success", last4="4242"))
        user = await work.value("select id from users where email = $1", f"{group.hex}@demo.test")
    grants = GRANTS["customer"]
    return Principal(frozenset({"customer"}), grants, user_id=user, customer_id=made.id)


async def exchange(shop: Commerce, buyer: Principal, variant: UUID, group: UUID, story: str) -> None:
    """One of the two units goes back for one of today's price; the return has the id of the group."""
    async with shop.database.work(SYSTEM) as work:
        (order, *_) = await shop.order.orders_of(work, group)
        (line,) = order.lines
        await shop.warehouse.pick(work, order.id, line.id, 2)
        await shop.order.fulfillment.ship(work, order.id, ShipParcel(lines=[ParcelLine(line_id=line.id, quantity=2)]))
        await shop.fulfillment.delivered(work, order.id, NoteDelivery())
        await shop.pricing.set_price(work, SetPrice(variant_id=variant, channel="web", minor=DEARER))
        await shop.return_policies.set_policy(work, SetReturnPolicy(abuse_from=101))
    async with shop.database.work(buyer) as work:
        (method,) = await shop.payment.methods(work)
        wish = RequestReturn(
            order_id=order.id,
            lines=[ReturnUnits(order_line_id=line.id, quantity=1, replacement_id=variant)],
            reason="wrong_size",
            resolution="exchange",
            payment_method_id=method.id,
        )
        started = await shop.returns.request(work, group, wish)
    await shop.checkout.drive(started.run)
    while not await handle(shop, group, story):
        await shop.engine.run_due()


async def handle(shop: Commerce, return_id: UUID, story: str) -> bool:
    """What people do next with a return, whoever they are; True when it has ended or was never asked for."""
    async with shop.database.work(SYSTEM) as work:
        try:
            found = await shop.returns.view(work, return_id)
        except ReturnNotFound:
            return True
        line = found.lines[0].id
        if found.status == "in_transit" and story == "unreturn":
            await shop.returns.cancel(work, return_id)
        elif found.status == "in_transit":
            units = [ReceivedUnits(return_line_id=line, quantity=1)]
            await shop.receiving.receive(work, return_id, ReceiveReturn(lines=units))
        elif found.status == "received" and not found.lines[0].passed:
            seen = InspectedUnits(
                return_line_id=line, quantity=1, condition="opened", passed=True, disposition="restock"
            )
            await shop.receiving.inspect(work, return_id, InspectReturn(lines=[seen]))
    return found.status in ENDED
