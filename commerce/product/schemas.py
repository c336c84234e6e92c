"""Commands, views and facts of the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from commerce.pricing import PriceFacts
from kernel.ids import MerchantId, PublicId, VariantId
from kernel.schemas import Code, Command, LongText, MoneyView, Text, View

ProductId = Annotated[UUID, PublicId("prd")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,80}$")]


def titled(name: str, options: Mapping[str, str]) -> str:
    """A variant as a person says it: its product's name, and what tells it from the others."""
    return f"{name} ({', '.join(options.values())})" if options else name


@dataclass(frozen=True, slots=True)
class Sellable:
    """A variant that may be sold in a channel now: what cart and order copy from it."""

    variant_id: UUID
    product_id: UUID
    merchant_id: UUID
    category_id: UUID
    sku: str
    name: str
    options: dict[str, str]
    weight_g: int
    tax_class: str

    @property
    def title(self) -> str:
        return titled(self.name, self.options)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a channel sells now, at which price, and how many units there are."""

    sold: Sellable
    price: PriceFacts
    available: int


class CreateCategory(Command):
    slug: Slug
    name: Text
    parent: Slug | None = None


class NewVariant(Command):
    sku: Code
    options: dict[Text, Text] = Field(default_factory=dict, max_length=5)
    weight_g: Annotated[int, Field(ge=0, le=1_000_000)]
    gtin: Annotated[str, StringConstraints(pattern=r"^[0-9]{8,14}$")] | None = None


class NewMedia(Command):
    url: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    alt: Text


class CreateProduct(Command):
    merchant_id: MerchantId
    slug: Slug
    name: Text
    description: LongText
    category: Slug
    brand: Text | None = None
    tax_class: Code = "standard"
    specifications: dict[Text, Text] = Field(default_factory=dict, max_length=40)
    tags: list[Text] = Field(default_factory=list, max_length=20)
    media: list[NewMedia] = Field(default_factory=list, max_length=20)
    variants: list[NewVariant] = Field(min_length=1, max_length=500)


class CategoryView(View):
    slug: str
    name: str
    parent: str | None


class MediaView(View):
    url: str
    alt: str


class VariantView(View):
    """`available` is how many units can be bought now; a variant without a price is not for sale here."""

    id: VariantId
    sku: str
    options: dict[str, str]
    price: MoneyView | None
    compare_at: MoneyView | None
    available: int


class ProductView(View):
    id: ProductId
    slug: str
    name: str
    description: str
    category: str
    brand: str | None
    merchant_id: MerchantId
    specifications: dict[str, str]
    media: list[MediaView]
    variants: list[VariantView]
