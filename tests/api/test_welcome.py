"""The front page shows the shop and nothing a visitor put in; pictures are drawn for any name."""

import asyncio
import re
from xml.etree import ElementTree

import httpx

from api.pictures import SHAPES, picture, shape_of
from kernel.ids import public
from migrations import upgrade as migrations
from tests.conftest import Ground, opened, served
from tests.factories.world import World


async def test_the_front_page_shows_what_is_sold_and_where(http: httpx.AsyncClient, world: World) -> None:
    page = await http.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    cards = re.findall(r'<a class="card" href="/v1/products/(prd_\w+)">', page.text)
    assert len(cards) == 6, "the web channel's products; the one in dollars is another channel's"
    for card in cards:
        assert (await http.get(f"/v1/products/{card}")).status_code == 200
    assert "15.00 EUR" in page.text
    assert '<a href="/?category=things">Things</a>' in page.text
    assert public("var", world.variants["mug"]) not in page.text


async def test_search_and_shelves_narrow_the_page(http: httpx.AsyncClient) -> None:
    found = await http.get("/", params={"q": "lamp"})
    assert re.findall(r"<strong>(\w+)</strong>", found.text) == ["Lamp"]
    shelf = await http.get("/", params={"category": "things"})
    assert "<h1>Things</h1>" in shelf.text
    assert 'aria-current="page">Things' in shelf.text
    nothing = await http.get("/", params={"category": "nowhere"})
    assert "Nothing here." in nothing.text


async def test_what_a_visitor_types_stays_text(http: httpx.AsyncClient) -> None:
    page = await http.get("/", params={"q": '"><script>alert(1)</script>{style}'})
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{style}" in page.text


async def test_an_empty_shop_says_how_to_fill_it(ground: Ground) -> None:
    url = await migrations.create_database(ground.server, "agora_empty")
    try:
        await asyncio.to_thread(migrations.upgrade, url)
        async with opened(url) as shop, served(shop) as http:
            page = await http.get("/")
        assert page.status_code == 200
        assert "agora seed" in page.text
    finally:
        await migrations.drop_database(ground.server, "agora_empty")


async def test_every_picture_is_an_image_of_its_own(http: httpx.AsyncClient) -> None:
    answer = await http.get("/media/stoneware-mug.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text == picture("stoneware-mug")
    assert picture("stoneware-mug") != picture("enamel-mug")
    assert (shape_of("desk-lamp"), shape_of("something-else")) == ("lamp", "box")
    for name in SHAPES:
        assert ElementTree.fromstring(picture(name)).attrib["aria-label"] == name.capitalize()
