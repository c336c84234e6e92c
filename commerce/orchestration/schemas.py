"""Views of sagas and dead letters."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from kernel.ids import PublicId
from kernel.schemas import View

SagaId = Annotated[UUID, PublicId("sag")]
DeadLetterId = Annotated[UUID, PublicId("dlt")]
SagaStatus = Literal["running", "waiting", "compensating", "completed", "compensated", "stuck"]
LetterStatus = Literal["parked", "dead", "replayed", "dismissed"]


class StepView(View):
    """One phase of a step: what was asked and what came back. `intent` means that the outcome is not known yet."""

    name: str
    phase: str
    status: str
    key: str
    result: dict[str, Any] | None
    at: datetime


class SagaView(View):
    """`error` is the business reason it went back for; `cause` is why its last attempt failed."""

    id: SagaId
    kind: str
    subject_id: UUID
    status: str
    error: str | None
    cause: str | None
    attempts: int
    due_at: datetime
    deadline_at: datetime | None
    created_at: datetime
    updated_at: datetime
    steps: list[StepView] = Field(default_factory=list)


class DeadLetterView(View):
    id: DeadLetterId
    consumer: str
    type: str
    event_id: UUID
    key: UUID
    sequence: int
    status: str
    cause: str
    attempts: int
    created_at: datetime
    updated_at: datetime
