"""Shops: who sells here, and whether they may right now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, one_of


class Merchant(Base):
    __tablename__ = "merchants"
    __table_args__ = (
        one_of("status", "applied", "active", "suspended", "terminated"),
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]*$'", name="slug"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    legal_name: Mapped[str]
    description: Mapped[str]
    support_email: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
