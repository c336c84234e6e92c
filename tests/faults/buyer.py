"""A process that buys, to be killed or frozen at a named point: what the crash tests run."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import configure_mappers

from commerce.app import Commerce
from commerce.checkout.schemas import AddLine, CreateCart, PlaceOrder
from commerce.order.schemas import CancelOrder, ChangeItem, ChangeItems, ChangePayment
from commerce.refund.schemas import RefundUnits, RequestRefund
from kernel import fault
from kernel.auth import SYSTEM
from kernel.db import Work
from kernel.ids import new_id
from kernel.schemas import Address
from tests.conftest import opened
from tests.factories.world import ADDRESS
from tests.faults import returner

TOKENS = {"decline": "tok_decline", "refused": "tok_refund_decline"}
configure_mappers()  # once in the fork server: a third of a second that no transaction of a short lease has to spare


@dataclass(frozen=True)
class Errand:
    """What to buy, how it goes, and where to die. `story`: buy, decline, gone (stock sells out meanwhile), cancel; and of
    what is bought: swap (an item for the other variant, by card), unpaid (its card is declined), unmade (the other variant
    sells out meanwhile), repay (with another card), refund, refused (a refund the gateway does not make), leave (its parcel
    leaves, and only then it is charged), exchange, unreturn (an exchange taken back). A refund or return has the id of its
    group."""

    url: str
    variant: UUID
    story: str
    point: str
    action: str
    group: UUID
    lease: float
    timeout: float


def main(errand: Errand) -> None:
    fault._armed[errand.point] = errand.action
    asyncio.run(_run(errand))


async def _run(errand: Errand) -> None:
    limits = {"statement_timeout": errand.timeout, "lock_timeout": errand.timeout, "saga_lease": errand.lease}
    async with opened(errand.url, **limits) as shop:
        returning = errand.story in ("exchange", "unreturn")
        guest = await returner.customer(shop, errand.group) if returning else shop.identity.guest(uuid4().hex)
        async with shop.database.work(guest) as work:
            cart = (await shop.cart.create(work, CreateCart(email="gil@demo.test"))).id
            await shop.cart.add(work, cart, AddLine(variant_id=errand.variant, quantity=2))
        token = TOKENS.get(errand.story, "tok_success")
        command = PlaceOrder(shipping_address=Address(**ADDRESS), payment_token=token)
        async with shop.database.work(guest) as work:
            placed = await shop.checkout.place_order(work, errand.group, cart, command)
        if errand.story == "gone":
            placed.run.saga.state.held_until = work.now - timedelta(minutes=1)
            async with shop.database.work(SYSTEM) as other:
                await _sell_out(shop, other, errand.group, errand.variant)
                state = placed.run.saga.state.model_dump(mode="json")
                await other.run("update saga_instances set data = $2 where subject_id = $1", errand.group, state)
        if errand.story == "leave":
            placed.run.saga.state.capture = "at_shipment"
        await shop.checkout.drive(placed.run)
        if errand.story == "leave":
            async with shop.database.work(SYSTEM) as work:
                run = await shop.checkout.capture(work, errand.group)
            assert run is not None
            await shop.checkout.drive(run)
        if errand.story == "cancel":
            await _cancel(shop, guest, errand)
        if errand.story in ("swap", "unpaid", "unmade", "repay"):
            await _change(shop, guest, errand)
        if errand.story in ("refund", "refused"):
            await _refund(shop, errand)
        if returning:
            await returner.exchange(shop, guest, errand.variant, errand.group, errand.story)


async def _sell_out(shop: Commerce, work: Work, held: UUID, variant: UUID) -> None:
    """Lets the hold lapse and somebody else take all there is."""
    await shop.inventory.release(work, held)
    left = await shop.inventory.available(work, [variant])
    await shop.inventory.hold(work, new_id(), {variant: left[variant]}, {variant: "it"})


async def _cancel(shop: Commerce, guest: object, errand: Errand) -> None:
    async with shop.database.work(guest) as work:  # type: ignore[arg-type]
        (order, *_) = await shop.order.orders_of(work, errand.group)
        placed = await shop.checkout.cancel(work, order.id, CancelOrder(reason="no longer needed"))
    await shop.checkout.drive(placed.run)


async def _change(shop: Commerce, guest: object, errand: Errand) -> None:
    token = "tok_decline" if errand.story == "unpaid" else "tok_success_other"
    change = new_id()
    async with shop.database.work(guest) as work:  # type: ignore[arg-type]
        (order, *_) = await shop.order.orders_of(work, errand.group)
        if errand.story == "repay":
            placed = await shop.change.payment(work, order.id, change, ChangePayment(payment_token=token))
        else:
            other = await work.value(
                "select o.id from product_variants o join product_variants v using (product_id) "
                "where v.id = $1 and o.id <> v.id",
                errand.variant,
            )
            item = ChangeItem(line_id=order.lines[0].id, variant_id=other)
            placed = await shop.change.items(work, order.id, change, ChangeItems(items=[item], payment_token=token))
    if errand.story == "unmade":
        placed.run.saga.state.held_until = work.now - timedelta(minutes=1)
        async with shop.database.work(SYSTEM) as work:
            await _sell_out(shop, work, change, other)
            state = placed.run.saga.state.model_dump(mode="json")
            await work.run("update saga_instances set data = $2 where id = $1", placed.run.saga.id, state)
    await shop.checkout.drive(placed.run)


async def _refund(shop: Commerce, errand: Errand) -> None:
    """One of the two units goes back."""
    async with shop.database.work(SYSTEM) as work:
        (order, *_) = await shop.order.orders_of(work, errand.group)
        units = [RefundUnits(order_line_id=order.lines[0].id, quantity=1)]
        command = RequestRefund(order_id=order.id, lines=units, reason="broken")
        started = await shop.refund.request(work, errand.group, command)
    await shop.checkout.drive(started.run)
