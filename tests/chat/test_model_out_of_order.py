"""Whatever a language model does wrong, chat answers within two seconds, says so, and the shop sells on."""

import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from agents.models import NOTICE
from commerce.app import Commerce
from evals.endpoint import Endpoint, endpoint
from tests.chat.test_chat_api import confirm, say, text, thread
from tests.conftest import served
from tests.factories.api import signed_in
from tests.factories.world import World

LONGEST = 2.0
"""Seconds until the built-in assistant has answered in the model's place."""
MODES = ("slow", "stalls", "malformed", "not_json", "empty", "refuses", "400", "429", "500", "gone")


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[Endpoint]:
    async with endpoint() as found:
        yield found


@pytest.fixture
async def chat(shop: Commerce, model: Endpoint, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """The whole application on a model that is out of order in one way."""
    mode = request.param
    model.mode, model.says = "ok", []
    url = "http://127.0.0.1:9/v1" if mode == "gone" else model.base_url
    settings = {"openai_base_url": url, "openai_api_key": SecretStr("sk-test"), "model": "auto", "model_timeout": 1.5}
    async with served(shop, **settings) as client:
        ann = await signed_in(client, "ann")
        await say(ann, await thread(ann), "hello")  # loading the agents is not the model's time
        model.mode = "ok" if mode == "gone" else mode
        model.says = [{"name": "get_order", "args": {}}] * 20 if mode == "malformed" else []
        yield client


@pytest.mark.parametrize("chat", MODES, indirect=True)
async def test_a_model_out_of_order_costs_an_answer_two_seconds_at_the_most(
    chat: httpx.AsyncClient, world: World, sql: asyncpg.Connection, settle: Any
) -> None:
    ann = await signed_in(chat, "ann")
    where = await thread(ann)
    began = time.monotonic()
    answer = await say(ann, where, "do you have a mug?")
    assert time.monotonic() - began < LONGEST
    assert "15.00 EUR" in text(answer)
    assert [message["notice"] for message in answer["messages"]] == [NOTICE]
    before = await sql.fetchval("select count(*) from orders where payment_status = 'paid'")
    group = await ann.checkout(await ann.cart({world.variants["pen"]: 1}))
    assert group["status"] == "confirmed"
    asked = await say(ann, where, "add two mugs to my cart")
    await confirm(ann, where, asked)
    asked = await say(ann, where, "buy my cart with my saved card")
    await confirm(ann, where, asked)
    await settle()
    assert await sql.fetchval("select count(*) from orders where payment_status = 'paid'") == before + 2
