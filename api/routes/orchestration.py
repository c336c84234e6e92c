"""The inspector: sagas and dead letters, for those who operate the shop."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.orchestration.permissions import OPERATE, READ_SAGAS
from commerce.orchestration.schemas import DeadLetterId, DeadLetterView, LetterStatus, SagaId, SagaStatus, SagaView
from kernel.schemas import Page

router = APIRouter(prefix="/v1", tags=["orchestration"])
Read = Annotated[Edge, needs(READ_SAGAS)]
Operate = Annotated[Edge, needs(OPERATE)]
Cursor = Annotated[str | None, Query(max_length=64)]
Size = Annotated[int, Query(ge=1, le=100)]


@router.get("/sagas", response_model=Page[SagaView])
async def sagas(edge: Read, status: SagaStatus | None = None, cursor: Cursor = None, size: Size = 20) -> Response:
    """Sagas, newest first; `status=stuck` are those that wait for a person."""
    return await edge.run(lambda work: edge.commerce.orchestration.sagas(work, status, cursor, size))


@router.get("/sagas/{saga_id}", response_model=SagaView)
async def saga(saga_id: SagaId, edge: Read) -> Response:
    return await edge.run(lambda work: edge.commerce.orchestration.saga(work, saga_id))


@router.post("/sagas/{saga_id}/retry", response_model=SagaView)
async def retry(saga_id: SagaId, edge: Operate) -> Response:
    """Hands a stuck saga back to the workers."""
    return await edge.once(lambda work: edge.commerce.orchestration.retry(work, saga_id), 200)


@router.get("/dead-letters", response_model=Page[DeadLetterView])
async def dead_letters(
    edge: Read, status: LetterStatus | None = "dead", cursor: Cursor = None, size: Size = 20
) -> Response:
    """Messages whose effect failed, newest first."""
    return await edge.run(lambda work: edge.commerce.orchestration.dead_letters(work, status, cursor, size))


@router.post("/dead-letters/{letter_id}/replay", status_code=204)
async def replay(letter_id: DeadLetterId, edge: Operate) -> Response:
    """Lets the consumer try once more; its inbox keeps the effect from happening twice."""
    return await edge.once(lambda work: edge.commerce.orchestration.replay(work, letter_id), 200)


@router.post("/dead-letters/{letter_id}/dismiss", status_code=204)
async def dismiss(letter_id: DeadLetterId, edge: Operate) -> Response:
    return await edge.once(lambda work: edge.commerce.orchestration.dismiss(work, letter_id), 200)
