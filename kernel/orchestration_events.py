"""Events the kernel's own machinery emits; the orchestration agent wakes on them."""

from uuid import UUID

from kernel.events import Event


class SagaStuck(Event):
    topic = "orchestration"
    aggregate = "saga_id"

    saga_id: UUID
    kind: str
    subject_id: UUID
    cause: str


class DeadLetterAdded(Event):
    topic = "orchestration"
    aggregate = "message_key"

    message_key: UUID
    dead_letter_id: UUID
    consumer: str
    type: str
