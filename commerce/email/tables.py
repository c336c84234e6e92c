"""E-mail that was or will be sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, laws, one_of, visible


class EmailMessage(Base):
    __tablename__ = "email_messages"
    __table_args__ = (
        UniqueConstraint("cause", "recipient"),
        one_of("status", "queued", "sent", "failed"),
        Index("ix_email_messages_due", "due_at", postgresql_where="status = 'queued'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str]
    recipient: Mapped[str] = mapped_column(info={"personal": True})
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(info={"personal": True})
    status: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


laws("email", *visible("email_messages", "false"))
