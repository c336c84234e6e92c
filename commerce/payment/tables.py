"""Money: how a customer pays, what was asked of the gateway, and the ledger that says where it is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import (
    OWN_CUSTOMER,
    OWN_GUEST,
    Base,
    Json,
    append_only,
    laws,
    one_of,
    partitioned,
    visible,
)


class PaymentMethod(Base):
    """A way to pay that a customer saved: a gateway's token, never a card number."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        one_of("kind", "card", "wallet", "gift_card"),
        CheckConstraint("last4 is null or last4 ~ '^[0-9]{4}$'", name="last4"),
        CheckConstraint("(kind <> 'gift_card') = (token is not null)", name="token"),
        CheckConstraint("(kind = 'gift_card') = (gift_card_id is not null)", name="gift_card"),
        CheckConstraint("token !~ '[0-9]{12,}'", name="no_card_number"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    token: Mapped[str | None]
    gift_card_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_gift_cards.id"), index=True)
    active: Mapped[bool]
    created_at: Mapped[datetime]


class GiftCard(Base):
    """A balance the marketplace owes the holder of the code; `balance` is its ledger account, kept for the guard."""

    __tablename__ = "payment_gift_cards"
    __table_args__ = (CheckConstraint("balance >= 0", name="balance"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    currency: Mapped[str]
    balance: Mapped[int]
    created_at: Mapped[datetime]


class PaymentIntent(Base):
    """A payment: what a purchase, or a later change of it, has to pay, and how far that got.

    One per order group pays the purchase. `refunding` is promised back and still on its way to the gateway."""

    __tablename__ = "payment_intents"
    __table_args__ = (
        Index("ix_payment_intents_reference_id", "reference_id"),
        Index("uq_payment_intents_purchase", "reference_id", unique=True, postgresql_where="purpose = 'purchase'"),
        one_of("purpose", "purchase", "items", "payment"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("captured <= authorised and authorised <= amount", name="captured"),
        CheckConstraint("refunded >= 0 and refunding >= 0 and refunded + refunding <= captured", name="refunded"),
        one_of("kind", "card", "gift_card", "free"),
        one_of("status", "processing", "requires_action", "authorised", "captured", "failed", "voided", "refunded"),
        {"postgresql_with": {"fillfactor": "70"}},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference_id: Mapped[UUID]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"), index=True)
    guest_key: Mapped[bytes | None]
    kind: Mapped[str]
    method_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_methods.id"), index=True)
    gift_card_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_gift_cards.id"), index=True)
    token: Mapped[str | None]
    currency: Mapped[str]
    amount: Mapped[int]
    authorised: Mapped[int]
    captured: Mapped[int]
    refunded: Mapped[int]
    refunding: Mapped[int] = mapped_column(server_default="0")
    purpose: Mapped[str] = mapped_column(server_default="purchase")
    status: Mapped[str]
    gateway_reference: Mapped[str | None] = mapped_column(index=True)
    next_action_url: Mapped[str | None]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PaymentTransaction(Base):
    """One thing the gateway did, append-only. `key` is the idempotency key it was asked with."""

    __tablename__ = "payment_transactions"
    __table_args__ = (
        one_of("kind", "authorise", "capture", "void", "refund"),
        one_of("outcome", "succeeded", "declined"),
        Index("ix_payment_transactions_intent_id", "intent_id"),
        partitioned("payment_transactions"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    intent_id: Mapped[UUID] = mapped_column(ForeignKey("payment_intents.id"))
    kind: Mapped[str]
    outcome: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    key: Mapped[str]
    gateway_reference: Mapped[str | None]
    at: Mapped[datetime]


class PaymentRefund(Base):
    """Money of a captured payment that goes back: promised in the transaction that decides it, booked once it is there.

    To the payment's own method, or where `method_id` names another one (of its gift card, `gift_card_id`), to that.
    `cause` is why: the same cause never gives back twice."""

    __tablename__ = "payment_refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        one_of("status", "promised", "done", "dropped"),
        Index("ix_payment_refunds_reference_id", "reference_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    intent_id: Mapped[UUID] = mapped_column(ForeignKey("payment_intents.id"), index=True)
    reference_id: Mapped[UUID]
    cause: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[int]
    currency: Mapped[str]
    method_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_methods.id"), index=True)
    gift_card_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_gift_cards.id"), index=True)
    status: Mapped[str]
    gateway_reference: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class FraudCheck(Base):
    """The score of an intent (0 to 100), why, and what was decided: by rule, or by a review of the grey zone."""

    __tablename__ = "payment_fraud_checks"
    __table_args__ = (
        CheckConstraint("score between 0 and 100", name="score"),
        one_of("decision", "accept", "review", "reject"),
    )
    intent_id: Mapped[UUID] = mapped_column(ForeignKey("payment_intents.id"), primary_key=True)
    score: Mapped[int]
    reasons: Mapped[list[str]]
    decision: Mapped[str]
    decided_by: Mapped[str]
    at: Mapped[datetime]


class WebhookEvent(Base):
    """A gateway's notice, once: a repeated id changes nothing."""

    __tablename__ = "payment_webhook_events"
    gateway: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    gateway_reference: Mapped[str] = mapped_column(index=True)
    body: Mapped[Json]
    received_at: Mapped[datetime]


class LedgerAccount(Base):
    """`gateway`: money at the gateway. `sales`: owed to a merchant. `gift_card`: owed to a holder. `issued`: cards sold."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        one_of("kind", "gateway", "sales", "gift_card", "issued"),
        UniqueConstraint("kind", "owner_id", "currency", postgresql_nulls_not_distinct=True),
        UniqueConstraint("id", "currency"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    owner_id: Mapped[UUID | None]
    currency: Mapped[str]


class LedgerEntry(Base):
    """One transfer, debit and credit in one row: the ledger balances by its shape, per currency by its foreign keys.

    `cause` says which fact moved the money, once: the same fact can never be booked twice (ADR 0009).
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("cause", "debit_id", "credit_id"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        ForeignKeyConstraint(
            ["debit_id", "currency"], ["ledger_accounts.id", "ledger_accounts.currency"], name="fk_ledger_entries_debit"
        ),
        ForeignKeyConstraint(
            ["credit_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_ledger_entries_credit",
        ),
        Index("ix_ledger_entries_debit_id_currency", "debit_id", "currency"),
        Index("ix_ledger_entries_credit_id_currency", "credit_id", "currency"),
        Index("ix_ledger_entries_reference_id", "reference_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    reference_id: Mapped[UUID]
    debit_id: Mapped[UUID]
    credit_id: Mapped[UUID]
    amount: Mapped[int]
    currency: Mapped[str]
    at: Mapped[datetime]


append_only("ledger_entries")
append_only("payment_transactions")
laws(
    "payment",
    *visible("payment_methods", OWN_CUSTOMER),
    *visible("payment_intents", f"{OWN_CUSTOMER} or {OWN_GUEST}"),
    *visible("payment_refunds", "exists (select from payment_intents i where i.id = intent_id)"),
)


class SimulatorCharge(Base):
    """The gateway simulator's own books (it stands for another company's database): one row per authorisation key."""

    __tablename__ = "simulator_charges"
    __table_args__ = (one_of("status", "authorised", "declined", "requires_action", "credited"),)
    reference: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    failure: Mapped[str | None]
    asked: Mapped[int]
    description: Mapped[str]
    at: Mapped[datetime]


class SimulatorOperation(Base):
    """A capture, void or refund the simulator did: once per key."""

    __tablename__ = "simulator_operations"
    key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(ForeignKey("simulator_charges.reference"), index=True)
    kind: Mapped[str]
    amount: Mapped[int]
    at: Mapped[datetime]


class SimulatorWebhook(Base):
    """A notice the simulator still has to deliver; the same event id may stand here twice."""

    __tablename__ = "simulator_webhooks"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    type: Mapped[str]
    reference: Mapped[str] = mapped_column(ForeignKey("simulator_charges.reference"), index=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int]
