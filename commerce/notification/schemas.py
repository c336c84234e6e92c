"""Views of notification."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from kernel.ids import PublicId
from kernel.schemas import View

NotificationId = Annotated[UUID, PublicId("ntf")]


class NotificationView(View):
    id: NotificationId
    kind: str
    title: str
    text: str
    read: bool
    created_at: datetime
