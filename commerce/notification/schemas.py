"""Facts and views of notification."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from kernel.ids import PublicId
from kernel.schemas import View

NotificationId = Annotated[UUID, PublicId("ntf")]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell one reader: a line in the feed of the customer or merchant, and a mail where there is an address.

    `cause` names the fact, such as the id of its event: nobody is told twice of one."""

    cause: str
    kind: str
    title: str
    text: str
    customer_id: UUID | None = None
    merchant_id: UUID | None = None
    email: str | None = None
    subject: str = ""
    mail: str = ""


class NotificationView(View):
    id: NotificationId
    kind: str
    title: str
    text: str
    read: bool
    created_at: datetime


class Sighting(View):
    """That a carrier saw something of a parcel; its own words stay with people."""

    kind: str
    at: datetime


class ParcelCase(View):
    """A parcel as those who look after it see it; `trouble` is what is wrong with it, if anything is."""

    parcel: str
    order: str
    carrier: str
    tracking: str
    status: str
    trouble: str | None
    promised_on: date | None
    replaced: bool
    history: list[Sighting]
