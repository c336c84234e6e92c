"""The gateway simulator: a realistic payment provider for development, tests and demos.

What it does is chosen by the token: `tok_success`, `tok_decline`, `tok_3ds` (asks for a challenge at
`/simulator/3ds/{reference}`), `tok_timeout_before` (the first call is lost before it acts), `tok_timeout_after` (it
acts and its answer is lost), `tok_slow` (answers after 1.5 s), `tok_webhook_twice` (its webhook comes late, twice),
`tok_refund_pending` (its refunds are pending for a second, then a webhook comes), `tok_refund_decline` (refuses refunds).
A suffix makes tokens of one behaviour different cards: `tok_success_4242`. Its books are durable and apart from
ours, so that a killed process leaves what a real gateway would know; they do not wait for our disk.
"""

import asyncio
import hashlib
import hmac
import json
import re
from datetime import timedelta
from typing import Any

from commerce.payment.errors import BadSignature
from commerce.payment.history import REFERENCE
from commerce.payment.ports import GatewayAnswer, GatewayTimeout
from kernel.auth import SYSTEM
from kernel.db import Database, Work
from kernel.ids import new_id

BEHAVIOURS = (
    "success",
    "decline",
    "3ds",
    "timeout_before",
    "timeout_after",
    "slow",
    "webhook_twice",
    "refund_pending",
    "refund_decline",
)
SLOW_SECONDS = 1.5
LOST_SECONDS = 0.2
"""How long a lost call takes to be given up: a real client's time-out, shortened."""
PENDING_SECONDS = 1.0
"""How long a pending refund takes."""
TOLERANCE = 300.0
"""Seconds a webhook's signature stays valid."""
SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")

_AUTHORISE = """
insert into simulator_charges as c (reference, key, token, amount, currency, status, failure, asked, at, description)
values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)
on conflict (key) do update set asked = c.asked + 1
returning reference, status, failure, amount, asked, set_config('synchronous_commit', 'off', true)
"""

_OPERATE = """
with made as (
  insert into simulator_operations (key, reference, kind, amount, at)
  select $1, reference, $3, $4::bigint, $5 from simulator_charges c
  where reference = $2 and status = 'authorised' and $4::bigint <= amount - coalesce(
    (select sum(o.amount) from simulator_operations o where o.reference = $2 and o.kind = $3), 0)
  on conflict (key) do nothing returning key
)
select key, set_config('synchronous_commit', 'off', true)
from (select key from made union select key from simulator_operations where key = $1) known
"""


# Payments from before that the simulator does not know: authorised there, and given back as far as they were. $1 reference
_TAKE_OVER = """
with made as (
  insert into simulator_charges (reference, key, token, amount, currency, status, failure, asked, at, description)
  select gateway_reference, gateway_reference, token, amount, currency, 'authorised', null, 1, created_at, ''
  from payment_intents where gateway_reference like $1 on conflict do nothing returning reference
)
insert into simulator_operations (key, reference, kind, amount, at)
select reference || '.' || o.what, reference, o.what, o.done, created_at
from made join payment_intents on gateway_reference = reference,
  lateral (values ('capture', captured), ('refund', refunded)) o(what, done) where o.done > 0
"""


def behaviour(token: str) -> str | None:
    """The behaviour a token asks for, or None when it is not one of ours."""
    name = token.removeprefix("tok_")
    if name == token:
        return None
    return next((b for b in sorted(BEHAVIOURS, key=len, reverse=True) if name == b or name.startswith(b + "_")), None)


class Simulator:
    """The gateway port over its own tables. `base_url` is where a customer's browser finds the challenge page."""

    name = "simulator"

    def __init__(self, database: Database, base_url: str, secret: str) -> None:
        self._database = database
        self._base_url = base_url
        self._secret = secret.encode()

    def accepts(self, token: str) -> bool:
        return behaviour(token) is not None

    async def authorise(self, key: str, *, amount: int, currency: str, token: str, reference: str) -> GatewayAnswer:
        wanted = behaviour(token)
        if wanted == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if wanted == "timeout_before" and await self._first_call_lost(key):
            raise GatewayTimeout("no answer")
        status = {"decline": "declined", None: "declined", "3ds": "requires_action"}.get(wanted, "authorised")
        failure = "card_declined" if status == "declined" else None
        row = await self._database.alone(
            _AUTHORISE,
            *(f"ch_{new_id().hex}", key, token, amount, currency, status, failure, self._database.clock(), reference),
        )
        assert row is not None
        if row["asked"] == 1 and wanted == "webhook_twice":
            async with self._database.work(SYSTEM, durable=False) as work:
                await self._announce(work, row["reference"], "charge.authorised", times=2, delay=1.0)
        if wanted == "timeout_after" and row["asked"] == 1:
            await asyncio.sleep(LOST_SECONDS)
            raise GatewayTimeout("the answer was lost")
        return self._answer(row["reference"], row["status"], row["failure"])

    def _answer(self, reference: str, status: str, failure: str | None) -> GatewayAnswer:
        if status == "requires_action":
            return GatewayAnswer("requires_action", reference, None, f"{self._base_url}/simulator/3ds/{reference}")
        if status == "declined":
            return GatewayAnswer("declined", reference, failure)
        return GatewayAnswer("succeeded", reference)

    async def _first_call_lost(self, key: str) -> bool:
        """True for the first call of a key; it leaves a mark and no charge."""
        async with self._database.work(SYSTEM, durable=False) as work:
            marked = await work.run(
                "insert into simulator_charges (reference, key, token, amount, currency, status, failure, asked, at, "
                "description) values ($1, $2, 'lost', 0, 'EUR', 'declined', 'lost', 1, $3, '') on conflict (key) do nothing",
                *(f"lost_{new_id().hex}", f"lost:{key}", work.now),
            )
        if marked:
            await asyncio.sleep(LOST_SECONDS)
        return marked == 1

    async def capture(self, key: str, *, reference: str, amount: int) -> GatewayAnswer:
        return await self._operate("capture", key, reference, amount)

    async def refund(self, key: str, *, reference: str, amount: int) -> GatewayAnswer:
        async with self._database.work(SYSTEM, durable=False) as work:
            token = await work.value("select token from simulator_charges where reference = $1", reference)
            wanted = behaviour(token or "")
            known = await work.value("select at from simulator_operations where key = $1", key)
            if wanted == "refund_pending" and known is None:
                await self._announce(work, reference, "refund.updated", delay=PENDING_SECONDS)
        if wanted == "refund_decline":
            return GatewayAnswer("declined", reference, "refund_not_possible")
        answer = await self._operate("refund", key, reference, amount)
        if wanted == "refund_pending" and answer.status == "succeeded":
            ready = known is not None and work.now >= known + timedelta(seconds=PENDING_SECONDS)
            return answer if ready else GatewayAnswer("pending", reference)
        return answer

    async def credit(self, key: str, *, amount: int, currency: str, token: str, reference: str) -> GatewayAnswer:
        if behaviour(token) in (None, "decline"):
            return GatewayAnswer("declined", "", "card_declined")
        async with self._database.work(SYSTEM, durable=False) as work:
            row = await work.row(
                _AUTHORISE,
                *(f"cr_{new_id().hex}", key, token, amount, currency, "credited", None, work.now, reference),
            )
        assert row is not None
        return GatewayAnswer("succeeded", row["reference"])

    async def void(self, key: str, *, reference: str) -> GatewayAnswer:
        async with self._database.work(SYSTEM, durable=False) as work:
            await work.run(
                "update simulator_charges set status = 'declined', failure = 'voided' "
                "where reference = $1 and status = 'requires_action'",
                reference,
            )
        return await self._operate("void", key, reference, 0)

    async def _operate(self, kind: str, key: str, reference: str, amount: int) -> GatewayAnswer:
        made = await self._database.alone(_OPERATE, key, reference, kind, amount, self._database.clock())
        return GatewayAnswer("succeeded", reference) if made else GatewayAnswer("declined", reference, "not_possible")

    async def take_over(self) -> int:
        """Learns the payments another provider took before (`commerce.payment.history`), as a provider does that takes
        over a vault; returns how many were new."""
        async with self._database.work(SYSTEM, durable=False) as work:
            return await work.run(_TAKE_OVER, f"{REFERENCE}%")

    # --- the challenge of 3-D Secure, and webhooks ---

    async def challenge(self, reference: str) -> dict[str, Any] | None:
        """What the challenge page shows: amount, currency and status of a charge."""
        async with self._database.work(SYSTEM, durable=False) as work:
            row = await work.row(
                "select reference, amount, currency, status from simulator_charges where reference = $1 and token <> 'lost'",
                reference,
            )
        return dict(row) if row else None

    async def answer_challenge(self, reference: str, approve: bool) -> bool:
        """The customer's yes or no; announced by webhook. False when there is nothing to answer."""
        async with self._database.work(SYSTEM, durable=False) as work:
            changed = await work.run(
                "update simulator_charges set status = $2, failure = $3 where reference = $1 and status = 'requires_action'",
                *(reference, "authorised" if approve else "declined", None if approve else "challenge_failed"),
            )
            if changed:
                await self._announce(work, reference, "charge.challenge_answered")
        return changed == 1

    async def _announce(self, work: Work, reference: str, kind: str, times: int = 1, delay: float = 0.0) -> None:
        event_id = f"evt_{new_id().hex}"
        for n in range(times):
            await work.run(
                "insert into simulator_webhooks (id, event_id, type, reference, due_at, attempts) "
                "values ($1, $2, $3, $4, $5, 0)",
                *(new_id(), event_id, kind, reference, work.now + timedelta(seconds=delay * (n + 1))),
            )

    async def due_webhooks(self, limit: int = 20) -> list[dict[str, Any]]:
        """Claims the notices that are due; one that is not marked as sent comes again after 5 seconds."""
        async with self._database.work(SYSTEM, durable=False) as work:
            rows = await work.rows(
                "update simulator_webhooks set attempts = attempts + 1, due_at = $1 + interval '5 seconds' where id in "
                "(select id from simulator_webhooks where sent_at is null and due_at <= $1 and attempts < 20 "
                " order by due_at limit $2 for update skip locked) returning id, event_id, type, reference",
                *(work.now, limit),
            )
        return [dict(row) for row in rows]

    async def webhook_sent(self, webhook_id: Any) -> None:
        async with self._database.work(SYSTEM, durable=False) as work:
            await work.run("update simulator_webhooks set sent_at = $2 where id = $1", webhook_id, work.now)

    def signed(self, event: dict[str, Any], now: float) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a webhook: HMAC-SHA256 over `timestamp.body`."""
        body = json.dumps({"id": event["event_id"], "type": event["type"], "reference": event["reference"]}).encode()
        return body, {"x-simulator-signature": f"t={int(now)},v1={self._sign(int(now), body)}"}

    def _sign(self, at: int, body: bytes) -> str:
        return hmac.new(self._secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()

    def verify(self, body: bytes, headers: dict[str, str], now: float) -> None:
        given = SIGNATURE.fullmatch(headers.get("x-simulator-signature", ""))
        at = int(given[1]) if given else 0
        if not given or abs(now - at) > TOLERANCE or not hmac.compare_digest(self._sign(at, body), given[2]):
            raise BadSignature()
