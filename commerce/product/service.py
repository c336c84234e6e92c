"""The catalogue: what merchants offer, what a channel shows, and what may be sold right now."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from commerce.inventory import InventoryService, units
from commerce.pricing import ChannelFacts, OwnVariant, PriceFacts, PricingService, lowest_price
from commerce.product.errors import (
    CategoryCycle,
    CategoryTaken,
    NotPublishable,
    OptionsTaken,
    ProductSlugTaken,
    SkuTaken,
    UnknownCategory,
    UnknownProduct,
    UnknownShop,
)
from commerce.product.events import ProductCreated, ProductPublished, ProductUnpublished
from commerce.product.permissions import WRITE_CATEGORIES, WRITE_PRODUCTS
from commerce.product.schemas import (
    CategoryView,
    CreateCategory,
    CreateProduct,
    MediaView,
    Offer,
    ProductView,
    Sellable,
    VariantView,
)
from commerce.product.storefront import LISTING, MEDIA, PUBLISHED, VARIANTS, page_of
from commerce.product.tables import Category, Media, Product, Variant
from kernel.db import Record, Work, law
from kernel.errors import Forbidden
from kernel.ids import new_id, parse, public
from kernel.repository import Repository
from kernel.schemas import Page, money

# Variants are looked up one by one (`limit`), whatever the planner knew of the tables when it made its one plan.
_OFFERS = f"""
select v.id, v.product_id, p.merchant_id, p.category_id, v.sku, p.name, v.options, v.weight_g, p.tax_class,
       lowest.minor, lowest.compare_at_minor, ({units("v.id")}) as available
from unnest($3::uuid[], $4::bigint[]) wanted(variant_id, quantity)
cross join lateral (select * from product_variants where id = wanted.variant_id and active limit 1) v
join products p on p.id = v.product_id
join product_channel_listings l on l.product_id = p.id and l.channel_id = $1 and {PUBLISHED}
cross join lateral ({lowest_price("v.id", "wanted.quantity", "$1", "$2")}) lowest
"""

_TEXTS = """
select p.id, p.name, concat_ws(E'\\n\\n', p.description, (
         select string_agg(key || ': ' || value, ', ' order by key) from jsonb_each_text(p.specifications)
       ), 'Category: ' || c.name) as text
from products p join product_categories c on c.id = p.category_id
where p.id = any($1) and not p.suspended and exists (
  select from product_channel_listings l where l.product_id = p.id and l.published_at <= $2
    and (l.unpublished_at is null or l.unpublished_at > $2))
"""


class ProductService:
    def __init__(self, pricing: PricingService, inventory: InventoryService) -> None:
        self._pricing = pricing
        self._inventory = inventory
        self._products = Repository(Product)
        self._variants = Repository(Variant)
        self._media = Repository(Media)
        self._categories = Repository(Category)

    # --- what others build on ---

    async def offers(self, work: Work, channel: ChannelFacts, wanted: Mapping[UUID, int]) -> dict[UUID, Offer]:
        """What the channel sells now of `wanted` (units by variant), at which price for so many, and how many there are;
        a missing one is not for sale. One statement."""
        rows = await work.rows(_OFFERS, channel.id, work.now, list(wanted), list(wanted.values()))
        return {row["id"]: _offer(row, channel.currency) for row in rows}

    async def kinds(self, work: Work, variant_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, UUID]]:
        """Product and category of variants, sold or not."""
        rows = await work.rows(
            "select v.id, p.id as product_id, p.category_id from product_variants v "
            "join products p on p.id = v.product_id where v.id = any($1)",
            list(variant_ids),
        )
        return {row["id"]: (row["product_id"], row["category_id"]) for row in rows}

    async def names(self, work: Work, variant_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str, dict[str, str]]]:
        """SKU, product name and options of variants, sold or not."""
        rows = await work.rows(
            "select v.id, v.sku, p.name, v.options from product_variants v join products p on p.id = v.product_id "
            "where v.id = any($1)",
            list(variant_ids),
        )
        return {row["id"]: (row["sku"], row["name"], row["options"]) for row in rows}

    async def texts(self, work: Work, product_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
        """Name and description, with specifications, of those of `product_ids` that are shown in any channel."""
        rows = await work.rows(_TEXTS, list(product_ids), work.now)
        return {row["id"]: (row["name"], row["text"]) for row in rows}

    async def text_ids(self, work: Work, after: UUID | None, most: int) -> list[UUID]:
        """All products, in id order."""
        rows = await work.rows(
            "select id from products where $1::uuid is null or id > $1 order by id limit $2", after, most
        )
        return [row["id"] for row in rows]

    # --- the storefront ---

    async def page(
        self,
        work: Work,
        channel: ChannelFacts,
        q: str | None = None,
        category: str | None = None,
        cursor: str | None = None,
        size: int = 20,
    ) -> Page[ProductView]:
        """Published products, best match first when searching (words, then similar spelling), else newest first."""
        rows, following = await page_of(work, channel.id, q, category, cursor, size)
        return Page(items=await self._views(work, channel, rows), next=following)

    async def get(self, work: Work, channel: ChannelFacts, product_id: UUID) -> ProductView:
        """A published product. Raises UnknownProduct, also for one that is not shown here."""
        rows = await work.rows(f"{LISTING} and p.id = $3", channel.id, work.now, product_id)
        if not rows:
            raise UnknownProduct()
        (view,) = await self._views(work, channel, rows)
        return view

    async def listed(self, work: Work, channel: ChannelFacts, product_ids: Sequence[UUID]) -> list[ProductView]:
        """Those of `product_ids` that the channel shows, in their order."""
        rows = await work.rows(f"{LISTING} and p.id = any($3)", channel.id, work.now, list(product_ids))
        order = {key: place for place, key in enumerate(product_ids)}
        return await self._views(work, channel, sorted(rows, key=lambda row: order[row["id"]]))

    async def named(self, work: Work, channel: ChannelFacts, name: str) -> ProductView:
        """A published product by its id, by a SKU of it, or as the best match of its name. Raises UnknownProduct."""
        try:
            return await self.get(work, channel, parse("prd", name))
        except ValueError:
            product = await work.value("select product_id from product_variants where sku = upper($1)", name)
        if product:
            return await self.get(work, channel, product)
        found = (await self.page(work, channel, name, size=1)).items
        if not found:
            raise UnknownProduct()
        return found[0]

    async def variant(self, work: Work, sku: str) -> UUID:
        """The variant of a SKU. Raises UnknownProduct."""
        found: UUID | None = await work.value("select id from product_variants where sku = upper($1) and active", sku)
        if found is None:
            raise UnknownProduct()
        return found

    async def categories(self, work: Work) -> list[CategoryView]:
        rows = await work.rows(
            "select c.slug, c.name, up.slug as parent from product_categories c "
            "left join product_categories up on up.id = c.parent_id order by c.name"
        )
        return [CategoryView.model_validate(dict(row)) for row in rows]

    async def _views(self, work: Work, channel: ChannelFacts, rows: Sequence[Record]) -> list[ProductView]:
        ids = [row["id"] for row in rows]
        if not ids:
            return []
        variants = await work.rows(VARIANTS, ids)
        variant_ids = [v["id"] for v in variants]
        prices = await self._pricing.prices(work, channel, variant_ids)
        stock = await self._inventory.available(work, variant_ids)
        shown: dict[UUID, list[VariantView]] = {product: [] for product in ids}
        for v in variants:
            price = prices.get(v["id"])
            struck = price.compare_at_minor if price else None
            shown[v["product_id"]].append(
                VariantView(
                    id=v["id"],
                    sku=v["sku"],
                    options=v["options"],
                    price=money(price.unit_minor, price.currency) if price else None,
                    compare_at=money(struck, channel.currency) if struck else None,
                    available=stock.get(v["id"], 0),
                )
            )
        pictures: dict[UUID, list[MediaView]] = {product: [] for product in ids}
        for m in await work.rows(MEDIA, ids):
            pictures[m["product_id"]].append(MediaView(url=m["url"], alt=m["alt"]))
        return [
            ProductView(**{k: row[k] for k in _SHOWN}, media=pictures[row["id"]], variants=shown[row["id"]])
            for row in rows
        ]

    # --- merchants at work ---

    async def create_category(self, work: Work, command: CreateCategory) -> None:
        work.principal.require(WRITE_CATEGORIES)
        parent = await self.category(work, command.parent) if command.parent else None
        category = Category(id=new_id(), slug=command.slug, name=command.name, parent_id=parent)
        with law("uq_product_categories_slug", CategoryTaken(category=command.slug)):
            await self._categories.add(work, category)

    async def move_category(self, work: Work, slug: str, parent: str | None) -> None:
        """Hangs a category under another one. Raises CategoryCycle."""
        work.principal.require(WRITE_CATEGORIES)
        new_parent = await self.category(work, parent) if parent else None
        with law("product_categories_cycle", CategoryCycle()):
            await work.run("update product_categories set parent_id = $2 where slug = $1", slug, new_parent)

    async def create(self, work: Work, command: CreateProduct) -> tuple[UUID, dict[str, UUID]]:
        """A product with its variants, not yet shown anywhere; returns its id and its variants' ids by SKU.

        Emits ProductCreated. Raises SkuTaken, OptionsTaken, ProductSlugTaken, UnknownCategory,
        UnknownShop."""
        work.principal.require(WRITE_PRODUCTS)
        if not work.principal.is_staff and command.merchant_id not in work.principal.merchant_ids:
            raise Forbidden(permission=f"merchant {public('mer', command.merchant_id)}")
        product_id = new_id()
        await self._add_product(work, product_id, command)
        variants = [
            Variant(id=new_id(), product_id=product_id, active=True, created_at=work.now, **v.model_dump())
            for v in command.variants
        ]
        with law("uq_product_variants_sku", SkuTaken()), law("uq_product_variants_options", OptionsTaken()):
            await self._variants.add(work, *variants)
        pictures = [
            Media(id=new_id(), product_id=product_id, kind="image", url=m.url, alt=m.alt, position=i)
            for i, m in enumerate(command.media)
        ]
        await self._media.add(work, *pictures)
        work.emit(ProductCreated(product_id=product_id, merchant_id=command.merchant_id))
        return product_id, {v.sku: v.id for v in variants}

    async def _add_product(self, work: Work, product_id: UUID, command: CreateProduct) -> None:
        category, brand = await self.category(work, command.category), await self._brand(work, command.brand)
        with law("uq_products_slug", ProductSlugTaken()), law("fk_products_merchant_id", UnknownShop()):
            await work.run(
                "insert into products (id, merchant_id, category_id, brand_id, slug, name, description, tax_class, "
                "specifications, tags, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
                *(product_id, command.merchant_id, category, brand, command.slug, command.name, command.description),
                *(command.tax_class, command.specifications, command.tags, work.now),
            )

    async def publish(self, work: Work, product_id: UUID, channel: ChannelFacts) -> None:
        """Shows a product in a channel from now on. Emits ProductPublished. Raises NotPublishable with what lacks."""
        await self._own(work, product_id)
        if lacks := await self._lacks(work, product_id, channel):
            raise NotPublishable(lacks=", ".join(lacks))
        await work.run(
            "insert into product_channel_listings (product_id, channel_id, published_at) values ($1, $2, $3) "
            "on conflict (product_id, channel_id) do update set published_at = excluded.published_at, unpublished_at = null",
            *(product_id, channel.id, work.now),
        )
        work.emit(ProductPublished(product_id=product_id, channel=channel.code))

    async def unpublish(self, work: Work, product_id: UUID, channel: ChannelFacts) -> None:
        """Hides a product in a channel at once. Emits ProductUnpublished."""
        await self._own(work, product_id)
        hidden = await work.run(
            "update product_channel_listings set unpublished_at = $3 where product_id = $1 and channel_id = $2 "
            "and unpublished_at is null",
            *(product_id, channel.id, work.now),
        )
        if hidden:
            work.emit(ProductUnpublished(product_id=product_id, channel=channel.code))

    async def set_suspended(self, work: Work, merchant_id: UUID, suspended: bool) -> None:
        """Takes everything of a merchant out of every channel, or puts it back; merchant decides, in its transaction."""
        await work.run(
            "update products set suspended = $2, updated_at = $3 where merchant_id = $1 and suspended <> $2",
            *(merchant_id, suspended, work.now),
        )

    async def _lacks(self, work: Work, product_id: UUID, channel: ChannelFacts) -> list[str]:
        """What the channel's policy demands of a published product and this one does not have."""
        variants = [
            row["id"]
            for row in await work.rows("select id from product_variants where product_id = $1 and active", product_id)
        ]
        prices = await self._pricing.prices(work, channel, variants)
        media = await work.value("select exists (select from product_media where product_id = $1)", product_id)
        product = await self._products.get(work, product_id)
        has = {
            "price": bool(variants) and len(prices) == len(variants),
            "media": bool(media),
            "tax_class": bool(product and product.tax_class),
        }
        return [need for need in channel.policy.publish_needs if not has.get(need)]

    async def _own(self, work: Work, product_id: UUID) -> Product:
        work.principal.require(WRITE_PRODUCTS)
        product = await self._products.get(work, product_id)
        if product is None or not (work.principal.is_staff or product.merchant_id in work.principal.merchant_ids):
            raise UnknownProduct()
        return product

    async def own_variant(self, work: Work, sku: str) -> OwnVariant:
        """A variant of one of the caller's shops (staff: of any) by its SKU. Raises UnknownProduct."""
        variant_id = await self.variant(work, sku)
        variant = await self._variants.get(work, variant_id)
        assert variant is not None, "it was just found"
        product = await self._own(work, variant.product_id)
        return OwnVariant(variant_id, variant.sku, product.name, product.merchant_id)

    async def own(self, work: Work, variant_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the variants that belong to the caller's shops (staff: all of them)."""
        rows = await work.rows(
            "select v.id from product_variants v join products p on p.id = v.product_id "
            "where v.id = any($1) and ($2 or p.merchant_id = any($3))",
            *(list(variant_ids), work.principal.is_staff, list(work.principal.merchant_ids)),
        )
        return {row["id"] for row in rows}

    async def require_own(self, work: Work, variant_id: UUID) -> None:
        """Raises UnknownProduct unless the variant belongs to one of the caller's shops (staff: to any)."""
        variant = await self._variants.get(work, variant_id)
        if variant is None:
            raise UnknownProduct()
        await self._own(work, variant.product_id)

    async def category(self, work: Work, slug: str) -> UUID:
        """Raises UnknownCategory."""
        found: UUID | None = await work.value("select id from product_categories where slug = $1", slug)
        if found is None:
            raise UnknownCategory(category=slug)
        return found

    async def _brand(self, work: Work, name: str | None) -> UUID | None:
        if name is None:
            return None
        await work.run(
            "insert into product_brands (id, name) values ($1, $2) on conflict (name) do nothing",
            new_id(),
            name,
        )
        found: UUID = await work.value("select id from product_brands where name = $1", name)
        return found


def _offer(row: Record, currency: str) -> Offer:
    *sold, minor, compare_at, available = row.values()
    return Offer(Sellable(*sold), PriceFacts(minor, compare_at, currency), available)


_SHOWN = ("id", "slug", "name", "description", "category", "brand", "merchant_id", "specifications")
