"""What payment tells others. Amounts are minor units."""

from uuid import UUID

from kernel.events import Event


class PaymentAuthorized(Event):
    topic = "payment"
    aggregate = "intent_id"

    intent_id: UUID
    reference_id: UUID
    amount: int
    currency: str


class PaymentCaptured(Event):
    topic = "payment"
    aggregate = "intent_id"

    intent_id: UUID
    reference_id: UUID
    amount: int
    currency: str


class PaymentFailed(Event):
    topic = "payment"
    aggregate = "intent_id"

    intent_id: UUID
    reference_id: UUID
    failure: str


class PaymentRefunded(Event):
    topic = "payment"
    aggregate = "intent_id"

    intent_id: UUID
    reference_id: UUID
    amount: int
    currency: str


class FraudReviewRequested(Event):
    topic = "payment"
    aggregate = "intent_id"

    intent_id: UUID
    reference_id: UUID
    score: int
