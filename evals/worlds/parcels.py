"""Parcels of purchases from before: on their way, late, lost, arrived. They take no number of a purchase of today, and as
with everything from before nobody is told of them: no agent wakes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from commerce.app import Commerce
from commerce.order.history import PastLine, PastOrder, bring_in
from commerce.shipping import Sending, Shipments
from kernel.auth import SYSTEM
from kernel.db import Work
from kernel.ids import new_id, public
from kernel.schemas import Address

AGO = timedelta(days=60)
TO = {"name": "Ben", "line1": "Zirbelgasse 77", "city": "Munich", "postal_code": "80331", "country": "DE"}


async def send(
    shop: Commerce, facts: Sequence[dict[str, Any]], customer: UUID, variants: dict[str, UUID], names: dict[str, str]
) -> None:
    """Makes each order with its parcel; `{parcel.B200001}` names it."""
    for fact in facts:
        async with shop.database.work(SYSTEM) as work:
            order, sending = await _past(shop, work, fact, customer, variants)
            await bring_in(work, order)
            await Shipments().bring_in(work, sending, arrived=fact["is"] == "delivered")
            if fact["is"] != "delivered":
                late = work.now if fact.get("late") else None
                await work.run(
                    "update shipments set status = $2, delayed_at = $3 where id = $1", sending.id, fact["is"], late
                )
        names[f"parcel.{fact['order']}"] = public("shp", sending.id)


async def _past(
    shop: Commerce, work: Work, fact: dict[str, Any], customer: UUID, variants: dict[str, UUID]
) -> tuple[PastOrder, Sending]:
    sku, quantity, price = fact["line"]
    channel = await shop.pricing.channel(work)
    product = await shop.product.named(work, channel, sku)
    row = await work.row(
        "select p.id as product_id, p.merchant_id, c.email from products p join product_variants v on v.product_id = p.id, "
        "customers c where v.id = $1 and c.id = $2",
        *(variants[sku], customer),
    )
    assert row is not None, "the world has both"
    line = PastLine(new_id(), variants[sku], row["product_id"], sku, product.name, {}, quantity, price)
    order = PastOrder(
        id=new_id(),
        group_id=new_id(),
        number=fact["order"],
        channel_id=channel.id,
        customer_id=customer,
        merchant_id=row["merchant_id"],
        email=row["email"],
        currency=channel.currency,
        status="delivered" if fact["is"] == "delivered" else "shipped",
        cancel_reason=None,
        placed_at=work.now - AGO,
        address=Address(**TO),
        lines=[line],
    )
    promised = (work.now - timedelta(days=1)).date() if fact.get("late") else (work.now + timedelta(days=2)).date()
    tracking = f"SW{fact['order']}"
    return order, Sending(
        order.id, order.group_id, row["merchant_id"], {line.id: quantity}, "swift", tracking, promised
    )
