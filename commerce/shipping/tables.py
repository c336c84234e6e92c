"""How a purchase gets to its buyer: methods and what they cost by country and weight."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base


class ShippingMethod(Base):
    __tablename__ = "shipping_methods"
    __table_args__ = (CheckConstraint("min_days >= 0 and max_days >= min_days", name="days"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    min_days: Mapped[int]
    max_days: Mapped[int]


class ShippingRate(Base):
    """Price of a method in a country (`*` is everywhere else) up to a weight; free from a subtotal on."""

    __tablename__ = "shipping_rates"
    __table_args__ = (
        UniqueConstraint("method_id", "country", "currency", "up_to_g"),
        CheckConstraint("minor >= 0 and up_to_g > 0", name="minor"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    method_id: Mapped[UUID] = mapped_column(ForeignKey("shipping_methods.id"))
    country: Mapped[str]
    currency: Mapped[str]
    up_to_g: Mapped[int]
    minor: Mapped[int]
    free_from_minor: Mapped[int | None]
