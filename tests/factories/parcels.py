"""Parcels as a merchant sends them: picked, then handed over."""

from typing import Any
from uuid import uuid4

from tests.factories.api import Caller


async def send(north: Caller, order: Any, units: dict[int, int] | None = None) -> Any:
    """Picks and ships units of an order by the place of their line, all of them by default; answers with the parcel."""
    wanted = units or {place: line["quantity"] for place, line in enumerate(order["lines"])}
    lines = [{"line_id": order["lines"][place]["id"], "quantity": count} for place, count in wanted.items()]
    for line in lines:
        path = f"/v1/warehouse/picks/{order['id']}/lines/{line['line_id']}"
        await north.post(path, {"quantity": line["quantity"]}, 204)
    return await north.post(f"/v1/orders/{order['id']}/shipments", {"lines": lines}, key=str(uuid4()))


async def arrive(north: Caller, order: Any, expect: int | None = 200, **body: Any) -> Any:
    """Notes a parcel, or all of them, as delivered."""
    return await north.post(f"/v1/orders/{order['id']}/delivered", body, expect, key=str(uuid4()))
