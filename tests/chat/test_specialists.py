"""The chat finds the right one of 26, which says what it cannot do and brings in a person; staff tools are for staff."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from agents.roster import AGENTS
from tests.chat.test_chat_api import say, text, thread
from tests.factories.api import guest, signed_in
from tests.factories.world import World


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("refund", "give me a refund please"),
        ("review", "I want to leave a review of the rug"),
        ("recommendation", "what's popular at the moment"),
        ("search", "sort by lowest price"),
        ("sms", "can you text me when it arrives"),
    ],
)
async def test_what_an_agent_cannot_do_it_says_and_a_person_can_be_had(
    http: httpx.AsyncClient, sql: asyncpg.Connection, agent: str, words: str
) -> None:
    ann = await signed_in(http, "ann")
    where = await thread(ann)
    answer = await say(ann, where, words)
    assert answer["messages"][0]["agent"] == agent
    assert text(answer).startswith(f"I cannot {AGENTS[agent].cannot} yet. A person can: just ask for one.")
    assert (answer["actions"], answer["pending_confirmation"]) == ([], None)
    assert answer["messages"][0]["options"][0] == "Let me talk to a person"
    taken = await say(ann, where, answer["messages"][0]["options"][0])
    assert taken["handoff"]["number"] in text(taken)


async def test_a_wish_to_return_something_asks_for_the_order_first(http: httpx.AsyncClient) -> None:
    ann = await signed_in(http, "ann")
    answer = await say(ann, await thread(ann), "I'd like to return the lamp")
    assert answer["messages"][0]["agent"] == "returns"
    assert text(answer).startswith("Which order do you mean?")
    assert (answer["actions"], answer["pending_confirmation"]) == ([], None)


@pytest.mark.parametrize("words", ["which sagas are stuck", "show the dead letter queue", "who calls the api most"])
async def test_a_shopper_who_asks_for_what_staff_see_gets_nothing(http: httpx.AsyncClient, words: str) -> None:
    for caller in (await signed_in(http, "ann"), guest(http)):
        answer = await say(caller, await thread(caller), words)
        assert answer["actions"] == []
        assert not {"stuck", "dead", "API"} & set(text(answer).replace(".", " ").split())


async def test_staff_ask_what_is_stuck_and_what_runs(http: httpx.AsyncClient) -> None:
    support = await signed_in(http, "support")
    where = await thread(support)
    for words, agent, tool, told in (
        ("are any sagas stuck?", "orchestration", "stuck_sagas", "No saga is stuck."),
        ("show the dead letter queue", "orchestration", "dead_letters", "There are no dead letters."),
        ("which promotions are running", "promotion", "list_promotions", "- TEN: 10 percent off; used 0 times"),
        ("what has to be picked", "warehouse", "pick_tasks", "Nothing has to be picked."),
    ):
        answer = await say(support, where, words)
        assert (answer["messages"][0]["agent"], answer["actions"][0]["tool"]) == (agent, tool), text(answer)
        assert told in text(answer)


async def test_a_merchant_sees_prices_of_its_own_and_not_of_others(http: httpx.AsyncClient) -> None:
    south = await signed_in(http, "south")
    where = await thread(south)
    own = await say(south, where, "show the price history of the plate")
    assert "Plate (PLATE): 25.00 EUR; lowest of the last 30 days 25.00 EUR" in text(own)
    foreign = await say(south, where, "show the price history of the mug")
    assert "15.00" not in text(foreign)
    assert [(a["tool"], a["status"]) for a in foreign["actions"]] == [("price_of", "failed")]
    margins = await say(south, await thread(south), "report on profitability")
    assert margins["messages"][0]["agent"] == "analytics"


async def test_delivery_is_priced_and_a_code_is_checked(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World
) -> None:
    ann = await signed_in(http, "ann")
    where = await thread(ann)
    assert "- express: 12.90 EUR, 1 to 3 days" in text(await say(ann, where, "how much is delivery to Austria?"))
    checked = await say(ann, where, "is my coupon TEN still valid?")
    assert text(checked) == "You can use the coupon TEN: 10 percent off."
    assert checked["messages"][0]["agent"] == "promotion"
    entered = await say(ann, where, "use the coupon TEN")
    assert entered["pending_confirmation"]["summary"] == "Use the coupon TEN (ten percent)?"
    assert await sql.fetchval("select count(*) from cart_adjustments") == 0


async def test_accuracy_is_the_share_of_ended_runs_that_were_answered(
    http: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    """Of the last 30 days; a run that has not ended, or ended before, counts for nothing."""
    admin = await signed_in(http, "admin")

    async def accuracy(agent: str) -> Any:
        return next(a["accuracy"] for a in await admin.get("/v1/agents") if a["name"] == agent)

    assert await accuracy("vendor") is None
    insert = (
        "insert into agent_runs (id, agent, entry, trigger, cause, subject, status, trace, started_at) "
        "select uuidv7($2::interval), 'vendor', 'vendor', 'query', uuidv7(), 'system', $1, '', now() + $2::interval "
        "from generate_series(1, $3::int)"
    )
    recent, old = timedelta(days=-29), timedelta(days=-31)
    for status, age, count in (("done", recent, 2), ("failed", recent, 1), ("running", recent, 5), ("failed", old, 9)):
        await sql.execute(insert, status, age, count)
    assert await accuracy("vendor") == 0.6667
    assert await accuracy("supplier") is None
