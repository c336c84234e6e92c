"""What was brought in from elsewhere: jobs, the rows they could not take, and what the other system calls our things."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, laws, one_of, visible


class ImportJob(Base):
    """One file on its way in. `position` is the last line that is done: a job that was cut off goes on behind it."""

    __tablename__ = "integration_import_jobs"
    __table_args__ = (
        one_of("status", "running", "done"),
        CheckConstraint("position >= 0 and taken >= 0 and known >= 0 and refused >= 0", name="counts"),
        Index("uq_integration_import_jobs_file", "source", "digest", unique=True),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    digest: Mapped[str]
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    status: Mapped[str]
    position: Mapped[int]
    taken: Mapped[int]
    known: Mapped[int]
    refused: Mapped[int]
    actor: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RefusedRow(Base):
    """A line that could not be taken, and why; nothing of it was written."""

    __tablename__ = "integration_import_errors"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("integration_import_jobs.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    code: Mapped[str]
    message: Mapped[str] = mapped_column(info={"personal": True})


class ExternalReference(Base):
    """What another system calls a thing of ours: once per source, kind and id."""

    __tablename__ = "integration_external_references"
    __table_args__ = (Index("uq_integration_external_references_ours", "source", "kind", "internal_id", unique=True),)
    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    internal_id: Mapped[UUID]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("integration_import_jobs.id"), index=True)


laws("integration", *(law for table in ("jobs", "errors") for law in visible(f"integration_import_{table}", "false")))
