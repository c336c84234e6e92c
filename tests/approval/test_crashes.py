"""kill -9 in the middle of an approval: the same yes again, by whoever, leaves one effect."""

import asyncio
import signal

import asyncpg
import pytest

from commerce.app import Commerce
from tests.approval.desk import decide, effects, gesture, person, ticket
from tests.factories.world import World
from tests.faults import decider
from tests.faults.forks import FORKS

POINTS = ("before_effect", "after_effect", "before_commit", "after_commit")


@pytest.mark.parametrize("place", POINTS)
async def test_an_approval_that_dies_is_one_effect_once_it_is_repeated(
    shop: Commerce, url: str, sql: asyncpg.Connection, world: World, place: str
) -> None:
    support = await person(shop, "support")
    made = await gesture(shop, await ticket(shop, world, "ann"), 2_000)
    process = FORKS.Process(
        target=decider.main, args=(decider.Yes(url, support, made.proposal, f"approval.decision.{place}"),)
    )
    process.start()
    await asyncio.to_thread(process.join, 60)
    assert process.exitcode == -signal.SIGKILL, "the process must have died there"
    committed = place == "after_commit"
    status = "select status from agent_proposals where id = $1"
    assert await sql.fetchval(status, made.proposal) == ("accepted" if committed else "waiting")
    assert await effects(sql, made.proposal) == ((1, 1, 1) if committed else (0, 0, 0))
    assert (await decide(shop, support, made.proposal)).status == "accepted"
    assert await effects(sql, made.proposal) == (1, 1, 1)
    said = await sql.fetch("select decider from agent_decisions where proposal_id = $1", made.proposal)
    assert [row["decider"] for row in said] == [support.subject]
