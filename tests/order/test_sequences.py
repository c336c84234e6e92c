"""Any sequence of changes, refused ones and webhooks keeps every law: money, quantities, gift cards, stock."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from kernel.ids import new_id, parse, public
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.order.test_items import bought, gift_card

PRICES = {"red": 2000, "blue": 2000, "gold": 3500, "grey": 1199}
TOKENS = ("tok_success", "tok_success_other", "tok_decline", "tok_timeout_after", "tok_timeout_before")
MOVES = 14
REFUSALS = {
    "order_not_changeable", "order_change_in_progress", "order_line_unknown", "order_item_same", "insufficient_stock",
    "payment_required", "gift_card_insufficient", "payment_method_same", "payment_not_single", "order_not_cancellable",
    "payment_not_settled", "order_already_packed", "purchase_in_progress",
}  # fmt: skip


@dataclass
class Player:
    """A customer who does whatever comes to mind to the orders there are."""

    chance: random.Random
    buyer: Caller
    variants: list[UUID]
    methods: list[dict[str, str]]
    orders: list[dict[str, Any]]
    shop: Commerce
    http: httpx.AsyncClient
    sql: asyncpg.Connection
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One connection asks one thing at a time, also when moves race."""

    async def move(self) -> None:
        await self.chance.choice([self.items, self.items, self.payment, self.lines, self.lines, self.webhook])()

    async def items(self) -> None:
        order = self.chance.choice(self.orders)
        now = await self.buyer.get(f"/v1/orders/{order['id']}")
        wishes = [
            {
                "line_id": self.chance.choice(now["lines"])["id"],
                "variant_id": public("var", self.chance.choice(self.variants)),
                "quantity": self.chance.randint(1, 2),
            }
            for _ in range(self.chance.randint(1, 2))
        ]
        await self.send(order, "lines", {"items": wishes, **self.chance.choice(self.methods)})

    async def payment(self) -> None:
        await self.send(self.chance.choice(self.orders), "payment-method", self.chance.choice(self.methods))

    async def lines(self) -> None:
        order = self.chance.choice(self.orders)
        now = await self.buyer.get(f"/v1/orders/{order['id']}")
        item = {"line_id": self.chance.choice(now["lines"])["id"], "quantity": self.chance.randint(1, 2)}
        await self.send(order, "lines/cancel", {"items": [item], "reason": "other"})

    async def cancel(self) -> None:
        await self.send(self.chance.choice(self.orders), "cancel", {"reason": "other"})

    async def webhook(self) -> None:
        """A notice of the gateway about some charge of the past; it says nothing that is believed."""
        gateway: Any = self.shop.payment.gateway
        async with self.looking:
            reference = await self.sql.fetchval(
                "select reference from simulator_charges where token <> 'lost' order by md5(reference || $1) limit 1",
                str(self.chance.random()),
            )
        event = {"event_id": f"evt_{new_id().hex}", "type": "charge.refunded", "reference": reference}
        body, headers = gateway.signed(event, self.shop.database.clock().timestamp())
        for _ in range(2):
            answer = await self.http.post("/v1/webhooks/payments/simulator", content=body, headers=headers)
            assert answer.status_code == 204

    async def send(self, order: dict[str, Any], path: str, body: dict[str, Any]) -> None:
        answer = await self.buyer.post(f"/v1/orders/{order['id']}/{path}", body, None, key=str(uuid4()))
        assert answer.status_code == 200 or answer.json()["code"] in REFUSALS, answer.text


async def play(
    seed: int, shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any
) -> None:
    chance, ann = random.Random(seed), await signed_in(http, "ann")
    shirt = await add_choice(shop, world, PRICES, units=7)
    cards = [await gift_card(http, ann, amount) for amount in (900, 20_000)]
    methods = [{"payment_method_id": card} for card in (*cards, public("pm", world.cards["ann"]))]
    methods += [{"payment_token": token} for token in TOKENS]
    orders = [
        await bought(ann, {shirt["red"]: 3, world.variants["plate"]: 1}),
        await bought(ann, {shirt["gold"]: 2}, payment_token=None, **methods[1]),
    ]
    player = Player(chance, ann, list(shirt.values()), methods, orders, shop, http, sql)
    for _ in range(MOVES):
        if chance.random() < 0.25:
            await asyncio.gather(player.move(), player.move(), player.move())
        else:
            await player.move()
        assert await broken(sql) == {}, f"seed {seed}"
        if chance.random() < 0.5:
            await sql.execute("update saga_instances set due_at = now() where status in ('running', 'waiting')")
            await settle()
    await finish(player, sql, settle)


async def finish(player: Player, sql: asyncpg.Connection, settle: Any) -> None:
    """Everything that is still on its way ends; then all is cancelled, and every cent is back."""
    for end in (None, "cancel"):
        for bought_once in player.orders if end else ():
            group = await player.buyer.get(f"/v1/order-groups/{bought_once['group_id']}")
            for order in group["orders"]:
                await player.send(order, "cancel", {"reason": "other"})
        for _ in range(3):
            await sql.execute("update saga_instances set due_at = now() where status in ('running', 'waiting')")
            await settle()
        assert await broken(sql) == {}
    groups = [parse("grp", order["group_id"]) for order in player.orders]
    left = await sql.fetch(
        "select status, captured - refunded as left, refunding from payment_intents where reference_id = any($1) "
        "and captured > 0",
        groups,
    )
    assert [(row["left"], row["refunding"]) for row in left] == [(0, 0)] * len(left)
    states = await sql.fetch("select status from order_groups where id = any($1)", groups)
    assert [row["status"] for row in states] == ["cancelled"] * len(groups)
    at_gateway = await sql.fetchval(
        "select coalesce(sum(case o.kind when 'capture' then o.amount when 'refund' then -o.amount else 0 end), 0) "
        "- coalesce((select sum(amount) from simulator_charges where status = 'credited'), 0) "
        "from simulator_operations o"
    )
    by_ledger = await sql.fetchval(
        "select coalesce(sum(case when e.debit_id = a.id then e.amount else -e.amount end), 0) from ledger_entries e "
        "join ledger_accounts a on a.kind = 'gateway' and a.id in (e.debit_id, e.credit_id) where a.currency = 'EUR'"
    )
    assert at_gateway == by_ledger


@pytest.mark.parametrize("seed", range(6))
async def test_any_sequence_of_changes_keeps_the_laws(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, seed: int
) -> None:
    await play(seed, shop, http, sql, world, settle)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
async def test_many_sequences(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any, seed: int
) -> None:
    await play(seed, shop, http, sql, world, settle)
