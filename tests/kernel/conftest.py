"""Brokers run once per session; each module has topics of its own."""

import logging
from collections.abc import AsyncIterator

import pytest

from commerce.app import Commerce
from kernel.transport import Transport
from tests.factories.carriers import KAFKAS, Carrier, broker, carrier
from tests.factories.kafka import Broker

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
async def kafka() -> AsyncIterator[Broker]:
    found = broker(KAFKAS[0])
    try:
        await found.start()
        yield found
    finally:
        await found.remove()


@pytest.fixture(scope="module")
async def on(request: pytest.FixtureRequest, kafka: Broker) -> Carrier:
    return carrier(None if request.param == "postgres" else kafka)


@pytest.fixture
async def transport(on: Carrier, shop: Commerce) -> AsyncIterator[Transport]:
    found = on.transport(shop.database)
    yield found
    await found.close()
