"""What changed among the things that can be found by meaning: one row per document, in the order of the last change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, laws, one_of, visible


class RecallChange(Base):
    """The latest change of one document. Revisions are given out one transaction at a time, so whoever has read up to
    one has missed none before it. A `barred` document is never indexed again: its person was erased."""

    __tablename__ = "recall_changes"
    __table_args__ = (one_of("collection", "articles", "products", "tickets"),)
    collection: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(unique=True)
    barred: Mapped[bool] = mapped_column(server_default="false")
    at: Mapped[datetime]


laws("recall", "create sequence recall_revision_seq", *visible("recall_changes", "false"))
