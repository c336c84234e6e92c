"""The model port over real HTTP: streaming, tool calls, and what happens when the endpoint does not do its part."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from pydantic import SecretStr

from agents.models import FAILURES_MOST, NOTICE, Models
from evals.endpoint import Endpoint, endpoint
from kernel.settings import Settings
from tests.conftest import settings
from tests.fakes.models import Script
from tools.spec import TOOLS

TEXT = [HumanMessage("hello")]


@pytest.fixture
async def server() -> AsyncIterator[Endpoint]:
    async with endpoint() as found:
        yield found


def models(server: Endpoint, **changes: Any) -> Models:
    known = {"openai_base_url": server.base_url, "openai_api_key": SecretStr("sk-test"), "model_name": "local"}
    return Models(
        settings(**{**known, "model_timeout": 2.0, **changes}), Script(lines=["planned"] * 9, asked=[], bound=[])
    )


async def test_text_is_streamed_and_counted(server: Endpoint) -> None:
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    reply = await models(server, model_price_in=2.0, model_price_out=10.0).answer("standard", TEXT, [], hear)
    assert reply.message.text.strip() == "Hello from the model."
    assert "".join(heard) == reply.message.text
    assert len(heard) > 2
    assert (reply.model, reply.notice, reply.tokens_in, reply.tokens_out) == ("local", None, 11, 7)
    assert reply.cost_micro == 11 * 2 + 7 * 10
    assert server.keys == ["Bearer sk-test"]


async def test_tool_calls_arrive_whole(server: Endpoint) -> None:
    server.says = [{"name": "get_order", "args": {"order": "A100001"}}]
    reply = await models(server).answer("standard", TEXT, [TOOLS["get_order"].schema])
    assert reply.message.tool_calls == [
        {"name": "get_order", "args": {"order": "A100001"}, "id": "call_1", "type": "tool_call"}
    ]
    assert server.heard[0]["tools"][0]["function"]["name"] == "get_order"


@pytest.mark.parametrize("mode", ["slow", "hollow", "malformed", "not_json", "empty", "500", "429"])
async def test_a_bad_endpoint_costs_two_seconds_at_the_most_and_the_planner_says_so(
    server: Endpoint, mode: str
) -> None:
    server.mode, server.says = mode, [{"name": "get_order", "args": {}}] * 3 if mode == "malformed" else []
    began = time.monotonic()
    reply = await models(server).answer("standard", TEXT, [])
    assert time.monotonic() - began < 2.0
    assert (reply.message.text, reply.model, reply.notice) == ("planned", "offline", NOTICE)


async def test_an_endpoint_that_is_not_there(server: Endpoint) -> None:
    found = models(server, openai_base_url="http://127.0.0.1:9/v1")
    reply = await found.answer("standard", TEXT, [])
    assert (reply.message.text, reply.notice) == ("planned", NOTICE)


async def test_one_failure_is_tried_again(server: Endpoint) -> None:
    server.mode = "flaky"
    reply = await models(server).answer("standard", TEXT, [])
    assert (reply.message.text.strip(), reply.notice) == ("Hello from the model.", None)
    assert len(server.heard) == 2


async def test_an_endpoint_that_keeps_failing_is_left_alone(server: Endpoint) -> None:
    server.mode, found = "500", models(server)
    for _ in range(4):
        await found.answer("standard", TEXT, [])
    assert len(server.heard) == FAILURES_MOST


async def test_without_a_key_or_when_told_so_nobody_is_asked(server: Endpoint) -> None:
    for found in (models(server, openai_api_key=None), models(server, model="offline")):
        reply = await found.answer("standard", TEXT, [])
        assert (reply.message.text, reply.notice) == ("planned", None)
    assert server.heard == []


def test_the_patience_is_a_setting() -> None:
    assert Settings().model_patience == 1.5
