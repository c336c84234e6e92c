"""Refunds: money of a captured payment goes back, to where it came from or to where the store's policy lets it.

`promise` sets the money aside in the transaction that decides it; `begin`, `send` and `settle` are the three parts of a
saga's external step that carries it out. What is promised can be promised to nobody else.
"""

from collections.abc import Awaitable, Sequence
from uuid import UUID

from commerce.payment import statements
from commerce.payment.errors import RefundDestination, RefundTooHigh
from commerce.payment.events import PaymentRefunded
from commerce.payment.ledger import Ledger
from commerce.payment.permissions import MOVE_MONEY
from commerce.payment.ports import Gateway, GatewayAnswer, GatewayTimeout
from commerce.payment.schemas import Captured, Destination, PaymentRowView, Promised, Share, Tender
from kernel.db import Work
from kernel.ids import new_id
from kernel.money import Money
from kernel.saga import Retry
from kernel.schemas import money
from kernel.tables import Json


class Refunds:
    def __init__(self, gateway: Gateway, ledger: Ledger) -> None:
        self._gateway = gateway
        self._ledger = ledger

    async def payments(self, work: Work, group_id: UUID) -> list[Captured]:
        """The captured payments of a purchase, oldest first, and what of each may still go back."""
        return [Captured(**dict(row)) for row in await work.rows(statements.CAPTURED_PAYMENTS, group_id)]

    async def unsettled(self, work: Work, group_id: UUID) -> bool:
        """Whether a payment of the purchase is still neither captured nor given up."""
        found: bool = await work.value(statements.UNSETTLED, group_id)
        return found

    async def owed(self, work: Work, group_id: UUID) -> list[Share]:
        """What of the purchase's money is owed to each merchant now, by the ledger."""
        rows = await work.rows(statements.OWED, group_id)
        return [Share(merchant_id=row["owner_id"], amount=row["amount"]) for row in rows]

    async def rows(self, work: Work, group_id: UUID) -> list[PaymentRowView]:
        """Every payment and refund of a purchase of the caller, in the order they happened."""
        found = await work.rows(statements.PAYMENT_ROWS, group_id)
        return [
            PaymentRowView(
                type=row["type"],
                amount=money(row["amount"], row["currency"]),
                method=row["method"],
                payment_method_id=row["method_id"],
                at=row["at"],
            )
            for row in found
        ]

    @staticmethod
    def allow(payments: Sequence[Captured], to: Tender | None, policy: Destination) -> None:
        """Raises RefundDestination when the policy does not let money of these payments go to `to` (None: its own way)."""
        if to is None or policy == "any" or any(payment.is_by(to) for payment in payments):
            return
        if policy != "original_or_gift_card" or to.kind != "gift_card":
            raise RefundDestination()

    async def promise(
        self, work: Work, payment: Captured, shares: Sequence[Share], cause: str, to: Tender | None = None
    ) -> Promised:
        """Sets `shares` (of the merchants, minor units) of a captured payment aside, to go back to its own method or to
        `to`, a method of the same customer. Once per `cause`. Raises RefundTooHigh, RefundDestination (a gift card of
        another currency)."""
        amount = sum(share.amount for share in shares)
        other = to if to and not payment.is_by(to) else None
        if other and other.gift_card_id and await self._currency(work, other.gift_card_id) != payment.currency:
            raise RefundDestination()
        promised = Promised(
            id=new_id(),
            group_id=payment.group_id,
            intent_id=payment.intent_id,
            amount=amount,
            currency=payment.currency,
            shares=list(shares),
            gift_card_id=other.gift_card_id if other else payment.gift_card_id,
            reference=payment.reference,
            token=other.token if other else None,
            paid_by=payment.gift_card_id,
        )
        kept = await work.run(
            statements.PROMISE,
            *(promised.id, payment.intent_id, amount, cause, other.method_id if other else None),
            *(other.gift_card_id if other else None, work.now),
        )
        if not kept:
            raise RefundTooHigh()
        return promised

    async def _currency(self, work: Work, card_id: UUID) -> str:
        found: str = await work.value("select currency from payment_gift_cards where id = $1", card_id)
        return found

    async def drop(self, work: Work, promised: Sequence[Promised]) -> None:
        """Takes back promises of which nothing was carried out."""
        for one in promised:
            await work.run(statements.DROP, one.id, work.now)

    # --- the external step of a saga ---

    async def begin(self, work: Work, promised: Sequence[Promised]) -> Json | None:
        """Books what goes to gift cards at once; returns what the gateway has to be asked, None for nothing."""
        work.principal.require(MOVE_MONEY)
        for one in promised:
            if one.gift_card_id:
                await self._to_gift_card(work, one, one.gift_card_id)
        cards = [one.model_dump(mode="json") for one in promised if one.gift_card_id is None]
        return {"refunds": cards} if cards else None

    async def send(self, asked: Json) -> Json:
        """Asks the gateway for each, with a key of its own: a repetition gives nothing back twice. Raises Retry.

        Where a card that did not pay takes no money, it goes back the way it was paid; a gift card needs no gateway."""
        results: Json = {}
        for one in map(Promised.model_validate, asked["refunds"]):
            key, other = f"refund.{one.id.hex}", one.token is not None
            answer: GatewayAnswer | None
            answer = await self._credit(key, one) if one.token else await self._refund(key, one)
            if other and answer and answer.status == "declined":
                answer, other = await self._refund(f"{key}.own", one) if one.reference else None, False
            if answer and answer.status != "succeeded":
                raise Retry(f"refund {answer.failure}")
            results[one.id.hex] = {"reference": answer.reference if answer else None, "own": not other}
        return results

    async def settle(self, work: Work, promised: Sequence[Promised], results: Json) -> None:
        """Books what the gateway gave back. Idempotent."""
        work.principal.require(MOVE_MONEY)
        for one in promised:
            if one.gift_card_id:
                continue
            result = results[one.id.hex]
            if result["reference"] is None and one.paid_by:
                await self._to_gift_card(work, one, one.paid_by)
            else:
                await self._done(work, one, result["reference"], own=result["own"])

    async def _credit(self, key: str, one: Promised) -> GatewayAnswer:
        terms = {"currency": one.currency, "token": one.token or "", "reference": one.group_id.hex}
        return await _heard(self._gateway.credit(key, amount=one.amount, **terms))

    async def _refund(self, key: str, one: Promised) -> GatewayAnswer:
        return await _heard(self._gateway.refund(key, reference=one.reference or "", amount=one.amount))

    async def _to_gift_card(self, work: Work, one: Promised, card_id: UUID) -> None:
        await self._done(work, one, None, own=card_id == one.paid_by)
        back = Money(one.amount, one.currency)
        await self.refill_gift_card(work, one.group_id, card_id, back, f"refill:{one.id.hex}")

    async def _done(self, work: Work, one: Promised, reference: str | None, own: bool) -> None:
        if await work.run(statements.REFUND_DONE, one.id, reference, work.now, own):
            back = Money(one.amount, one.currency)
            await self.refunded(work, one.intent_id, one.group_id, back, one.shares, f"refund.{one.id.hex}", reference)

    async def refunded(
        self,
        work: Work,
        intent: UUID,
        group: UUID,
        amount: Money,
        shares: Sequence[Share],
        key: str,
        reference: str | None,
    ) -> None:
        """Books a refund against the merchants' shares. Emits PaymentRefunded, once per key."""
        accounts = await self._ledger.accounts(work, "sales", [s.merchant_id for s in shares], amount.currency)
        (gateway,) = await self._ledger.accounts(work, "gateway", [None], amount.currency)
        amounts = [s.amount for s in shares]
        moved = await work.value(
            statements.REFUNDED,
            *(intent, key, reference, work.now, amount.minor, f"refund:{key}", accounts, amounts, gateway),
        )
        if moved:
            work.emit(
                PaymentRefunded(intent_id=intent, reference_id=group, amount=amount.minor, currency=amount.currency)
            )

    async def refill_gift_card(self, work: Work, reference_id: UUID, card_id: UUID, amount: Money, cause: str) -> None:
        """Gives money of a group back to the gift card it came from. Idempotent by `cause`."""
        (card,) = await self._ledger.accounts(work, "gift_card", [card_id], amount.currency)
        (gateway,) = await self._ledger.accounts(work, "gateway", [None], amount.currency)
        booked = await work.run(
            statements.TRANSFER, cause, reference_id, gateway, card, amount.minor, amount.currency, work.now
        )
        if booked:
            await work.run(statements.REFILL_GIFT_CARD, card_id, amount.minor)


async def _heard(call: Awaitable[GatewayAnswer]) -> GatewayAnswer:
    """No answer in time means ask again, never that it failed."""
    try:
        return await call
    except GatewayTimeout as lost:
        raise Retry("gateway_timeout") from lost


def spread(payments: Sequence[Captured], amount: int, to: Tender | None = None) -> list[tuple[Captured, int]]:
    """Which payments an amount goes back from: those of the method it goes to first, then the oldest.

    Raises RefundTooHigh when all of them together do not hold it."""
    found = []
    for payment in sorted(payments, key=lambda one: (to is None or not one.is_by(to), one.intent_id)):
        part = min(payment.left, amount)
        if part:
            found.append((payment, part))
            amount -= part
    if amount:
        raise RefundTooHigh()
    return found


def dealt(payments: Sequence[Captured], owed: Sequence[Share], merchant_id: UUID) -> list[tuple[Captured, list[Share]]]:
    """Everything that is left of the payments, and of which merchants' shares each of them is.

    What the ledger does not owe to anybody any more is `merchant_id`'s: the customer gets all of it back."""
    open_shares = [share.model_copy() for share in owed]
    found = []
    for payment in payments:
        parts, wanted = [], payment.left
        for share in open_shares:
            part = min(share.amount, wanted)
            if part:
                parts.append(Share(merchant_id=share.merchant_id, amount=part))
                share.amount, wanted = share.amount - part, wanted - part
        if wanted:
            parts.append(Share(merchant_id=merchant_id, amount=wanted))
        if parts:
            found.append((payment, parts))
    return found
