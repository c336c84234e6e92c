"""Help articles are found by what people ask, and read by whom they are for; macros fill only what is known."""

from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml

from cli.demo import shop as demo
from commerce.app import Commerce
from commerce.checkout.saga import ACTION_WINDOW
from commerce.pricing.policy import DEFAULT_POLICY
from commerce.support.clock import CLOSE_AFTER
from commerce.support.schemas import WriteArticle
from kernel.auth import ANONYMOUS, SYSTEM
from tests.factories.api import guest, signed_in
from tests.factories.world import World

ARTICLES: list[dict[str, Any]] = yaml.safe_load((Path(demo.__file__).parent / "articles.yaml").read_text())
HELLO = {"code": "late", "title": "Late", "body": "Hello {{ name }}, {{ order }} of {{ number }} is on its way."}


@pytest.fixture(scope="module", autouse=True)
async def shelf(shop: Commerce) -> None:
    async with shop.database.work(SYSTEM) as work:
        for article in ARTICLES:
            await shop.support.articles.write(work, WriteArticle(**article))


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("how long does delivery take", "delivery-times"),
        ("shipping costs", "delivery-times"),
        ("can I send something back and get a refund", "returns"),
        ("I want to cancel my order", "cancel-an-order"),
        ("my card was declined", "ways-to-pay"),
        ("the bank asks me to approve the payment", "3-d-secure"),
        ("gift card balance", "gift-cards"),
        ("I typed the wrong address", "change-the-address"),
        ("my parcel is lost", "lost-parcel"),
        ("I need an invoice with VAT", "invoices"),
        ("delete my data", "delete-my-account"),
        ("buy without an account as a guest", "order-without-an-account"),
        ("how do I become a merchant and sell", "sell-on-the-marketplace"),
        ("delivry times", "delivery-times"),
    ],
)
async def test_a_question_finds_its_article(http: httpx.AsyncClient, question: str, slug: str) -> None:
    found = await guest(http).get("/v1/support/articles", params={"q": question})
    assert found["items"][0]["slug"] == slug
    assert found["next"] is None
    assert found["items"][0]["snippet"]
    assert "<" not in found["items"][0]["snippet"]


async def test_what_fits_nothing_finds_nothing(http: httpx.AsyncClient) -> None:
    for nothing in ("zzzz", "the of and", "'); drop table support_articles; --x", "&|!():*"):
        found = await guest(http).get("/v1/support/articles", params={"q": nothing})
        assert found["items"] == [], nothing


async def test_a_staff_article_and_a_draft_are_the_houses(
    shop: Commerce, http: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    support, ann = await signed_in(http, "support"), await signed_in(http, "ann")
    draft = {"slug": "a-draft", "title": "Secret plans for delivery", "body": "Not yet.", "published": False}
    await support.post("/v1/support/articles", draft)
    for who in (guest(http), ann):
        for slug in ("answering-tickets", "a-draft", "nothing-at-all"):
            await who.refused("GET", f"/v1/support/articles/{slug}", 404, "article_unknown")
        listed = [hit["slug"] for hit in (await who.get("/v1/support/articles?size=100"))["items"]]
        assert sorted(listed) == sorted(a["slug"] for a in ARTICLES if a.get("audience") != "staff")
        hits = (await who.get("/v1/support/articles?q=secret plans, how we answer requests"))["items"]
        assert not {"answering-tickets", "a-draft"} & {hit["slug"] for hit in hits}
    async with shop.database.work(ANONYMOUS) as work:
        hidden = "select count(*) from support_articles where audience = 'staff' or not published"
        assert await work.value(hidden) == 0
    assert (await support.get("/v1/support/articles/a-draft"))["published"] is False
    hits = (await support.get("/v1/support/articles?q=how we answer requests"))["items"]
    assert hits[0]["slug"] == "answering-tickets"
    await support.refused("POST", "/v1/support/articles", 409, "article_slug_taken", json=draft)
    changed = {"title": "Plans", "body": "Now.", "tags": ["plans"]}
    assert (await support.call("PUT", "/v1/support/articles/a-draft", 200, json=changed))["published"] is True
    assert (await ann.get("/v1/support/articles/a-draft"))["tags"] == ["plans"]
    await support.refused("PUT", "/v1/support/articles/missing", 404, "article_unknown", json=changed)


def test_the_articles_say_what_the_code_does() -> None:
    bodies = {article["slug"]: " ".join(article["body"].split()) for article in ARTICLES}
    assert ", ".join(DEFAULT_POLICY.cancel_reasons) in bodies["cancel-an-order"]
    assert f"{int(ACTION_WINDOW.total_seconds()) // 60} minutes" in bodies["3-d-secure"]
    for needed in ("price", "picture", "tax class"):
        assert needed in bodies["sell-on-the-marketplace"]
    assert len(DEFAULT_POLICY.publish_needs) == 3
    assert CLOSE_AFTER.days == 7, "the mail about a solved ticket says seven days"


async def test_a_macro_fills_only_what_is_known(http: httpx.AsyncClient, sql: asyncpg.Connection, world: World) -> None:
    ann, support = await signed_in(http, "ann"), await signed_in(http, "support")
    bad = {**HELLO, "code": "bad", "body": "Hello {{ card_number }}"}
    await support.refused("POST", "/v1/support/macros", 422, "macro_placeholders_invalid", json=bad)
    await support.post("/v1/support/macros", HELLO)
    await support.refused("POST", "/v1/support/macros", 409, "macro_code_taken", json=HELLO)
    assert [macro["code"] for macro in (await support.get("/v1/support/macros"))["items"]] == ["late"]
    order = (await ann.checkout(await ann.cart({world.variants["mug"]: 1})))["orders"][0]
    asked = {"subject": "Late", "body": "Where is it?"}
    about = await ann.post("/v1/support/tickets", {**asked, "order_id": order["id"]})
    alone = await ann.post("/v1/support/tickets", asked)
    path = "/v1/support/tickets/{}/macros/{}"
    filled = await support.get(path.format(about["id"], "late"))
    assert filled["body"] == f"Hello Ann, {order['number']} of {about['number']} is on its way."
    found = await support.refused("GET", path.format(alone["id"], "late"), 409, "macro_placeholder_unfilled")
    assert "order" in found["detail"]
    await support.refused("GET", path.format(alone["id"], "none"), 404, "macro_unknown")
    changed = {"title": "Late", "body": "About {{ subject }}"}
    await support.call("PUT", "/v1/support/macros/late", 200, json=changed)
    assert (await support.get(path.format(alone["id"], "late")))["body"] == "About Late"
    await support.refused("PUT", "/v1/support/macros/none", 404, "macro_unknown", json=changed)
    assert await sql.fetchval("select count(*) from support_ticket_messages") == 2, "a draft sends nothing"
