"""The catalogue: products of merchants, their variants, and where and when they are shown."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from kernel.tables import Base, Json, laws, one_of


class Category(Base):
    __tablename__ = "product_categories"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_categories.id"), index=True)


class Brand(Base):
    __tablename__ = "product_brands"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (
        Index("ix_products_words", "words", postgresql_using="gin"),
        Index("ix_products_name_trgm", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    category_id: Mapped[UUID] = mapped_column(ForeignKey("product_categories.id"), index=True)
    brand_id: Mapped[UUID | None] = mapped_column(ForeignKey("product_brands.id"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str]
    tax_class: Mapped[str]
    specifications: Mapped[Json]
    tags: Mapped[list[str]]
    suspended: Mapped[bool] = mapped_column(server_default="false")
    """Its merchant may not sell at the moment."""
    words: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english'::regconfig, name), 'A') || "
            "setweight(to_tsvector('english'::regconfig, tags::text), 'B') || "
            "setweight(to_tsvector('english'::regconfig, description), 'C')",
            persisted=True,
        ),
    )
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Variant(Base):
    """What is bought: a product with its options chosen."""

    __tablename__ = "product_variants"
    __table_args__ = (
        Index("uq_product_variants_options", "product_id", "options", unique=True, postgresql_where="active"),
        CheckConstraint("weight_g >= 0", name="weight"),
        CheckConstraint("gtin is null or gtin ~ '^[0-9]{8,14}$'", name="gtin"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    sku: Mapped[str] = mapped_column(unique=True)
    options: Mapped[Json]
    weight_g: Mapped[int]
    gtin: Mapped[str | None]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class Media(Base):
    __tablename__ = "product_media"
    __table_args__ = (one_of("kind", "image"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), index=True)
    kind: Mapped[str]
    url: Mapped[str]
    alt: Mapped[str]
    position: Mapped[int]


class ChannelListing(Base):
    """A product is shown in a channel from `published_at` until `unpublished_at`."""

    __tablename__ = "product_channel_listings"
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id"), primary_key=True, index=True)
    published_at: Mapped[datetime]
    unpublished_at: Mapped[datetime | None]


laws(
    "product",
    # A category may not be its own ancestor.
    """create function agora_no_category_cycle() returns trigger language plpgsql as $$
begin
  if exists (
    with recursive up as (
      select new.parent_id as id union
      select c.parent_id from product_categories c join up on c.id = up.id where c.parent_id is not null
    ) select from up where id = new.id
  ) then
    raise exception 'category % would be its own ancestor', new.slug
      using errcode = 'check_violation', constraint = 'product_categories_cycle';
  end if;
  return new;
end $$""",
    "create trigger product_categories_cycle before insert or update of parent_id on product_categories "
    "for each row when (new.parent_id is not null) execute function agora_no_category_cycle()",
)
