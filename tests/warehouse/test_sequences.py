"""Any sequence of buying, receiving, putting away, picking, short picks, counts, transfers, parcels, cancellations and returns,
also refused ones and three at once, keeps the laws: bins are levels, movements are balances, no unit is picked twice."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from commerce.app import Commerce
from commerce.inventory.schemas import ReceiveStock
from kernel.auth import SYSTEM
from kernel.ids import parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.floor import Floor, floor
from tests.factories.world import ADDRESS, CARD, World

REFUSALS = {
    "bin_units_not_there", "bin_same", "already_picked", "pick_task_unknown", "pick_not_short", "wave_empty", "wave_state",
    "wave_stop_done", "wave_unknown", "count_empty", "count_state", "count_second_person", "count_outdated",
    "putaway_closed", "stock_not_free", "transfer_done", "transfer_not_possible", "order_units_not_there",
    "order_not_shippable", "order_on_hold", "order_already_packed", "order_not_cancellable", "purchase_in_progress",
    "package_units_not_there", "insufficient_stock", "cart_empty", "order_change_in_progress", "not_found",
}  # fmt: skip
"""What may be said to a move that does not fit: a state, never a broken law."""
COLOURS = ("red", "blue")
BINS = ("A1", "A2", "B1", "B2", "DOCK-1", "RETURNS-1")
DEEDS = (
    *(
        "buy",
        "pick",
        "pick",
        "pick",
        "pick_bin",
        "short",
        "receive",
        "plan_putaway",
        "put_away",
        "move",
        "count",
        "adjust",
    ),
    *("decide", "send", "arrive", "ship", "ship", "pack", "cancel", "plan", "walk", "walk", "stop_short", "replan"),
)
MOVES = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 2**16)), min_size=8, max_size=24)


@dataclass
class Crew:
    """People who do whatever they are told with whatever there is; `n` picks it."""

    shop: Commerce
    place: Floor
    ann: Caller
    north: Caller
    admin: Caller
    store: UUID
    goods: str
    orders: list[Any] = field(default_factory=list)

    async def do(self, deed: str, n: int) -> None:
        await getattr(self, deed)(n)

    async def post(self, path: str, body: Any = None, caller: Caller | None = None) -> Any:
        """The answer, None when it was refused; whatever else is said fails."""
        answer = await (caller or self.north).post(path, body or {}, None, key=str(uuid4()))
        if answer.status_code < 300:
            return answer.json() if answer.content else {}
        assert answer.json()["code"] in REFUSALS, answer.text
        return None

    def bin(self, n: int) -> str:
        return self.place.bins[BINS[n % len(BINS)]]

    def variant(self, n: int) -> str:
        return public("var", self.place.variants[COLOURS[n % 2]])

    async def buy(self, n: int) -> None:
        cart = (await self.ann.post("/v1/carts"))["id"]
        wanted = {0: 1 + n % 3, 1: 1 + n % 2} if n % 2 else {0: 1 + n % 3}
        for colour, quantity in wanted.items():
            await self.post(
                f"/v1/carts/{cart}/lines", {"variant_id": self.variant(colour), "quantity": quantity}, self.ann
            )
        body = {"shipping_address": ADDRESS, "payment_token": CARD}
        if group := await self.post(f"/v1/carts/{cart}/checkout", body, self.ann):
            await self.end(group["id"])
            self.orders += group["orders"]

    async def end(self, group: str) -> None:
        """Lets the purchase go on until it is confirmed, also where the machine is too busy to do it at once."""
        while (await self.ann.get(f"/v1/order-groups/{group}"))["payment"]["status"] == "processing":
            async with self.shop.database.work(SYSTEM) as work:
                await work.run(
                    "update saga_instances set due_at = now() where subject_id = $1 and status in ('running', 'waiting')",
                    parse("grp", group),
                )
            await self.shop.engine.run_due()

    async def pick(self, n: int, **where: Any) -> None:
        for order in self.orders[n % len(self.orders) :][:1] if self.orders else ():
            line = order["lines"][n % len(order["lines"])]
            path = f"/v1/warehouse/picks/{order['id']}/lines/{line['id']}"
            await self.post(path, {"quantity": 1 + n % 2, **where})

    async def pick_bin(self, n: int) -> None:
        await self.pick(n, bin_id=self.bin(n // 7))

    async def short(self, n: int) -> None:
        for order in self.orders[n % len(self.orders) :][:1] if self.orders else ():
            line = order["lines"][n % len(order["lines"])]
            path = f"/v1/warehouse/picks/{order['id']}/lines/{line['id']}/short"
            await self.post(path, {"bin_id": self.bin(n // 5), "found": n % 2})

    async def receive(self, n: int) -> None:
        lines = [{"variant_id": self.variant(n), "quantity": 1 + n % 5}]
        await self.post(f"/v1/warehouse/receiving/{self.goods}/goods", {"lines": lines})

    async def plan_putaway(self, _: int) -> None:
        await self.post(f"{self.place.path}/putaway")

    async def put_away(self, n: int) -> None:
        tasks = await self.north.get(f"{self.place.path}/putaway")
        for task in tasks[n % len(tasks) :][:1] if tasks else ():
            await self.post(f"/v1/warehouse/putaway/{task['id']}/done", {"quantity": 1 + n % 3} if n % 2 else {})

    async def move(self, n: int) -> None:
        ends = {"from_bin_id": self.bin(n), "to_bin_id": self.bin(n // 7)}
        await self.post("/v1/warehouse/moves", {"variant_id": self.variant(n // 3), "quantity": 1 + n % 4, **ends})

    async def count(self, n: int) -> None:
        body = {"location_id": public("loc", self.place.location), "bin_ids": [self.bin(n)]}
        if opened := await self.post("/v1/warehouse/counts", body):
            lines = [
                {"bin_id": line["bin_id"], "variant_id": line["variant_id"], "counted": n % 9}
                for line in opened["lines"]
            ]
            await self.post(f"/v1/warehouse/counts/{opened['id']}/entries", {"lines": lines})

    async def adjust(self, n: int) -> None:
        body = {"bin_id": self.bin(n), "variant_id": self.variant(n // 3), "quantity": n % 7 - 3, "reason": "seen"}
        await self.post("/v1/warehouse/adjustments", body)

    async def decide(self, n: int) -> None:
        waiting = [found for found in await self.north.get("/v1/warehouse/counts") if found["status"] == "waiting"]
        for found in waiting[n % len(waiting) :][:1] if waiting else ():
            body = {"accept": bool(n % 3)}
            await self.post(f"/v1/warehouse/counts/{found['id']}/decision", body, self.admin if n % 2 else self.north)

    async def send(self, n: int) -> None:
        here, there = public("loc", self.place.location), public("loc", self.store)
        ends = {"from_location_id": here, "from_bin_id": self.bin(n), "to_location_id": there}
        if n % 3 == 0:
            ends = {"from_location_id": there, "to_location_id": here}
        await self.post("/v1/warehouse/transfers", {"variant_id": self.variant(n // 3), "quantity": 1 + n % 3, **ends})

    async def arrive(self, n: int) -> None:
        for sent in (await self.north.get("/v1/warehouse/transfers"))[:1]:
            await self.post(f"/v1/warehouse/transfers/{sent['id']}/arrival", {"quantity": n % 3} if n % 4 == 0 else {})

    async def ship(self, n: int) -> None:
        for order in self.orders[n % len(self.orders) :][:1] if self.orders else ():
            line = order["lines"][n % len(order["lines"])]
            body: dict[str, Any] = {"lines": [{"line_id": line["id"], "quantity": 1 + n % 2}]}
            await self.post(f"/v1/orders/{order['id']}/shipments", body)

    async def pack(self, n: int) -> None:
        for order in self.orders[n % len(self.orders) :][:1] if self.orders else ():
            line = order["lines"][n % len(order["lines"])]
            box = {"weight_g": 100, "length_mm": 10, "width_mm": 10, "height_mm": 10}
            lines = [{"order_line_id": line["id"], "quantity": 1 + n % 2}]
            await self.post(f"/v1/warehouse/orders/{order['id']}/packages", {"lines": lines, **box})

    async def cancel(self, n: int) -> None:
        for order in self.orders[n % len(self.orders) :][:1] if self.orders else ():
            await self.post(f"/v1/orders/{order['id']}/cancel", {"reason": "no longer needed"}, self.ann)

    async def plan(self, n: int) -> None:
        body = {"location_id": public("loc", self.place.location), "most": 1 + n % 3}
        if wave := await self.post("/v1/warehouse/waves", body):
            await self.post(f"/v1/warehouse/waves/{wave['id']}/start")

    async def walk(self, n: int, what: str = "pick", **body: Any) -> None:
        for wave in (await self.north.get("/v1/warehouse/waves"))[:1]:
            stops = [stop for stop in wave["stops"] if stop["status"] == "open"]
            for stop in stops[n % len(stops) :][:1] if stops else ():
                await self.post(f"/v1/warehouse/waves/{wave['id']}/stops/{stop['position']}/{what}", body)

    async def stop_short(self, n: int) -> None:
        await self.walk(n, "short", found=n % 2)

    async def replan(self, _: int) -> None:
        for wave in (await self.north.get("/v1/warehouse/waves"))[:1]:
            await self.post(f"/v1/warehouse/waves/{wave['id']}/replan")


async def crew(http: httpx.AsyncClient, shop: Commerce, world: World) -> Crew:
    ann, north, admin = [await signed_in(http, name) for name in ("ann", "north", "admin")]
    place, store = await floor(shop, world, north, {"red": 9, "blue": 5}, variance_most=3), world.locations["north"]
    async with shop.database.work(SYSTEM) as work:
        more = ReceiveStock(location_id=store, variant_id=place.variants["red"], quantity=4)
        await shop.inventory.receive(work, more)
    await place.move("red", "DOCK-1", "A1", 4)
    await place.move("blue", "DOCK-1", "B1", 3)
    lines = [{"variant_id": public("var", place.variants["red"]), "quantity": 5}]
    body = {"location_id": public("loc", place.location), "reference": uuid4().hex, "lines": lines}
    goods = await north.post("/v1/warehouse/receiving", body)
    return Crew(shop, place, ann, north, admin, store, goods["id"])


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)
@given(moves=MOVES, together=st.booleans())
async def test_any_sequence_keeps_the_laws(
    http: httpx.AsyncClient,
    sql: asyncpg.Connection,
    shop: Commerce,
    world: World,
    settle: Any,
    moves: list[tuple[str, int]],
    together: bool,
) -> None:
    people = await crew(http, shop, world)
    await people.buy(5)
    step = 3 if together else 1
    for i in range(0, len(moves), step):
        await asyncio.gather(*[people.do(deed, n) for deed, n in moves[i : i + step]])
        assert await broken(sql) == {}, moves[: i + step]
    await settle()
    assert await broken(sql) == {}, moves
    picked = await sql.fetch(
        """
        select l.order_line_id, l.picked, coalesce(sum(m.quantity), 0)::bigint as moved from warehouse_picking_lines l
        left join warehouse_moves m on m.kind = 'pick' and m.reference_id = l.order_line_id
        where l.order_id = any($1) group by l.order_line_id""",
        [parse("ord", order["id"]) for order in people.orders],
    )
    assert all(row["moved"] <= row["picked"] for row in picked), "each unit left its bin once"
