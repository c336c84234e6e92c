"""kill -9 in the middle of a chat turn: the same yes again brings the answer, and the effect is there once."""

import asyncio
import signal
from typing import Any

import asyncpg
import pytest

from commerce.app import Commerce
from tests.agents.test_chat_writes import begun
from tests.faults import talker
from tests.faults.forks import FORKS

POINTS = (
    "chat.begin.after_commit",
    "chat.tool.before_commit",
    "chat.tool.after_commit",
    "chat.model.before_kept",
    "chat.answer.before_commit",
)


@pytest.mark.parametrize("point", POINTS)
async def test_a_turn_that_dies_is_gone_on_with(
    shop: Commerce, url: str, sql: asyncpg.Connection, assistants: Any, principals: Any, point: str
) -> None:
    ann = principals(shop, "ann")
    before = await sql.fetchval("select coalesce(sum(quantity), 0) from cart_lines")
    async with assistants([{"tool": "add_to_cart", "sku": "PEN", "quantity": 2}], "add_to_cart") as (assistant, script):
        thread = await begun(shop, ann)
        asked = await assistant.message(ann, thread, "two pens")
        yes = talker.Yes(url, ann, thread, asked.pending_confirmation.id, point)
        process = FORKS.Process(target=talker.main, args=(yes,))
        process.start()
        await asyncio.to_thread(process.join, 60)
        assert process.exitcode == -signal.SIGKILL, "the process must have died there"
        script.lines = ["Done."]
        answer = await assistant.confirm(ann, thread, yes.confirmation, True)
        assert answer.messages[0].text == "Done."
        assert [(a.tool, a.status) for a in answer.actions] == [("add_to_cart", "done")]
    assert await sql.fetchval("select coalesce(sum(quantity), 0) from cart_lines") == before + 2
    assert await sql.fetchval("select count(*) from agent_runs where cause = $1", yes.confirmation) == 1
    assert await sql.fetchval("select status from chat_confirmations where id = $1", yes.confirmation) == "used"
