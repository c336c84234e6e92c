"""The inspector of what runs by itself: look at it, and give it another push."""

from typing import Any
from uuid import UUID

from commerce.orchestration.errors import SagaNotStuck, UnknownDeadLetter, UnknownSaga
from commerce.orchestration.permissions import OPERATE, READ_SAGAS
from commerce.orchestration.schemas import DeadLetterView, LetterStatus, SagaStatus, SagaView, StepView
from kernel.db import Work
from kernel.repository import Repository
from kernel.saga_store import steps_of
from kernel.schemas import Page
from kernel.tables import Base, DeadLetter, SagaInstance


class OrchestrationService:
    def __init__(self) -> None:
        self._sagas = Repository(SagaInstance)
        self._letters = Repository(DeadLetter)

    async def sagas(
        self, work: Work, status: SagaStatus | None = None, cursor: str | None = None, size: int = 20
    ) -> Page[SagaView]:
        """Sagas, newest first."""
        work.principal.require(READ_SAGAS)
        where = [self._sagas.table.c.status == status] if status else []
        rows, following = await self._sagas.page(work, *where, cursor=cursor, size=size)
        return Page(items=[SagaView(**_shown(row, SagaView)) for row in rows], next=following)

    async def saga(self, work: Work, saga_id: UUID) -> SagaView:
        """One saga with its steps in the order they happened. Raises UnknownSaga."""
        work.principal.require(READ_SAGAS)
        row = await self._sagas.get(work, saga_id)
        if row is None:
            raise UnknownSaga()
        steps = sorted(await steps_of(work, saga_id), key=lambda step: step["at"])
        fields = StepView.model_fields
        shown = [StepView(**{name: step[name] for name in fields}) for step in steps]
        return SagaView(**_shown(row, SagaView), steps=shown)

    async def sagas_of(self, work: Work, subject_id: UUID) -> list[SagaView]:
        """The sagas of a purchase, oldest first, each with its steps."""
        work.principal.require(READ_SAGAS)
        rows = await self._sagas.all(work, self._sagas.table.c.subject_id == subject_id)
        return [await self.saga(work, row.id) for row in rows]

    async def retry(self, work: Work, saga_id: UUID) -> SagaView:
        """Hands a stuck saga back to the workers, in the direction it was going. Raises UnknownSaga, SagaNotStuck."""
        work.principal.require(OPERATE)
        moved = await work.run(
            "update saga_instances set status = case when error is null then 'running' else 'compensating' end, "
            "attempts = 0, due_at = clock_timestamp(), version = version + 1, updated_at = $2 "
            "where id = $1 and status = 'stuck'",
            *(saga_id, work.now),
        )
        found = await self.saga(work, saga_id)
        if not moved:
            raise SagaNotStuck(status=found.status)
        return found

    async def dead_letters(
        self, work: Work, status: LetterStatus | None = "dead", cursor: str | None = None, size: int = 20
    ) -> Page[DeadLetterView]:
        """Messages whose effect failed, newest first."""
        work.principal.require(READ_SAGAS)
        where = [self._letters.table.c.status == status] if status else []
        rows, following = await self._letters.page(work, *where, cursor=cursor, size=size)
        return Page(items=[DeadLetterView(**_shown(row, DeadLetterView)) for row in rows], next=following)

    async def replay(self, work: Work, letter_id: UUID) -> None:
        """Lets the consumer try a message once more, through its inbox. Raises UnknownDeadLetter."""
        await self._release(work, letter_id, "parked")

    async def dismiss(self, work: Work, letter_id: UUID) -> None:
        """Gives a message up. Raises UnknownDeadLetter."""
        await self._release(work, letter_id, "dismissed")

    async def _release(self, work: Work, letter_id: UUID, status: str) -> None:
        work.principal.require(OPERATE)
        moved = await work.run(
            "update dead_letters set status = $2, retry_at = $3, updated_at = $3 "
            "where id = $1 and status in ('dead', 'parked')",
            *(letter_id, status, work.now),
        )
        if not moved:
            raise UnknownDeadLetter()


def _shown(row: Base, view: type[SagaView] | type[DeadLetterView]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in view.model_fields if name != "steps"}
