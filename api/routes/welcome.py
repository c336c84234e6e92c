"""The page a person sees first: what runs here, the shelves, and the products, drawn on the server."""

from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from api.deps import Edge, Open
from commerce.pricing.errors import UnknownChannel
from commerce.product import ProductView
from commerce.product.schemas import CategoryView
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.schemas import MoneyView, Page

router = APIRouter(include_in_schema=False)
SHOWN = 24
FEW = 5
"""Units at and below which a card says how many are left."""
SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; form-action 'self'; base-uri 'none'"
STYLE = """
:root{--ink:#1b2330;--soft:#5c6778;--line:#e4e8ee;--paper:#fff;--wash:#f6f7f9;--mark:#1f6f5c;--mark-soft:#e2f1ec}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#9aa6b6;--line:#2b3442;--paper:#171d27;--wash:#10151d;
--mark:#6fd0b5;--mark-soft:#1c332e}}
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--wash)}
a{color:inherit}main,header>div,footer{max-width:75rem;margin:0 auto;padding:0 1.25rem}
header{background:var(--paper);border-bottom:1px solid var(--line)}
header>div{display:flex;gap:1.5rem;align-items:center;flex-wrap:wrap;padding-top:.9rem;padding-bottom:.9rem}
.name{font-weight:700;font-size:1.25rem;letter-spacing:-.02em;text-decoration:none}.name b{color:var(--mark)}
nav{display:flex;gap:1rem;margin-left:auto;font-size:.95rem;color:var(--soft)}nav a{text-decoration:none}
nav a:hover{color:var(--mark)}
input{font:inherit;color:inherit;background:var(--wash);border:1px solid var(--line);border-radius:.6rem;
padding:.45rem .8rem;width:15rem;max-width:100%}
.hero{padding:2.6rem 0 1.4rem}h1{font-size:2.1rem;line-height:1.15;letter-spacing:-.03em;margin:0 0 .6rem}
.hero p{max-width:46rem;color:var(--soft);margin:0}
.shelves{display:flex;gap:.5rem;flex-wrap:wrap;margin:0 0 1.4rem;padding:0;list-style:none}
.shelves a{display:block;padding:.25rem .8rem;border:1px solid var(--line);border-radius:2rem;background:var(--paper);
text-decoration:none;font-size:.9rem}.shelves a[aria-current]{background:var(--mark);color:var(--paper);border-color:var(--mark)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:1.1rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.9rem;overflow:hidden;text-decoration:none;
display:flex;flex-direction:column}.card:hover{border-color:var(--mark)}
.card img{width:100%;aspect-ratio:4/3;object-fit:cover;display:block;height:auto}
.card div{padding:.8rem .95rem 1rem;display:flex;flex-direction:column;gap:.25rem;flex:1}
.card small{color:var(--soft)}.card strong{line-height:1.3}.card p{margin:0;color:var(--soft);font-size:.88rem;flex:1}
.row{display:flex!important;flex-direction:row!important;padding:.5rem 0 0!important;align-items:baseline}
.price{font-weight:650}.left{margin-left:auto;font-size:.8rem;color:var(--mark)}.out{color:var(--soft)}
.more{display:inline-block;margin:1.6rem 0 0;padding:.5rem 1.1rem;border-radius:.6rem;background:var(--mark-soft);
color:var(--mark);text-decoration:none;font-weight:600}
footer{color:var(--soft);font-size:.9rem;padding-top:2.4rem;padding-bottom:2.4rem}
code{background:var(--mark-soft);border-radius:.3rem;padding:.1rem .35rem}
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Agora</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>{style}</style></head>
<body><header><div><a class="name" href="/">Agora<b>.</b></a>
<form action="/" role="search"><input type="search" name="q" value="{q}" placeholder="Search the shop" aria-label="Search" maxlength="200"></form>
<nav><a href="/docs">API</a><a href="/v1/products">Catalogue as JSON</a><a href="/health/ready">Health</a><a href="/metrics">Metrics</a></nav>
</div></header><main><section class="hero"><h1>{title}</h1>
<p>A marketplace back end: agents propose, services decide, and only deterministic sagas move money and stock.
Everything on this page is one call of the API; the README walks through a first purchase.</p></section>
<ul class="shelves">{shelves}</ul>{products}</main>
<footer>Try <code>curl {base}/v1/products?q=headphones</code>, or open <a href="/docs">the API</a> and send a call from there.</footer>
</body></html>"""
CARD = """<a class="card" href="/v1/products/{id}"><img src="{image}" alt="{alt}" width="400" height="300" loading="lazy">
<div><small>{brand}</small><strong>{name}</strong><p>{text}</p>
<div class="row"><span class="price">{price}</span><span class="left{out}">{left}</span></div></div></a>"""
EMPTY = "<p>{text}</p>"


@router.get("/")
async def welcome(
    edge: Open,
    q: Annotated[str | None, Query(max_length=200)] = None,
    category: Annotated[str | None, Query(max_length=80)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    commerce = edge.commerce
    async with commerce.database.work(edge.principal) as work:
        shelves = await commerce.product.categories(work)
        page = await _products(edge, work, q, category, cursor)
    html = PAGE.format(
        style=STYLE,
        title=escape(_title(shelves, q, category)),
        q=escape(q or ""),
        shelves="".join(_shelf(shelf, category) for shelf in shelves),
        products=_grid(page, q, category),
        base=escape(str(edge.request.base_url).rstrip("/")),
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": SAFE})


async def _products(
    edge: Edge, work: Work, q: str | None, category: str | None, cursor: str | None
) -> Page[ProductView] | None:
    """One page of the default channel; None where no shop has been set up."""
    try:
        channel = await edge.commerce.pricing.channel(work)
    except UnknownChannel:
        return None
    return await edge.commerce.product.page(work, channel, q, category, cursor, SHOWN)


def _title(shelves: list[CategoryView], q: str | None, category: str | None) -> str:
    if q and q.strip():
        return f"Found for “{q.strip()}”"
    return next((shelf.name for shelf in shelves if shelf.slug == category), "The marketplace is open")


def _shelf(shelf: CategoryView, current: str | None) -> str:
    mark = ' aria-current="page"' if shelf.slug == current else ""
    return f'<li><a href="/?category={escape(shelf.slug)}"{mark}>{escape(shelf.name)}</a></li>'


def _grid(page: Page[ProductView] | None, q: str | None, category: str | None) -> str:
    if page is None:
        return EMPTY.format(
            text="This shop is empty: <code>agora up --demo</code> or <code>agora seed</code> fills it."
        )
    if not page.items:
        return EMPTY.format(text='Nothing here. <a href="/">Show everything</a>.')
    kept = {"q": q, "category": category, "cursor": page.next}
    query = "&amp;".join(f"{name}={quote(value)}" for name, value in kept.items() if value)
    more = f'<a class="more" href="/?{query}">Show more</a>' if page.next else ""
    return f'<div class="grid">{"".join(_card(product) for product in page.items)}</div>{more}'


def _card(product: ProductView) -> str:
    prices = [variant.price for variant in product.variants if variant.price]
    units = sum(variant.available for variant in product.variants)
    media = product.media[0] if product.media else None
    return CARD.format(
        id=public("prd", product.id),
        image=escape(media.url if media else ""),
        alt=escape(media.alt if media else product.name),
        brand=escape(product.brand or ""),
        name=escape(product.name),
        text=escape(product.description),
        price=_price(prices),
        left="sold out" if units == 0 else f"{units} left" if units <= FEW else "in stock",
        out="" if units else " out",
    )


def _price(prices: list[MoneyView]) -> str:
    """The price, or the lowest one where variants differ."""
    if not prices:
        return ""
    lowest = min(prices, key=lambda price: price.amount)
    start = "from " if any(price.amount != lowest.amount for price in prices) else ""
    return f"{start}{Money(lowest.amount, lowest.currency)}"
