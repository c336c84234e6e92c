"""Payment: opens an intent with its risk score, and records what the gateway did. Only sagas call what moves money."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from commerce.payment import rules, statements
from commerce.payment.errors import (
    GiftCardTooLow,
    NoRiskCheck,
    PaymentTokenRefused,
    UnknownGiftCard,
    UnknownPaymentMethod,
)
from commerce.payment.events import (
    FraudReviewRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentFailed,
)
from commerce.payment.history import PaymentHistory
from commerce.payment.ledger import Ledger
from commerce.payment.permissions import ISSUE_GIFT_CARDS, OWN_METHODS, REVIEW_FRAUD
from commerce.payment.ports import Gateway, GatewayAnswer
from commerce.payment.refunds import Refunds
from commerce.payment.schemas import (
    AddPaymentMethod,
    GiftCardView,
    IssueGiftCard,
    NextAction,
    PaymentMethodView,
    PaymentView,
    ReviewView,
    Risk,
    Share,
    Tender,
)
from commerce.payment.tables import GiftCard, PaymentIntent, PaymentMethod
from kernel.consent import demand
from kernel.db import Work
from kernel.errors import Unauthenticated
from kernel.ids import new_id, public
from kernel.money import Money
from kernel.repository import Repository
from kernel.schemas import money

KINDS = ("card", "gift card")
"""What the shop takes, in words."""


class PaymentService:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.ledger = Ledger()
        self.refunds = Refunds(gateway, self.ledger)
        self.history = PaymentHistory(self.ledger)
        self.kinds = KINDS
        self._methods = Repository(PaymentMethod, "customer_id")

    # --- methods of a customer ---

    async def add_method(self, work: Work, command: AddPaymentMethod) -> PaymentMethodView:
        """Saves a card token or a gift card for the caller. Raises PaymentTokenRefused, UnknownGiftCard."""
        work.principal.require(OWN_METHODS)
        if work.principal.customer_id is None:
            raise Unauthenticated()
        card = None
        if command.gift_card_code:
            card = await self._gift_card(work, command.gift_card_code)
        elif not command.token or not self.gateway.accepts(command.token):
            raise PaymentTokenRefused()
        what = f"a gift card with {Money(card.balance, card.currency)} on it" if card else "a card"
        await demand(work, "payment.save_method", f"Save {what} as a way to pay?", **command.model_dump())
        method = PaymentMethod(
            id=new_id(),
            customer_id=work.principal.customer_id,
            kind="gift_card" if card else "card",
            brand=None if card else command.brand,
            last4=None if card else command.last4,
            token=None if card else command.token,
            gift_card_id=card.id if card else None,
            active=True,
            created_at=work.now,
        )
        await self._methods.add(work, method)
        return _view(method, card)

    async def methods(self, work: Work) -> list[PaymentMethodView]:
        """The caller's own, oldest first."""
        work.principal.require(OWN_METHODS)
        found = await self._methods.all(work, self._methods.table.c.active)
        cards = {}
        if ids := [m.gift_card_id for m in found if m.gift_card_id]:
            rows = await work.rows("select * from payment_gift_cards where id = any($1)", ids)
            cards = {row["id"]: GiftCard(**dict(row)) for row in rows}
        return [_view(m, cards.get(m.gift_card_id) if m.gift_card_id else None) for m in found]

    async def chosen(self, work: Work, wish: str) -> PaymentMethodView:
        """The saved method a person means: by id, last four digits, kind, or the first one. Raises UnknownPaymentMethod."""
        found = await self.methods(work)
        wanted = wish.strip().lower()
        mine = [
            m
            for m in found
            if wanted in ("", "default", m.last4, m.brand, m.kind.replace("_", " "), public("pm", m.id))
        ]
        if not mine:
            raise UnknownPaymentMethod()
        return mine[0]

    async def tender(self, work: Work, method_id: UUID | None, token: str | None) -> Tender:
        """How this checkout pays: the caller's saved method, or a token. Raises UnknownPaymentMethod."""
        if method_id is None:
            if token is None or not self.gateway.accepts(token):
                raise PaymentTokenRefused()
            return Tender("card", token)
        method = await self._methods.get(work, method_id)
        if method is None or not method.active:
            raise UnknownPaymentMethod()
        if method.kind == "gift_card":
            return Tender("gift_card", None, method.id, method.gift_card_id, method.customer_id)
        return Tender("card", method.token, method.id, None, method.customer_id)

    async def called(self, work: Work, tender: Tender | None) -> str:
        """How a person calls a way to pay: "the Visa ending in 4242", "the gift card"."""
        if tender is None:
            return "the way it was paid"
        if tender.kind == "gift_card":
            return "the gift card"
        method = await self._methods.get(work, tender.method_id) if tender.method_id else None
        return _called(method) if method else "the card"

    async def _gift_card(self, work: Work, code: str) -> GiftCard:
        row = await work.row("select * from payment_gift_cards where code_hash = $1", _hash(code))
        if row is None:
            raise UnknownGiftCard()
        return GiftCard(**dict(row))

    async def issue_gift_card(self, work: Work, command: IssueGiftCard) -> GiftCardView:
        """A new gift card; its code is shown here and never again."""
        work.principal.require(ISSUE_GIFT_CARDS)
        code = secrets.token_hex(8).upper()
        card = GiftCard(
            id=new_id(),
            code_hash=_hash(code),
            currency=command.currency,
            balance=command.amount,
            created_at=work.now,
        )
        await Repository(GiftCard).add(work, card)
        await self._issued(work, card.id, Money(command.amount, command.currency))
        return GiftCardView(code=code, balance=money(command.amount, command.currency))

    async def grant(self, work: Work, customer_id: UUID, amount: Money, card_id: UUID) -> None:
        """A gift card that a customer finds among their ways to pay; nobody ever sees a code. Idempotent by `card_id`."""
        work.principal.require(ISSUE_GIFT_CARDS)
        made = await work.run(
            "insert into payment_gift_cards (id, code_hash, currency, balance, created_at) values ($1, $2, $3, $4, $5) "
            "on conflict (id) do nothing",
            *(card_id, _hash(secrets.token_hex(16)), amount.currency, amount.minor, work.now),
        )
        if not made:
            return
        await self._issued(work, card_id, amount)
        method = PaymentMethod(
            id=new_id(),
            customer_id=customer_id,
            kind="gift_card",
            brand=None,
            last4=None,
            token=None,
            gift_card_id=card_id,
            active=True,
            created_at=work.now,
        )
        await self._methods.add(work, method)

    async def _issued(self, work: Work, card_id: UUID, amount: Money) -> None:
        (issued,) = await self.ledger.accounts(work, "issued", [None], amount.currency)
        (account,) = await self.ledger.accounts(work, "gift_card", [card_id], amount.currency)
        cause = f"issue:{card_id.hex}"
        await work.run(statements.TRANSFER, cause, card_id, issued, account, amount.minor, amount.currency, work.now)

    # --- the intent of a checkout ---

    async def open(self, work: Work, reference_id: UUID, amount: Money, tender: Tender) -> tuple[UUID, Risk]:
        """The intent of a group with its risk score. A gift card pays at once, guarded by its balance.

        Emits FraudReviewRequested in the grey zone. Raises GiftCardTooLow.
        """
        who = work.principal
        recent = 0  # a guest's token costs nothing, so counting by it would catch nobody
        if who.customer_id:
            recent = await work.value(statements.RECENT, who.customer_id, work.now - timedelta(hours=1))
        risk = rules.assess(amount.minor, who.customer_id is None, recent)
        intent = new_id()
        token, kind = tender.token, tender.kind
        await work.run(
            statements.OPEN,
            *(intent, reference_id, who.customer_id, who.guest_key, kind, tender.method_id, tender.gift_card_id, token),
            *(amount.currency, amount.minor, work.now, risk.score, list(risk.reasons), risk.decision),
        )
        if tender.gift_card_id:
            await self._spend_gift_card(work, reference_id, tender.gift_card_id, amount, f"spend:{reference_id.hex}")
        if risk.decision == "review":
            work.emit(FraudReviewRequested(intent_id=intent, reference_id=reference_id, score=risk.score))
        return intent, risk

    async def open_change(
        self,
        work: Work,
        group_id: UUID,
        buyer: tuple[UUID | None, bytes | None],
        amount: Money,
        tender: Tender,
        purpose: Literal["items", "payment"],
    ) -> UUID:
        """A further payment of a purchase that was accepted before, of its `buyer` (customer id, guest key).

        A gift card pays at once. Raises GiftCardTooLow."""
        intent = new_id()
        await work.run(
            statements.OPEN_CHANGE,
            *(intent, group_id, *buyer, tender.kind, tender.method_id, tender.gift_card_id),
            *(tender.token, amount.currency, amount.minor, work.now, purpose),
        )
        if tender.gift_card_id:
            await self._spend_gift_card(work, group_id, tender.gift_card_id, amount, f"spend:{intent.hex}")
        return intent

    async def _spend_gift_card(self, work: Work, reference_id: UUID, card_id: UUID, amount: Money, cause: str) -> None:
        if not await work.value(statements.SPEND_GIFT_CARD, card_id, amount.minor, amount.currency):
            raise GiftCardTooLow()
        (card,) = await self.ledger.accounts(work, "gift_card", [card_id], amount.currency)
        (gateway,) = await self.ledger.accounts(work, "gateway", [None], amount.currency)
        await work.run(statements.TRANSFER, cause, reference_id, card, gateway, amount.minor, amount.currency, work.now)

    async def intent_of(self, work: Work, reference_id: UUID) -> PaymentIntent | None:
        who = work.principal
        row = await work.row(statements.INTENT, reference_id, who.is_staff, who.customer_id, who.guest_key)
        return PaymentIntent.of(dict(row)) if row else None

    async def view(self, work: Work, reference_id: UUID) -> PaymentView | None:
        intent = await self.intent_of(work, reference_id)
        if intent is None:
            return None
        action = NextAction(url=intent.next_action_url) if intent.next_action_url else None
        paid_else = intent.status == "refunded" and any(p.left for p in await self.refunds.payments(work, reference_id))
        return PaymentView(
            status="captured" if paid_else else intent.status,
            amount=money(intent.amount, intent.currency),
            failure=intent.failure,
            next_action=action,
        )

    # --- risk ---

    async def risk(self, work: Work, intent: UUID) -> str:
        """What was decided about an intent: accept, reject, or review (nobody decided yet)."""
        found: str = await work.value("select decision from payment_fraud_checks where intent_id = $1", intent)
        return found

    async def review_case(self, work: Work, group_id: UUID) -> ReviewView:
        """Why a purchase is, or was, looked at. Raises NoRiskCheck."""
        work.principal.require(REVIEW_FRAUD)
        row = await work.row(statements.CASE, group_id)
        if row is None:
            raise NoRiskCheck()
        facts = dict(row)
        return ReviewView(**{**facts, "amount": money(facts["amount"], facts.pop("currency"))})

    async def check(self, work: Work, intent: UUID) -> Risk | None:
        """The score of an intent, its reasons, and what was decided so far."""
        row = await work.row("select score, reasons, decision from payment_fraud_checks where intent_id = $1", intent)
        return Risk(row["score"], tuple(row["reasons"]), row["decision"]) if row else None

    async def decide(self, work: Work, intent: UUID, accept: bool, decided_by: str) -> bool:
        """Settles a check of the grey zone, once; False when there was nothing to settle."""
        decided = await work.run(
            "update payment_fraud_checks set decision = $2, decided_by = $3, at = $4 "
            "where intent_id = $1 and decision = 'review'",
            *(intent, "accept" if accept else "reject", decided_by, work.now),
        )
        return decided == 1

    # --- what the gateway did, recorded by sagas ---

    async def authorised(
        self, work: Work, intent: UUID, group: UUID, amount: Money, key: str, answer: GatewayAnswer
    ) -> None:
        moved = await work.value(statements.AUTHORISED, intent, key, answer.reference, work.now)
        if moved:
            work.emit(
                PaymentAuthorized(intent_id=intent, reference_id=group, amount=amount.minor, currency=amount.currency)
            )

    async def needs_action(self, work: Work, intent: UUID, answer: GatewayAnswer) -> None:
        await work.run(statements.ACTION, intent, answer.reference, answer.action_url, work.now)

    async def declined(self, work: Work, intent: UUID, group: UUID, key: str, answer: GatewayAnswer) -> None:
        failure = answer.failure or "declined"
        if await work.value(statements.DECLINED, intent, key, answer.reference, work.now, failure):
            work.emit(PaymentFailed(intent_id=intent, reference_id=group, failure=failure))

    async def fail(self, work: Work, intent: UUID, group: UUID, failure: str) -> None:
        """Ends an intent that no gateway will hear of again (refused risk, challenge not answered in time)."""
        if await work.value(statements.FAILED, intent, failure, work.now):
            work.emit(PaymentFailed(intent_id=intent, reference_id=group, failure=failure))

    async def captured(
        self,
        work: Work,
        intent: UUID,
        group: UUID,
        amount: Money,
        shares: Sequence[Share],
        key: str,
        reference: str | None,
    ) -> None:
        """Books a capture: the gateway owes us, we owe the merchants their shares. Emits PaymentCaptured, once."""
        accounts = await self.ledger.accounts(work, "sales", [s.merchant_id for s in shares], amount.currency)
        (gateway,) = await self.ledger.accounts(work, "gateway", [None], amount.currency)
        moved = await work.value(
            statements.CAPTURED,
            *(intent, key, reference, work.now, f"capture:{intent.hex}", gateway, accounts, [s.amount for s in shares]),
        )
        if moved:
            work.emit(
                PaymentCaptured(intent_id=intent, reference_id=group, amount=amount.minor, currency=amount.currency)
            )

    async def notice(self, work: Work, event_id: str, kind: str, reference: str, body: dict[str, str]) -> UUID | None:
        """A gateway's webhook: the group it is about, the first time; None for a repetition or an unknown charge."""
        fresh = await work.run(
            "insert into payment_webhook_events (gateway, event_id, type, gateway_reference, body, received_at) "
            "values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            *(self.gateway.name, event_id, kind, reference, body, work.now),
        )
        if not fresh:
            return None
        found: UUID | None = await work.value(
            "select reference_id from payment_intents where gateway_reference = $1", reference
        )
        return found

    async def voided(self, work: Work, intent: UUID, key: str, reference: str | None) -> None:
        await work.run(statements.VOIDED, intent, key, reference, work.now)


def _called(method: PaymentMethod) -> str:
    brand = (method.brand or method.kind).capitalize()
    return f"the {brand} ending in {method.last4}" if method.last4 else f"the {brand} account"


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.strip().upper().encode()).digest()


def _view(method: PaymentMethod, card: GiftCard | None) -> PaymentMethodView:
    balance = money(card.balance, card.currency) if card else None
    return PaymentMethodView(id=method.id, kind=method.kind, brand=method.brand, last4=method.last4, balance=balance)
