"""What somebody tells us to remember is theirs: asked about first, shown to nobody else, gone when they or time say so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from commerce.app import Commerce
from commerce.chat.errors import NobodyToRemember, TooManyFacts, UnknownFact
from commerce.chat.facts import FACTS_MOST, TOLD_MOST
from commerce.chat.schemas import Remember
from kernel.auth import SYSTEM
from kernel.consent import ConfirmationRequired
from kernel.errors import Forbidden
from tests.conftest import opened
from tests.factories.api import guest, signed_in
from tests.factories.world import World
from tests.support.people import Hands, customer, member, staff
from workers.schedule import forget


async def remembered(shop: Commerce, who: Any, text: str, about: str | None = None) -> Any:
    async with shop.database.work(who) as work:
        return await shop.chat.facts.remember(work, Remember(text=text, about=about))


async def texts(shop: Commerce, who: Any) -> list[str]:
    async with shop.database.work(who) as work:
        return [fact.text for fact in await shop.chat.facts.facts(work)]


@pytest.fixture(autouse=True)
async def empty(sql: asyncpg.Connection) -> None:
    await sql.execute("delete from chat_facts")


async def test_a_later_fact_about_the_same_replaces_the_former(shop: Commerce, world: World) -> None:
    ann = customer(shop, world)
    await remembered(shop, ann, "I wear size 42", "shoe size")
    await remembered(shop, ann, "I like oak")
    kept = await remembered(shop, ann, "I wear size 43 now", "Shoe Size")
    assert kept.key == "shoe-size"
    assert kept.expires_at - kept.created_at == timedelta(days=365)
    assert await texts(shop, ann) == ["I like oak", "I wear size 43 now"]


async def test_nobody_sees_or_forgets_anothers(shop: Commerce, world: World, sql: asyncpg.Connection) -> None:
    ann, ben, north, south = (
        customer(shop, world), customer(shop, world, "ben"), member(shop, world), member(shop, world, "south"),
    )  # fmt: skip
    fact = await remembered(shop, ann, "I am vegan")
    await remembered(shop, north, "We ship on Mondays")
    assert (await texts(shop, ben), await texts(shop, south)) == ([], [])
    for who in (ben, north, south):
        async with shop.database.work(who) as work:
            with pytest.raises(UnknownFact):
                await shop.chat.facts.forget_one(work, fact.id)
            with pytest.raises(UnknownFact):
                await shop.chat.facts.forget(work, "vegan")
            assert await work.value("select count(*) from chat_facts where text = 'I am vegan'") == 0
    for who in (staff(shop), shop.identity.guest("somebody")):
        async with shop.database.work(who) as work:
            with pytest.raises(Forbidden):
                await shop.chat.facts.facts(work)
            assert await shop.chat.facts.told(work) == []
    async with shop.database.work(SYSTEM) as work:
        with pytest.raises(NobodyToRemember):
            await shop.chat.facts.remember(work, Remember(text="for everybody"))
    assert await sql.fetchval("select count(*) from chat_facts") == 2


async def test_an_agent_writes_and_erases_only_with_a_yes(shop: Commerce, world: World) -> None:
    """Even though both can be undone: a fact speaks in every later conversation."""
    ann = customer(shop, world)
    await remembered(shop, ann, "I like oak")
    acting = ann.acting("chat", ann.permissions)
    async with shop.database.work(acting) as work:
        with pytest.raises(ConfirmationRequired, match=r"next time: “I am vegan”\?"):
            await shop.chat.facts.remember(work, Remember(text="I am vegan"))
        with pytest.raises(ConfirmationRequired, match=r"Forget “I like oak”\?"):
            await shop.chat.facts.forget(work)
    assert await texts(shop, ann) == ["I like oak"]


async def test_there_is_an_end_to_what_fits(shop: Commerce, world: World) -> None:
    ann = customer(shop, world)
    for number in range(FACTS_MOST):
        await remembered(shop, ann, f"fact number {number}")
    with pytest.raises(TooManyFacts):
        await remembered(shop, ann, "one more")
    await remembered(shop, ann, "fact number 7")  # the same one again fits
    assert len(await texts(shop, ann)) == FACTS_MOST
    async with shop.database.work(ann) as work:
        assert len(await shop.chat.facts.told(work)) == TOLD_MOST


async def test_time_takes_facts_away(shop: Commerce, world: World, url: str, sql: asyncpg.Connection) -> None:
    hands = Hands()
    async with opened(url, fact_days=30) as later:
        later.database.clock = hands
        ann = customer(later, world)
        await remembered(later, ann, "I like oak")
        hands.on(days=31)
        assert await texts(later, ann) == []
        await forget(later)
    assert await sql.fetchval("select count(*) from chat_facts") == 0


@pytest.mark.parametrize(
    "row",
    [
        "null, null, 'a', 'text', now(), now() + interval '1 day'",
        "$1, $2, 'a', 'text', now(), now() + interval '1 day'",
        "$1, null, 'Not A Key', 'text', now(), now() + interval '1 day'",
        "$1, null, 'a', '', now(), now() + interval '1 day'",
        "$1, null, 'a', 'text', now(), now()",
    ],
)
async def test_the_laws_stand_in_postgres(sql: asyncpg.Connection, world: World, row: str) -> None:
    filled = row.replace("$1", f"'{world.customers['ann']}'").replace("$2", f"'{world.merchants['north']}'")
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(
            "insert into chat_facts (id, customer_id, merchant_id, key, text, created_at, expires_at) "
            f"values (uuidv7(), {filled})"
        )


async def test_the_person_reads_and_erases_them_over_http(
    http: httpx.AsyncClient, shop: Commerce, world: World
) -> None:
    ann = await signed_in(http, "ann")
    await remembered(shop, customer(shop, world), "I like oak")
    await remembered(shop, customer(shop, world), "I am vegan")
    (oak, vegan) = await ann.get("/v1/chat/facts")
    assert (oak["text"], vegan["text"]) == ("I like oak", "I am vegan")
    assert oak["id"].startswith("fct_")
    ben = await signed_in(http, "ben")
    assert (await ben.http.delete(f"/v1/chat/facts/{oak['id']}", headers=ben.headers)).status_code == 404
    assert (await ann.http.delete(f"/v1/chat/facts/{oak['id']}", headers=ann.headers)).status_code == 204
    assert [fact["text"] for fact in await ann.get("/v1/chat/facts")] == ["I am vegan"]
    for _ in range(2):
        assert (await ann.http.delete("/v1/chat/facts", headers=ann.headers)).status_code == 204
    assert await ann.get("/v1/chat/facts") == []
    assert (await http.get("/v1/chat/facts", headers=guest(http).headers)).status_code == 401


async def test_erasing_a_customer_erases_their_facts_alone(shop: Commerce, world: World) -> None:
    ann, ben = customer(shop, world), customer(shop, world, "ben")
    await remembered(shop, ann, "I like oak")
    await remembered(shop, ben, "I like ash")
    async with shop.database.work(SYSTEM) as work:
        assert await shop.chat.facts.erase(work, world.customers["ann"]) == 1
    assert (await texts(shop, ann), await texts(shop, ben)) == ([], ["I like ash"])
    async with shop.database.work(replace(ann, permissions=ann.permissions)) as work:
        with pytest.raises(Forbidden):
            await shop.chat.facts.erase(work, world.customers["ben"])
    assert await texts(shop, ben) == ["I like ash"]
