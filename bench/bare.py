"""The reference: the same writes as bare transactions, straight through asyncpg, without HTTP, views or checks.

One cart transaction, one order transaction, two saga transactions, one for the reactions: the tables and row counts of
a journey, on the same server, in copies of the tables that carry the same indexes and constraints except foreign keys.
"""

import random
import time
from typing import Any
from uuid import UUID

import asyncpg

from bench.shop import Shop
from kernel.db import nearest

TABLES = (
    "carts", "cart_lines", "gateway_idempotency_keys", "order_groups", "order_addresses", "orders", "order_lines",
    "payment_intents", "payment_fraud_checks", "payment_transactions", "ledger_entries", "inventory_levels",
    "inventory_reservations", "inventory_movements", "saga_instances", "saga_steps", "outbox_events", "warehouse_tasks",
    "warehouse_picking_lines", "checkout_sessions", "inbox_events", "order_timeline_events", "email_messages",
)  # fmt: skip


class Bare:
    def __init__(self, pool: Any, levels: list[UUID]) -> None:
        self._pool = pool
        self._levels = levels

    @classmethod
    async def open(cls, shop: Shop, clients: int) -> "Bare":
        await shop.sql.execute("drop schema if exists bare cascade; create schema bare")
        for table in TABLES:
            await shop.sql.execute(f"create table bare.{table} (like public.{table} including all)")
        await shop.sql.execute("insert into bare.inventory_levels select * from public.inventory_levels")
        pool = await asyncpg.create_pool(
            shop.database_url,
            **await nearest(shop.database_url),
            min_size=clients,
            max_size=clients,
            server_settings={"search_path": "bare,public", "jit": "off"},
        )
        levels = [row["id"] for row in await shop.sql.fetch("select id from bare.inventory_levels")]
        return cls(pool, levels)

    async def close(self) -> None:
        await self._pool.close()

    async def buyer(self, until: float, times: list[float]) -> None:
        async with self._pool.acquire() as connection:
            while time.perf_counter() < until:
                began = time.perf_counter()
                await self._journey(connection)
                times.append(time.perf_counter() - began)

    async def place(self, cart: UUID) -> None:
        """Only the placing of an order, of a unit of the first SKU; `cart` need not exist."""
        async with self._pool.acquire() as c:
            made = [row[0] for row in await c.fetch("select uuidv7() from generate_series(1, 12)")]
            async with c.transaction():
                await self._place(c, [cart, *made[1:]], self._levels[:1])

    async def _journey(self, c: Any) -> None:
        ids = [row[0] for row in await c.fetch("select uuidv7() from generate_series(1, 12)")]
        levels = random.sample(self._levels, 2)
        async with c.transaction():
            await c.execute(
                "insert into carts values ($1, $1, null, $2, 'bench@demo.test', 'open', now(), now())",
                ids[0],
                ids[0].bytes,
            )
        for n, level in enumerate(levels):
            async with c.transaction():
                await c.fetch("select * from carts where id = $1 for update", ids[0])
                await c.execute("insert into cart_lines values ($1, $2, $3, 1)", ids[1 + n], ids[0], level)
        async with c.transaction():
            await self._place(c, ids, levels)
        async with c.transaction():
            await self._confirm(c, ids)
        async with c.transaction():
            await self._capture(c, ids)
        async with c.transaction():
            await self._react(c, ids)

    async def _place(self, c: Any, ids: list[UUID], levels: list[UUID]) -> None:
        await c.execute(
            "insert into gateway_idempotency_keys values ($1::text, '/checkout', $1::text, 'x', null, 201, repeat('x', 2000)::bytea, now())",
            ids[3].hex,
        )
        await c.fetch("select * from cart_lines where cart_id = $1", ids[0])
        await c.execute(
            "insert into order_groups values ($1, $1, null, $2, 'bench@demo.test', 'pending', 'EUR', 2000, 'standard', null, now(), now())",
            *(ids[3], ids[3].bytes),
        )
        await c.execute("insert into order_addresses values ($1, 'B', 'R', '', 'B', '', '1', 'DE', now())", ids[3])
        await c.execute(
            "insert into orders values ($1, 'A1', $2, $1, null, 'g', 'placed', 'pending', 'unfulfilled', 'EUR', true, 2000, 0, 0, 0, 2000, now(), now())",
            *(ids[4], ids[3]),
        )
        for line, level in zip(ids[5 : 5 + len(levels)], levels, strict=True):
            await c.execute(
                "insert into order_lines values ($1, $2, $3, $3, 'S', 'N', '{}', 1, 1000, 1000, 0, 0.19, 160)",
                line,
                ids[4],
                level,
            )
        await c.execute(
            "insert into payment_intents (id, reference_id, kind, currency, amount, authorised, captured, refunded, status, created_at, updated_at) "
            "values ($1, $2, 'card', 'EUR', 2000, 0, 0, 0, 'processing', now(), now())",
            *(ids[7], ids[3]),
        )
        await c.execute("insert into payment_fraud_checks values ($1, 0, '[]', 'accept', 'rule', now())", ids[7])
        await c.execute("update carts set status = 'ordered' where id = $1", ids[0])
        await c.execute(
            "insert into saga_instances (id, kind, definition, subject_id, status, step, data, due_at, created_at, updated_at) "
            "values ($1, 'bare', 1, $2, 'completed', 2, '{}', now(), now(), now())",
            *(ids[8], ids[3]),
        )
        await self._emit(c, ids[3], 2)
        for level in sorted(levels):
            await c.execute(
                "update inventory_levels set reserved = reserved + 1 where id = $1 and reserved + allocated < on_hand",
                level,
            )
            await c.execute(
                "insert into inventory_reservations values (uuidv7(), $1, $2, $2, 1, 'held', now(), now(), now())",
                ids[3],
                level,
            )
            await c.execute(
                "insert into inventory_movements values (uuidv7(), $1, 'hold', 0, 1, 0, $2, now())", level, ids[3]
            )

    async def _confirm(self, c: Any, ids: list[UUID]) -> None:
        await c.execute("update payment_intents set status = 'authorised', authorised = amount where id = $1", ids[7])
        await c.execute(
            "insert into payment_transactions values (uuidv7(), $1, 'authorise', 'succeeded', 2000, 'EUR', 'k', 'r', now())",
            ids[7],
        )
        await c.execute("update order_groups set status = 'confirmed' where id = $1", ids[3])
        await c.execute("update orders set status = 'confirmed' where id = $1", ids[4])
        await c.execute("update saga_instances set step = 4, version = version + 1 where id = $1", ids[8])
        await self._emit(c, ids[3], 2)
        rows = await c.fetch(
            "update inventory_reservations set status = 'allocated' where reference_id = $1 returning level_id", ids[3]
        )
        for row in sorted(rows, key=lambda row: row[0]):
            await c.execute(
                "update inventory_levels set reserved = reserved - 1, allocated = allocated + 1 where id = $1", row[0]
            )
            await c.execute(
                "insert into inventory_movements values (uuidv7(), $1, 'allocate', 0, -1, 1, $2, now())", row[0], ids[3]
            )

    async def _capture(self, c: Any, ids: list[UUID]) -> None:
        await c.execute("update payment_intents set status = 'captured', captured = amount where id = $1", ids[7])
        await c.execute(
            "insert into payment_transactions values (uuidv7(), $1, 'capture', 'succeeded', 2000, 'EUR', 'k', 'r', now())",
            ids[7],
        )
        await c.execute(
            "insert into ledger_entries values (uuidv7(), $1, $2, $2, $3, 2000, 'EUR', now())",
            ids[7].hex,
            ids[3],
            ids[4],
        )
        await c.execute(
            "update orders set payment_status = 'paid', fulfillment_status = 'picking' where id = $1", ids[4]
        )
        await c.execute("insert into warehouse_tasks values ($1, $2, $1, 'open', now(), now())", ids[4], ids[3])
        for line in ids[5:7]:
            await c.execute("insert into warehouse_picking_lines values ($1, $2, $1, 'S', 1, 0)", line, ids[4])
        await c.execute("update saga_instances set step = 6, version = version + 1 where id = $1", ids[8])
        await self._emit(c, ids[3], 3)

    async def _react(self, c: Any, ids: list[UUID]) -> None:
        for n in range(6):
            await c.execute("insert into inbox_events values ($1, uuidv7(), now())", f"history{n}")
            await c.execute(
                "insert into order_timeline_events values (uuidv7(), $1, null, 'Event', '{}', now())", ids[3]
            )
        await c.execute(
            "insert into email_messages values (uuidv7(), $1, 'bench@demo.test', 'Told', 'text', 'sent', 1, now(), null, now(), now())",
            ids[3].hex,
        )

    async def _emit(self, c: Any, key: UUID, count: int) -> None:
        await c.execute(
            "insert into outbox_events select uuidv7(), 1, 'order', $1, n, 'Event', 1, '{\"total\": 2000}', '{}', now() "
            "from generate_series(1, $2::int) n",
            *(key, count),
        )
