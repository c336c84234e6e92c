"""Payments made elsewhere, brought in as they were: methods with gift cards, and every payment and refund in its order.

No money moves: what is booked is what happened. A refund of such a payment later asks the gateway by the reference it
is brought in with.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from commerce.payment import statements
from commerce.payment.errors import RefundTooHigh, UnknownPaymentMethod
from commerce.payment.ledger import Ledger
from commerce.payment.tables import GiftCard, PaymentMethod
from kernel.db import Work
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Command, Text

TAKEN_OVER = "tok_success_import"
"""The token that stands for a card in the vault a gateway took over, with the method's id behind it."""
REFERENCE = "import_"
"""How the gateway's reference of a payment from before begins."""


class PastMethod(Command):
    """A way to pay as another system kept it. `balance` is a gift card's, minor units."""

    id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    kind: Literal["card", "wallet", "gift_card"]
    brand: Text | None = None
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")] | None = None
    balance: Annotated[int, Field(ge=0, le=1_000_000_000_000)] = 0


@dataclass(frozen=True, slots=True)
class PastPayment:
    kind: Literal["payment", "refund"]
    amount: int
    method_id: UUID


@dataclass(slots=True)
class _Intent:
    id: UUID
    method: PaymentMethod
    amount: int
    refunded: int = 0


# $1 id, $2 group, $3 customer, $4 kind, $5 method, $6 gift card, $7 token, $8 currency, $9 amount, $10 refunded,
# $11 purpose, $12 reference, $13 now
_INTENT = """
insert into payment_intents (id, reference_id, customer_id, guest_key, kind, method_id, gift_card_id, token, currency,
                             amount, authorised, captured, refunded, purpose, status, gateway_reference, created_at,
                             updated_at)
values ($1, $2, $3, null, $4, $5, $6, $7, $8, $9, $9, $9, $10, $11,
        case when $10 = $9 then 'refunded' else 'captured' end, $12, $13, $13)
"""

# $1 intents, $2 kinds, $3 amounts, $4 keys, $5 currency, $6 now
_ROWS = """
insert into payment_transactions (id, intent_id, kind, outcome, amount, currency, key, gateway_reference, at)
select uuidv7(), intent, kind, 'succeeded', amount, $5, key, null, $6
from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[]) with ordinality r(intent, kind, amount, key, n) order by n
"""

# $1 causes, $2 references, $3 debits, $4 credits, $5 amounts, $6 currency, $7 now
_BOOK = """
insert into ledger_entries (id, cause, reference_id, debit_id, credit_id, amount, currency, at)
select uuidv7(), cause, reference, debit, credit, amount, $6, $7
from unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[]) e(cause, reference, debit, credit, amount)
"""


class PaymentHistory:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._methods = Repository(PaymentMethod, "customer_id")

    async def add_method(self, work: Work, customer_id: UUID, past: PastMethod, currency: str) -> UUID:
        """A customer's way to pay from before; a gift card comes with what is on it."""
        card, method_id = None, new_id()
        if past.kind == "gift_card":
            card = new_id()
            row = GiftCard(
                id=card,
                code_hash=secrets.token_bytes(32),
                currency=currency,
                balance=past.balance,
                created_at=work.now,
            )
            await Repository(GiftCard).add(work, row)
            await self._fill(work, card, past.balance, currency, f"issue:{card.hex}")
        method = PaymentMethod(
            id=method_id,
            customer_id=customer_id,
            kind=past.kind,
            brand=past.brand,
            last4=past.last4,
            token=None if card else f"{TAKEN_OVER}_{_letters(method_id)}",
            gift_card_id=card,
            active=True,
            created_at=work.now,
        )
        await self._methods.add(work, method)
        return method_id

    async def bring_in(
        self,
        work: Work,
        group_id: UUID,
        customer_id: UUID,
        merchant_id: UUID,
        currency: str,
        payments: Sequence[PastPayment],
    ) -> None:
        """Every payment and refund of a purchase, in the order they happened. A refund goes off the newest payment of its
        method that still holds it. Raises UnknownPaymentMethod, RefundTooHigh."""
        methods = {
            method.id: method
            for method in await self._methods.all(work, self._methods.table.c.customer_id == customer_id)
        }
        intents: list[_Intent] = []
        rows: list[tuple[UUID, str, int, str]] = []
        for number, payment in enumerate(payments):
            if payment.method_id not in methods:
                raise UnknownPaymentMethod()
            if payment.kind == "payment":
                intents.append(_Intent(new_id(), methods[payment.method_id], payment.amount))
                found = intents[-1]
            else:
                found = _holding(intents, payment)
                found.refunded += payment.amount
            kind = "capture" if payment.kind == "payment" else "refund"
            rows.append((found.id, kind, payment.amount, f"import:{found.id.hex}:{number}"))
        for number, intent in enumerate(intents):
            await self._open(work, group_id, customer_id, currency, intent, "items" if number else "purchase")
        if rows:
            await work.run(_ROWS, *[list(column) for column in zip(*rows, strict=True)], currency, work.now)
            await self._book(work, group_id, merchant_id, currency, intents, rows)

    async def _open(
        self, work: Work, group_id: UUID, customer_id: UUID, currency: str, intent: _Intent, purpose: str
    ) -> None:
        method = intent.method
        card = method.gift_card_id
        await work.run(
            _INTENT,
            *(intent.id, group_id, customer_id, "gift_card" if card else "card", method.id, card, method.token),
            *(currency, intent.amount, intent.refunded, purpose),
            *(None if card else f"{REFERENCE}{intent.id.hex}", work.now),
        )

    async def _book(
        self,
        work: Work,
        group_id: UUID,
        merchant_id: UUID,
        currency: str,
        intents: Sequence[_Intent],
        rows: Sequence[tuple[UUID, str, int, str]],
    ) -> None:
        """The merchant's sales, and what gift cards paid or got back: those were filled by as much before."""
        (gateway,) = await self._ledger.accounts(work, "gateway", [None], currency)
        (sales,) = await self._ledger.accounts(work, "sales", [merchant_id], currency)
        cards = {intent.id: intent.method.gift_card_id for intent in intents}
        entries: list[tuple[str, UUID, UUID, UUID, int]] = []
        for intent, kind, amount, key in rows:
            paid = kind == "capture"
            entries.append((key, group_id, *((gateway, sales) if paid else (sales, gateway)), amount))
            if card := cards[intent]:
                (account,) = await self._ledger.accounts(work, "gift_card", [card], currency)
                pair = (account, gateway) if paid else (gateway, account)
                entries.append((f"{key}:card", group_id, *pair, amount))
                if paid:
                    await self._fill(work, card, amount, currency, f"{key}:issue")
                else:
                    await self._fill(work, card, -amount, currency, f"{key}:issue")
        await work.run(_BOOK, *[list(column) for column in zip(*entries, strict=True)], currency, work.now)

    async def _fill(self, work: Work, card_id: UUID, amount: int, currency: str, cause: str) -> None:
        """Books what was once put on a card (below zero: what it must not have had)."""
        if amount == 0:
            return
        (issued,) = await self._ledger.accounts(work, "issued", [None], currency)
        (account,) = await self._ledger.accounts(work, "gift_card", [card_id], currency)
        pair = (issued, account) if amount > 0 else (account, issued)
        await work.run(statements.TRANSFER, cause, card_id, *pair, abs(amount), currency, work.now)


def _holding(intents: Sequence[_Intent], payment: PastPayment) -> _Intent:
    for intent in reversed(intents):
        if intent.method.id == payment.method_id and intent.amount - intent.refunded >= payment.amount:
            return intent
    raise RefundTooHigh()


def _letters(value: UUID) -> str:
    """An id without long runs of digits, so that nothing in a token looks like a card's number."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in value.hex)
