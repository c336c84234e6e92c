"""The caller's feed."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.notification.permissions import READ_FEED
from commerce.notification.schemas import NotificationId, NotificationView
from kernel.schemas import Page

router = APIRouter(prefix="/v1/me/notifications", tags=["notification"])
Feed = Annotated[Edge, needs(READ_FEED)]


@router.get("", response_model=Page[NotificationView])
async def feed(
    edge: Feed,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """What the caller was told, newest first: as a customer, and as a member of a shop."""
    return await edge.run(lambda work: edge.commerce.notification.page(work, cursor, size))


@router.post("/{notification_id}/read", status_code=204)
async def read(notification_id: NotificationId, edge: Feed) -> Response:
    return await edge.once(lambda work: edge.commerce.notification.read(work, notification_id), 200)
