"""A process is killed, or frozen past its lease, at every point of every saga: another one finishes, nothing is lost."""

import asyncio
import os
import signal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from commerce.app import Commerce
from commerce.checkout import cancellation, capture, change, saga
from commerce.refund import saga as refunds
from commerce.returns import saga as returns
from commerce.shipping import labelling
from kernel.ids import new_id
from kernel.saga import EXTERNAL_POINTS, LOCAL_POINTS, Definition, External, fault_points
from tests.factories.books import broken, owed, shelf
from tests.factories.variants import add_choice
from tests.factories.world import World
from tests.faults import buyer, returner
from tests.faults.forks import FORKS

KILL_LEASE, STOP_LEASE = 0.6, 2.0
PATIENCE = {"kill": 5.0, "stop": STOP_LEASE / 2}
"""Time-outs of the errand's database. Those of a process that freezes let go before its lease ends; a killed one lets go by
dying, and on a busy machine must not lose its transaction before it gets to its point."""
ALL = [
    f"{kind}.{name}.{phase}.{place}"
    for kind, steps in {
        "purchase": {
            "place": "local both", "risk": "local do", "authorise": "external both",
            "confirm": "local do", "capture": "external do", "pick": "local do",
        },
        "cancellation": {"give_back": "external do", "close": "local do"},
        "change": {
            "open": "local both", "charge": "external both", "apply": "local do", "capture": "external do",
            "give_back": "external do", "close": "local do",
        },
        "refund": {"approve": "local both", "send": "external do", "book": "local do"},
        "capture": {"charge": "external do", "close": "local do"},
        "return": {
            "request": "local both", "authorise": "local do", "label": "local do", "receive": "local do",
            "inspect": "local do", "dispose": "local do", "charge": "external do", "capture": "external do",
            "settle": "local do", "finish": "local do",
        },
    }.items()
    for name, shape in steps.items()
    for phase in (("do", "undo") if "both" in shape else ("do",))
    for place in (EXTERNAL_POINTS if "external" in shape else LOCAL_POINTS)
]  # fmt: skip
ELSEWHERE = [f"{step}.{place}" for step in ("label.buy.do", "label_void.void.do") for place in EXTERNAL_POINTS]
"""Sagas that begin with what a carrier does: tests/shipping/test_label_crashes.py kills them."""
SAMPLE_OF_FREEZES = (
    "purchase.place.do.before_commit",
    "purchase.authorise.do.after_effect",
    "purchase.confirm.do.before_commit",
    "purchase.authorise.undo.after_intent",
    "cancellation.give_back.do.after_effect",
    "change.charge.do.after_effect",
    "change.apply.do.before_commit",
    "change.give_back.do.after_intent",
    "refund.send.do.after_effect",
    "refund.approve.undo.before_commit",
    "return.charge.do.after_effect",
    "return.dispose.do.before_commit",
)


def story(point: str) -> str:
    """The errand that passes this point."""
    kind, step, phase, _ = point.split(".")
    if kind == "cancellation":
        return "cancel"
    if kind == "capture":
        return "leave"
    if kind == "change":
        if phase == "undo":
            return "unmade" if step == "charge" else "unpaid"
        return "repay" if step == "give_back" else "swap"
    if kind == "refund":
        return "refused" if phase == "undo" else "refund"
    if kind == "return":
        return "unreturn" if phase == "undo" else "exchange"
    if phase == "undo":
        return "gone" if step == "authorise" else "decline"
    return "buy"


def definitions(shop: Commerce) -> list[Definition[Any]]:
    return list(shop.engine.definitions.values())


def test_every_step_of_every_saga_has_its_points_tested(shop: Commerce) -> None:
    """Fails when a step is added, or made external, without its crash points standing in the list above."""
    declared = [point for definition in definitions(shop) for point in fault_points(definition)]
    assert sorted(declared) == sorted([*ALL, *ELSEWHERE])
    assert {d.kind for d in definitions(shop)} == {
        *(saga.KIND, cancellation.KIND, change.KIND, capture.KIND, refunds.KIND, returns.KIND),
        *(labelling.BUY, labelling.VOID),
    }
    assert all(isinstance(step, External) or step.do for d in definitions(shop) for step in d.steps)


@pytest.fixture
async def variant(shop: Commerce, world: World) -> UUID:
    """Its own variant per test, five units, and another one of the same product that is dearer."""
    return (await add_choice(shop, world, {"this": 1200, "that": 1700}, units=5))["this"]


async def run_errand(url: str, variant: UUID, point: str, action: str) -> tuple[UUID, Any]:
    group = new_id()
    lease = KILL_LEASE if action == "kill" else STOP_LEASE
    errand = buyer.Errand(url, variant, story(point), point, action, group, lease, PATIENCE[action])
    process = FORKS.Process(target=buyer.main, args=(errand,))
    process.start()
    return group, process


async def finish(shop: Commerce, sql: asyncpg.Connection, group: UUID, point: str) -> None:
    """The second worker: takes over what is due until every saga of the group has ended; people go on with a return."""
    for _ in range(400):
        await shop.engine.run_due()
        await returner.handle(shop, group, story(point))
        open_sagas = await sql.fetchval(
            "select count(*) from saga_instances where subject_id = $1 and status in ('running', 'waiting', 'compensating')",
            group,
        )
        if not open_sagas:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the saga did not end")


async def check(sql: asyncpg.Connection, group: UUID, variant: UUID, point: str) -> None:
    """One charge, one refund or void, books that balance, stock that is where the order says."""
    if point.startswith("change."):
        await check_change(sql, group, variant, point)
        return
    status = await sql.fetchval("select status from order_groups where id = $1", group)
    started = not point.startswith("purchase.place.do.before_commit") and ".authorise.do.before_intent" not in point
    started = started and point != "purchase.risk.do.before_commit"
    expected = "cancelled" if story(point) in ("decline", "gone", "cancel") else "confirmed"
    # Killed inside the transaction that cancels, the wish to cancel is lost with it: the customer was never told yes.
    if point in ("cancellation.give_back.do.before_intent",):
        expected = "confirmed"
    assert status == (expected if started else None)
    charges = await sql.fetch("select * from simulator_charges where description = $1", group.hex)
    done = await sql.fetch(
        "select o.kind from simulator_operations o join simulator_charges c using (reference) where description = $1",
        group.hex,
    )
    kinds = sorted(row["kind"] for row in done)
    if not started:
        assert (list(charges), kinds) == ([], [])
    elif expected == "confirmed":
        back = await refunded(sql, group, point)
        taken = (
            [] if point == "capture.charge.do.before_intent" else ["capture"]
        )  # that wish is lost with its transaction
        assert (len(charges), kinds) == (1, [*taken, "refund"] if back else taken)
    else:
        assert len(charges) == 1
        assert kinds == {"decline": [], "gone": ["void"], "cancel": ["capture", "refund"]}[story(point)]
    if story(point) in ("exchange", "unreturn"):
        await check_return(sql, group, variant, point)
    else:
        await check_stock(sql, group, variant, 2 if status == "confirmed" else 0, 5)
    back, sent = await refunded(sql, group, point), story(point) in ("exchange", "unreturn")
    await check_books(sql, group, status, back, sent, point != "capture.charge.do.before_intent")


async def refunded(sql: asyncpg.Connection, group: UUID, point: str) -> int:
    """What the purchase's refund brought back. Killed inside the transaction that asks, the wish is lost with it."""
    status = await sql.fetchval("select status from refunds where group_id = $1", group)
    lost = point in ("refund.approve.do.before_commit", "refund.send.do.before_intent")
    assert status == {"refund": None if lost else "succeeded", "refused": "failed"}.get(story(point))
    return 1200 if status == "succeeded" else 0


async def check_change(sql: asyncpg.Connection, group: UUID, variant: UUID, point: str) -> None:
    """The change happened once or not at all, the gateway holds what the order costs, and no law is broken."""
    told = story(point)
    # Killed inside the transaction that asks for the change, the wish is lost with it.
    asked = point not in ("change.open.do.before_commit", "change.charge.do.before_intent")
    rows = await sql.fetch("select id, status from order_modifications where group_id = $1", group)
    status = "applied" if told in ("swap", "repay") else "failed"
    assert [row["status"] for row in rows] == ([status] if asked else [])
    swapped = told == "swap" and asked
    lines = await sql.fetch(
        "select l.variant_id = $2 as as_bought, l.quantity from order_lines l join orders o on o.id = l.order_id "
        "where o.group_id = $1 order by l.id",
        *(group, variant),
    )
    assert [tuple(row) for row in lines] == ([(True, 1), (False, 1)] if swapped else [(True, 2)])
    descriptions = [group.hex, *(row["id"].hex for row in rows)]
    done = await sql.fetch(
        "select o.kind, o.amount from simulator_operations o join simulator_charges c using (reference) "
        "where c.description = any($1) order by o.kind, o.amount",
        descriptions,
    )
    total = 2 * 1200 + 490
    expected = {
        "swap": [("capture", 500), ("capture", total)],
        "repay": [("capture", total), ("capture", total), ("refund", total)],
        "unmade": [("capture", total), ("void", 0)],
        "unpaid": [("capture", total)],
    }
    assert [tuple(row) for row in done] == (expected[told] if asked else [("capture", total)])
    assert await sql.fetchval("select total from order_groups where id = $1", group) == total + 500 * swapped
    assert await broken(sql) == {}


LOST_RETURNS = [f"return.{step}.do.before_commit" for step in ("request", "authorise", "label", "receive")]
"""Steps of the transaction that asks: killed inside it, the wish is lost with it."""


async def check_return(sql: asyncpg.Connection, group: UUID, variant: UUID, point: str) -> None:
    """Of two units that were sent, one is back on the shelf, and one goes out for it, its difference charged once."""
    status = await sql.fetchval("select status from return_requests where id = $1", group)
    ended = "completed" if story(point) == "exchange" else "cancelled"
    assert status == (None if point in LOST_RETURNS else ended)
    replacement = await sql.fetchval("select replacement_id from return_requests where id = $1", group)
    swapped = status == "completed"
    operations = await sql.fetch(
        "select o.kind, o.amount from simulator_operations o join simulator_charges c using (reference) "
        "where c.description = $1",
        replacement.hex if replacement else "none",
    )
    assert [tuple(row) for row in operations] == ([("capture", 300)] if swapped else [])
    line = await sql.fetchrow(
        "select received, passed, refunded, exchanged from return_lines where return_id = $1", group
    )
    assert line is None or tuple(line) == ((1, 1, 0, 1) if swapped else (0, 0, 0, 0))
    sold = await sql.fetchval("select total from order_groups where id = $1", replacement)
    assert sold == (300 if swapped else None)
    await check_stock(sql, replacement or group, variant, 1 if swapped else 0, 4 if swapped else 3)


async def check_stock(sql: asyncpg.Connection, group: UUID, variant: UUID, promised: int, on_hand: int) -> None:
    mine = await sql.fetchval(
        "select coalesce(sum(quantity), 0) from inventory_reservations where reference_id = $1 and status in ('held', 'allocated')",
        group,
    )
    assert mine == promised
    assert await shelf(sql, variant) == (on_hand, promised)


async def check_books(
    sql: asyncpg.Connection, group: UUID, status: str | None, back: int, sent: bool, charged: bool = True
) -> None:
    total = await sql.fetchval("select total from order_groups where id = $1", group)
    assert await owed(sql, group) == (total - back if status == "confirmed" and charged else 0)
    picks = await sql.fetch("select status from warehouse_tasks where group_id = $1", group)
    open_picks = ["open"] if status == "confirmed" and not sent else []
    assert [row["status"] for row in picks if row["status"] == "open"] == open_picks


async def gone(process: Any, seconds: float = 20) -> int:
    for _ in range(int(seconds / 0.02)):
        if process.exitcode is not None:
            return process.exitcode
        await asyncio.sleep(0.02)
    raise AssertionError("the process is still there")


async def killed(shop: Commerce, sql: asyncpg.Connection, url: str, variant: UUID, point: str) -> None:
    group, process = await run_errand(url, variant, point, "kill")
    assert await gone(process) == -signal.SIGKILL
    await finish(shop, sql, group, point)
    await check(sql, group, variant, point)


async def frozen(shop: Commerce, sql: asyncpg.Connection, url: str, variant: UUID, point: str) -> None:
    group, process = await run_errand(url, variant, point, "stop")
    await stopped(process.pid)
    await asyncio.sleep(STOP_LEASE)
    await finish(shop, sql, group, point)
    await check(sql, group, variant, point)
    os.kill(process.pid, signal.SIGCONT)
    await gone(process)
    await finish(shop, sql, group, point)
    await check(sql, group, variant, point)


async def stopped(pid: int) -> None:
    for _ in range(1000):
        with open(f"/proc/{pid}/stat") as stat:
            if stat.read().rsplit(")", 1)[1].split()[0] == "T":
                return
        await asyncio.sleep(0.02)
    raise AssertionError("the process did not freeze")


@pytest.mark.parametrize("point", ALL)
async def test_a_killed_process_is_replaced(
    shop: Commerce, sql: asyncpg.Connection, url: str, variant: UUID, point: str
) -> None:
    await killed(shop, sql, url, variant, point)


@pytest.mark.parametrize("point", SAMPLE_OF_FREEZES)
async def test_a_frozen_process_is_replaced_and_fenced(
    shop: Commerce, sql: asyncpg.Connection, url: str, variant: UUID, point: str
) -> None:
    await frozen(shop, sql, url, variant, point)


@pytest.mark.soak
@pytest.mark.parametrize("point", ALL)
async def test_every_freeze(shop: Commerce, sql: asyncpg.Connection, url: str, variant: UUID, point: str) -> None:
    await frozen(shop, sql, url, variant, point)
