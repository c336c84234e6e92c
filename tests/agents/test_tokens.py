"""An agent acts with a token of its own: short-lived, for one person, in one agent's hands, never more than both may."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from agents.roster import AGENTS
from commerce.app import Commerce
from commerce.identity.errors import BadToken
from kernel.auth import SYSTEM
from tests.agents.test_chat_writes import counts
from tests.agents.test_limits import WRITES, errand, never
from tests.factories.api import Caller
from tools.bind import Binder, Errand
from tools.spec import grants

WHO = ("ann", "visitor", "system")


def person(shop: Commerce, principals: Any, name: str) -> Any:
    return SYSTEM if name == "system" else principals(shop, name)


async def refused(shop: Commerce, sql: asyncpg.Connection, job: Errand, calls: dict[str, Any]) -> None:
    """Makes the calls: each is refused under the one code, noted for nobody's account, and nothing is changed."""
    binder, before = Binder(shop, never), await counts(sql)
    for name, args in calls.items():
        record = (await binder.call(job, name, f"t-{name}", args)).record
        assert (record.status, record.code) == ("refused", "agent_token_invalid"), name
    assert await counts(sql) == before
    noted = await sql.fetch("select distinct subject from agent_tool_calls where run_id = $1", job.run_id)
    assert [row["subject"] for row in noted] == ["system"]


@pytest.mark.parametrize("name", WHO)
async def test_an_expired_token_refuses_every_call(
    shop: Commerce, sql: asyncpg.Connection, principals: Any, name: str
) -> None:
    """Also one that was good a moment ago, and is remembered as good."""
    who, spec = person(shop, principals, name), AGENTS["order"]
    job, now = await errand(shop, who, "order"), shop.database.clock()
    old = shop.identity.agent_token(who, "order", grants(spec.tools), now - timedelta(seconds=121))
    assert shop.identity.acting(old, "order", now - timedelta(seconds=60)).act == "order"
    reads = {tool.name: {} for tool in spec.tools}
    await refused(shop, sql, replace(job, token=old), {**reads, **WRITES})


@pytest.mark.parametrize("name", WHO)
async def test_a_token_is_nothing_in_the_hands_of_another_agent(
    shop: Commerce, sql: asyncpg.Connection, principals: Any, name: str
) -> None:
    who = person(shop, principals, name)
    mine, theirs = await errand(shop, who, "order"), await errand(shop, who, "product")
    stolen = replace(theirs, token=mine.token)
    await refused(shop, sql, stolen, {tool.name: {} for tool in theirs.tools})
    assert shop.identity.acting(mine.token, "order", shop.database.clock()).act == "order", "its owner still may"


async def test_what_is_no_token_or_not_ours_refuses_every_call(
    shop: Commerce, sql: asyncpg.Connection, principals: Any
) -> None:
    job = await errand(shop, principals(shop, "ann"), "order")
    head, body, signature = job.token.split(".")
    for forged in ("", "x.y.z", f"{head}.{body}.{signature[::-1]}", f"{head}.{body}."):
        job = replace(await errand(shop, principals(shop, "ann"), "order"), token=forged)
        await refused(shop, sql, job, {"list_my_orders": {}})


async def test_an_errand_cannot_say_itself_for_whom_it_is(
    shop: Commerce, sql: asyncpg.Connection, principals: Any
) -> None:
    """Whoever stands in `acting`: the token decides, and a wrong one leaves nobody."""
    job = await errand(shop, principals(shop, "ann"), "order")
    await refused(shop, sql, replace(job, token="", acting=SYSTEM), {"list_my_orders": {}})


@pytest.mark.parametrize("name", WHO)
def test_a_scope_is_never_more_than_both_may(shop: Commerce, principals: Any, name: str) -> None:
    who, now = person(shop, principals, name), shop.database.clock()
    for agent, spec in AGENTS.items():
        granted = grants(spec.tools)
        acting = shop.identity.acting(shop.identity.agent_token(who, agent, granted, now), agent, now)
        wanted = granted if who is SYSTEM else granted & who.permissions
        assert (acting.permissions, acting.act) == (wanted, agent)
        assert (acting.subject, acting.customer_id, acting.roles) == (who.subject, who.customer_id, who.roles)
        assert (acting.guest_key, acting.merchant_ids) == (who.guest_key, who.merchant_ids)


@pytest.mark.parametrize("name", ["visitor", "system"])
async def test_a_token_for_a_guest_or_the_house_opens_nothing_outside(
    shop: Commerce, http: httpx.AsyncClient, principals: Any, name: str
) -> None:
    who, now = person(shop, principals, name), shop.database.clock()
    token = shop.identity.agent_token(who, "order", frozenset({"order:read"}), now)
    shop.identity.acting(token, "order", now)
    with pytest.raises(BadToken):
        shop.identity.principal(token, now)
    await Caller(http, {"Authorization": f"Bearer {token}"}).refused("GET", "/v1/orders", 401, "token_invalid")
