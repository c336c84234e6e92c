"""Whatever is done to orders, in any sequence, keeps the laws: changed, cancelled, sent, sent back, exchanged, refunded, with
notices of the gateway that come twice or late, and processes that die in between."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cli.runtime import connect
from commerce.app import Commerce, wire
from kernel.ids import new_id, public
from tests.conftest import SECRET, settings
from tests.factories.api import Caller, signed_in
from tests.factories.books import broken
from tests.factories.variants import add_choice
from tests.factories.world import PASSWORD, World
from tests.fakes.gateways import Mortal
from tests.order.test_items import gift_card

TOKENS = ("tok_success_other", "tok_decline", "tok_timeout_after")
PRICES = {"red": 2000, "blue": 2000, "gold": 3500, "grey": 1199}
REFUSALS = {
    *(
        "order_not_changeable",
        "order_change_in_progress",
        "order_line_unknown",
        "order_item_same",
        "insufficient_stock",
    ),
    *(
        "payment_required",
        "gift_card_insufficient",
        "payment_method_same",
        "payment_not_single",
        "order_not_cancellable",
    ),
    *("payment_not_settled", "order_already_packed", "purchase_in_progress", "order_partly_refunded", "hold_lost"),
    *("already_picked", "order_units_not_there", "order_not_shippable", "shipment_unknown", "order_shipped_too_many"),
    *("order_not_delivered", "return_more_than_delivered", "return_state", "return_received_too_many"),
    *("exchange_payment_needed", "exchange_not_for_sale", "refund_more_than_paid", "refund_order_cancelling"),
    *(
        "refund_order_changing",
        "refund_not_waiting",
        "refund_not_failed",
        "refund_decided_already",
        "refund_own_request",
    ),
    *(
        "claim_decided",
        "return_of_exchange",
        "pick_task_unknown",
        "refund_nothing_paid",
        "refund_cause_twice",
        "refund_destination",
    ),
}
"""What a shop may say no with; anything else is a fault of ours."""
LEFT = """
select i.reference_id, sum(i.captured - i.refunded) as left, sum(i.refunding) as promised from payment_intents i
group by i.reference_id having sum(i.refunding) <> 0"""
OPEN = "select kind, subject_id, error from saga_instances where status in ('running', 'compensating', 'stuck')"
APART = """
select (select coalesce(sum(case o.kind when 'capture' then o.amount when 'refund' then -o.amount else 0 end), 0)
  - coalesce((select sum(amount) from simulator_charges where status = 'credited'), 0) from simulator_operations o)
- (select coalesce(sum(case when e.debit_id = a.id then e.amount else -e.amount end), 0) from ledger_entries e
join ledger_accounts a on a.kind = 'gateway' and a.id in (e.debit_id, e.credit_id) where a.currency = 'EUR')"""
"""What the gateway holds more than the ledger says."""
DUE = "update saga_instances set due_at = now() where status in ('running', 'waiting', 'compensating')"


@pytest.fixture(scope="module")
async def shop(url: str) -> AsyncIterator[Commerce]:
    """A shop whose processes may die at its gateway."""
    found = settings()
    database = await connect(found, url)
    yield wire(database, Mortal(database, "http://shop.test", SECRET), SECRET, found)
    await database.close()


@dataclass
class Scene:
    """Everybody and everything that takes part, and the loop they live in."""

    loop: asyncio.AbstractEventLoop
    shop: Commerce
    http: httpx.AsyncClient
    sql: asyncpg.Connection
    world: World
    settle: Any
    people: dict[str, Caller]
    """`ann` is somebody new in every sequence: what failed before says nothing about her."""

    def wait(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(60)

    async def ask(self, who: str, path: str, body: Any = None) -> Any:
        """A call that goes through, or is refused for a reason of the shop's."""
        answer = await self.people[who].post(path, body, None, key=str(uuid4()))
        if answer.status_code < 400:
            return answer.json() if answer.content else {}
        assert answer.status_code in (404, 409), (path, body, answer.text)
        assert answer.json()["code"] in REFUSALS, (path, body, answer.text)
        return None


picks = st.integers(0, 5)
few = st.integers(1, 2)


class AfterTheSale(RuleBasedStateMachine):
    """One customer's orders. Numbers pick among what there is, so that a failing sequence shrinks to few steps."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.scene = scene
        self.orders: list[str] = []
        self.returns: list[str] = []
        self.refunds: list[str] = []
        self.claims: list[str] = []

    @initialize(pen=st.booleans())
    def buy(self, pen: bool) -> None:
        async def doing() -> None:
            scene = self.scene
            shirt = await add_choice(scene.shop, scene.world, PRICES, units=9)
            self.variants = [public("var", variant) for variant in shirt.values()]
            ann = scene.people["ann"] = await somebody_new(scene.http)
            saved = [await gift_card(scene.http, ann, amount) for amount in (20_000, 900)]
            visa = {"token": "tok_success_4242", "brand": "visa", "last4": "4242"}
            saved.append((await ann.post("/v1/me/payment-methods", visa))["id"])
            card, *_ = saved
            self.methods = [*({"payment_method_id": one} for one in saved), *({"payment_token": one} for one in TOKENS)]
            self.apart = await scene.sql.fetchval(APART)
            ways = [{}, {"payment_token": None, "payment_method_id": card}]
            lines: dict[UUID, int] = {shirt["red"]: 2, shirt["gold"]: 1}
            for way in ways:
                more = {scene.world.variants["pen" if pen else "plate"]: 1}
                group = await ann.checkout(await ann.cart({**lines, **more}), **way)
                assert group["payment"]["status"] == "captured"
                self.orders += [order["id"] for order in group["orders"]]

        self.scene.wait(doing())

    # --- before it is sent ---

    @rule(order=picks, line=picks, variant=picks, units=few, method=picks)
    def change_items(self, order: int, line: int, variant: int, units: int, method: int) -> None:
        async def doing() -> None:
            shown = await self.order(order)
            item = {
                "line_id": _of(shown["lines"], line)["id"],
                "variant_id": _of(self.variants, variant),
                "quantity": units,
            }
            await self.scene.ask(
                "ann", f"/v1/orders/{shown['id']}/lines", {"items": [item], **_of(self.methods, method)}
            )

        self.scene.wait(doing())

    @rule(order=picks, method=picks)
    def change_payment(self, order: int, method: int) -> None:
        path = f"/v1/orders/{_of(self.orders, order)}/payment-method"
        self.scene.wait(self.scene.ask("ann", path, _of(self.methods, method)))

    @rule(order=picks, line=picks, units=few)
    def cancel_units(self, order: int, line: int, units: int) -> None:
        async def doing() -> None:
            shown = await self.order(order)
            item = {"line_id": _of(shown["lines"], line)["id"], "quantity": units}
            await self.scene.ask("ann", f"/v1/orders/{shown['id']}/lines/cancel", {"items": [item], "reason": "other"})

        self.scene.wait(doing())

    @rule(order=picks)
    def cancel(self, order: int) -> None:
        self.scene.wait(self.scene.ask("ann", f"/v1/orders/{_of(self.orders, order)}/cancel", {"reason": "other"}))

    # --- on its way ---

    @rule(order=picks, line=picks, units=few, whole=st.booleans())
    def send(self, order: int, line: int, units: int, whole: bool) -> None:
        async def doing() -> None:
            shown = await self.order(order)
            who = "north" if shown["merchant_id"] == public("mer", self.scene.world.merchants["north"]) else "south"
            left = [(one["id"], one["quantity"] - one["cancelled"] - one["shipped"]) for one in shown["lines"]]
            wanted = left if whole else [(_of(left, line)[0], units)]
            lines = [{"line_id": one, "quantity": count} for one, count in wanted if count > 0]
            for one in lines:
                path = f"/v1/warehouse/picks/{shown['id']}/lines/{one['line_id']}"
                await self.scene.ask(who, path, {"quantity": one["quantity"]})
            if lines:
                await self.scene.ask(who, f"/v1/orders/{shown['id']}/shipments", {"lines": lines})
            if whole:
                await self.scene.ask(who, f"/v1/orders/{shown['id']}/delivered")

        self.scene.wait(doing())

    # --- back again ---

    @rule(order=picks, line=picks, units=few, exchange=st.booleans(), variant=picks, method=picks)
    def ask_back(self, order: int, line: int, units: int, exchange: bool, variant: int, method: int) -> None:
        async def doing() -> None:
            shown = await self.order(order)
            one = {"order_line_id": _of(shown["lines"], line)["id"], "quantity": units}
            if exchange and shown["lines"][0]["variant_id"] in self.variants:
                one["replacement_id"] = _of(self.variants, variant)
                if _of(shown["lines"], line)["variant_id"] not in self.variants:
                    return
            saved = [one for one in self.methods if "payment_method_id" in one]
            more = {"resolution": "exchange", **_of(saved, method)} if "replacement_id" in one else {}
            body = {"order_id": shown["id"], "lines": [one], "reason": "not_wanted", **more}
            if made := await self.scene.ask("ann", "/v1/returns", body):
                self.returns.append(made["id"])

        self.scene.wait(doing())

    @rule(back=picks, units=few, complete=st.booleans())
    def receive(self, back: int, units: int, complete: bool) -> None:
        async def doing() -> None:
            if self.returns:
                shown = await self.scene.people["ann"].get(f"/v1/returns/{_of(self.returns, back)}")
                lines = [{"return_line_id": line["id"], "quantity": units} for line in shown["lines"]]
                path = f"/v1/returns/{shown['id']}/receive"
                await self.scene.ask("support", path, {"lines": lines, "complete": complete})

        self.scene.wait(doing())

    @rule(back=picks, units=few, passed=st.booleans())
    def inspect(self, back: int, units: int, passed: bool) -> None:
        async def doing() -> None:
            if self.returns:
                shown = await self.scene.people["ann"].get(f"/v1/returns/{_of(self.returns, back)}")
                found = {"condition": "opened", "passed": passed, "disposition": "restock" if passed else "send_back"}
                lines = [{"return_line_id": line["id"], "quantity": units, **found} for line in shown["lines"]]
                await self.scene.ask("support", f"/v1/returns/{shown['id']}/inspect", {"lines": lines})

        self.scene.wait(doing())

    @rule(back=picks)
    def take_back(self, back: int) -> None:
        if self.returns:
            self.scene.wait(self.scene.ask("ann", f"/v1/returns/{_of(self.returns, back)}/cancel"))

    @rule(order=picks, line=picks, accept=st.booleans())
    def claim(self, order: int, line: int, accept: bool) -> None:
        async def doing() -> None:
            shown = await self.order(order)
            body = {
                "order_id": shown["id"],
                "order_line_id": _of(shown["lines"], line)["id"],
                "kind": "broken",
                "text": "x",
            }
            if made := await self.scene.ask("ann", "/v1/claims", body):
                await self.scene.ask("support", f"/v1/claims/{made['id']}/decision", {"accept": accept})

        self.scene.wait(doing())

    # --- money ---

    @rule(order=picks, line=picks, units=few, who=st.sampled_from(["ann", "support"]), amount=st.integers(0, 3000))
    def refund(self, order: int, line: int, units: int, who: str, amount: int) -> None:
        async def doing() -> None:
            shown = await self.order(order)
            what = {"amount": amount} if amount > 1500 else {
                "lines": [{"order_line_id": _of(shown["lines"], line)["id"], "quantity": units}],
                "shipping": amount > 1000,
            }  # fmt: skip
            if made := await self.scene.ask(who, "/v1/refunds", {"order_id": shown["id"], "reason": "broken", **what}):
                self.refunds.append(made["id"])

        self.scene.wait(doing())

    @rule(refund=picks, accept=st.booleans())
    def decide(self, refund: int, accept: bool) -> None:
        if self.refunds:
            path = f"/v1/refunds/{_of(self.refunds, refund)}/decision"
            self.scene.wait(self.scene.ask("admin", path, {"accept": accept}))

    # --- what else happens ---

    @rule(some=st.integers(0, 1000))
    def notice_twice(self, some: int) -> None:
        """A notice about some charge of the past, late and twice; nothing of what it says is believed."""

        async def doing() -> None:
            scene, gateway = self.scene, self.scene.shop.payment.gateway
            query = (
                "select reference from simulator_charges where token <> 'lost' order by md5(reference || $1) limit 1"
            )
            reference = await scene.sql.fetchval(query, str(some))
            event = {"event_id": f"evt_{new_id().hex}", "type": "charge.refunded", "reference": reference}
            body, headers = gateway.signed(event, scene.shop.database.clock().timestamp())  # type: ignore[attr-defined]
            for _ in range(2):
                answer = await scene.http.post("/v1/webhooks/payments/simulator", content=body, headers=headers)
                assert answer.status_code == 204

        self.scene.wait(doing())

    @rule(when=st.sampled_from(["before", "after"]))
    def die_at_the_next_call(self, when: str) -> None:
        self.scene.shop.payment.gateway.dies = when  # type: ignore[attr-defined]

    @rule()
    def let_time_pass(self) -> None:
        self.scene.wait(self.work_off())

    @invariant()
    def every_law_holds(self) -> None:
        assert self.scene.wait(broken(self.scene.sql)) == {}

    def teardown(self) -> None:
        """What is on its way ends, whoever died; then nothing is promised, and the gateway's books are ours."""

        async def doing() -> None:
            self.scene.shop.payment.gateway.dies = None  # type: ignore[attr-defined]
            for _ in range(3):
                await self.work_off()
            assert await broken(self.scene.sql) == {}
            assert await self.scene.sql.fetch(OPEN) == []
            assert await self.scene.sql.fetch(LEFT) == []
            assert await self.scene.sql.fetchval(APART) == self.apart

        self.scene.wait(doing())

    # --- inside ---

    async def work_off(self) -> None:
        await self.scene.sql.execute(DUE)
        await self.scene.settle()

    async def order(self, pick: int) -> Any:
        return await self.scene.people["ann"].get(f"/v1/orders/{_of(self.orders, pick)}")


async def somebody_new(http: httpx.AsyncClient) -> Caller:
    body = {"email": f"{new_id().hex}@demo.test", "password": PASSWORD, "name": "Ann New"}
    answer = await http.post("/v1/auth/register", json=body)
    return Caller(http, {"Authorization": f"Bearer {answer.json()['access_token']}"})


def _of(found: list[Any], pick: int) -> Any:
    return found[pick % len(found)]


@pytest.fixture
async def scene(shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, settle: Any) -> Scene:
    people = {name: await signed_in(http, name) for name in ("north", "south", "support", "admin")}
    rules = {"one_per_order": False, "abuse_from": 101, "review_minor": 1_000_000}
    await people["admin"].call("PUT", "/v1/return-policies", 204, json=rules)
    return Scene(asyncio.get_running_loop(), shop, http, sql, world, settle, people)


async def play(scene: Scene, examples: int, steps: int) -> None:
    chosen = hypothesis(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=examples < 20,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, lambda: AfterTheSale(scene), settings=chosen)


async def test_any_sequence_keeps_the_laws(scene: Scene) -> None:
    await play(scene, 8, 14)


@pytest.mark.soak
async def test_many_long_sequences_keep_the_laws(scene: Scene) -> None:
    await play(scene, 150, 40)
