"""The SQL of the storefront: published products of a channel, searched by words and by similar spelling."""

import re
from uuid import UUID

from kernel.db import Record, Work
from kernel.repository import BadCursor, cursor_of, key_of

PUBLISHED = "not p.suspended and l.published_at <= $2 and (l.unpublished_at is null or l.unpublished_at > $2)"

LISTING = f"""
select p.id, p.slug, p.name, p.description, p.merchant_id, p.specifications, c.slug as category, b.name as brand
from products p join product_channel_listings l on l.product_id = p.id and l.channel_id = $1 and {PUBLISHED}
join product_categories c on c.id = p.category_id left join product_brands b on b.id = p.brand_id
where true"""

VARIANTS = """
select id, product_id, sku, options from product_variants where product_id = any($1) and active order by product_id, id
"""

MEDIA = "select product_id, url, alt from product_media where product_id = any($1) order by product_id, position"

_IN_CATEGORY = """ and ($3::text is null or c.id in (
  with recursive down as (
    select id from product_categories where slug = $3 union
    select k.id from product_categories k join down on k.parent_id = down.id
  ) select id from down))"""

_NEWEST = f"{LISTING}{_IN_CATEGORY} and ($4::uuid is null or p.id < $4) order by p.id desc limit $5"

_RANKED = f"""
with found as ({LISTING}{_IN_CATEGORY}), ranked as (
  select f.*, ts_rank(p.words, websearch_to_tsquery('english', $4)) + word_similarity($4, f.name) as score
  from found f join products p on p.id = f.id
  where p.words @@ websearch_to_tsquery('english', $4) or word_similarity($4, f.name) > 0.4
)
select * from ranked order by score desc, id desc offset $5 limit $6
"""


async def page_of(
    work: Work, channel_id: UUID, q: str | None, category: str | None, cursor: str | None, size: int
) -> tuple[list[Record], str | None]:
    """One page of listing rows and the cursor of the next. A search is paged by rank, a listing by key."""
    if q and q.strip():
        start = _number(cursor)
        rows = await work.rows(_RANKED, channel_id, work.now, category, q.strip(), start, size + 1)
        return rows[:size], f"r{start + size}" if len(rows) > size else None
    after = key_of(cursor)
    rows = await work.rows(_NEWEST, channel_id, work.now, category, after, size + 1)
    return rows[:size], cursor_of(rows[size - 1]["id"]) if len(rows) > size else None


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not re.fullmatch(r"r[0-9]{1,7}", cursor):
        raise BadCursor()
    return int(cursor[1:])
