"""What happens to an order of the world after it was bought: it arrives, something comes back, money is asked for."""

from dataclasses import replace
from typing import Any

from commerce.app import Commerce
from commerce.order import OrderView
from commerce.order.schemas import NoteDelivery, ParcelLine, ShipParcel
from commerce.refund.schemas import RequestRefund
from commerce.returns.schemas import RequestReturn, ReturnUnits
from kernel.auth import SYSTEM, Principal
from kernel.ids import new_id, public

Facts = dict[str, Any]


async def carry_on(shop: Commerce, order: OrderView, facts: Facts, buyer: Principal, names: dict[str, str]) -> None:
    """`picked`, `delivered`; then `sent_back` (units of the first line), `refund_wanted` by the buyer or `refunded` by staff
    (amounts in minor units). `names` gets the ids of what comes of it."""
    if facts.get("picked") or facts.get("delivered"):
        await _pick(shop, order)
    if facts.get("delivered"):
        await _deliver(shop, order)
    if units := facts.get("sent_back"):
        lines = [ReturnUnits(order_line_id=order.lines[0].id, quantity=units)]
        async with shop.database.work(buyer) as work:
            made = new_id()
            started = await shop.returns.request(
                work, made, RequestReturn(order_id=order.id, lines=lines, reason="not_wanted")
            )
        await shop.engine.drive(started.run)
        async with shop.database.work(SYSTEM) as work:
            (line,) = (await shop.returns.view(work, made)).lines
        names[f"return.{order.number}"], names[f"returned.{order.number}"] = f"ret_{made.hex}", public("rln", line.id)
    for who, amount in ((buyer, facts.get("refund_wanted")), (SYSTEM, facts.get("refunded"))):
        if amount:
            async with shop.database.work(replace(who)) as work:
                made = new_id()
                wish = RequestRefund(order_id=order.id, amount=amount, reason="a handle is loose")
                asked = await shop.refund.request(work, made, wish)
            await shop.engine.drive(asked.run)
            names[f"refund.{order.number}"] = f"ref_{made.hex}"


async def _pick(shop: Commerce, order: OrderView) -> None:
    async with shop.database.work(SYSTEM) as work:
        for line in order.lines:
            await shop.warehouse.pick(work, order.id, line.id, line.quantity)


async def _deliver(shop: Commerce, order: OrderView) -> None:
    async with shop.database.work(SYSTEM) as work:
        lines = [ParcelLine(line_id=line.id, quantity=line.quantity) for line in order.lines]
        await shop.order.fulfillment.ship(work, order.id, ShipParcel(lines=lines))
        await shop.fulfillment.delivered(work, order.id, NoteDelivery())
