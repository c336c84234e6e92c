"""The consumer: reads a group's events and lets each reaction have its part of the batch, through the inbox."""

from collections.abc import Sequence

from kernel.db import Database
from kernel.events import UNREADABLE, Message
from kernel.inbox import Consumer, bury, deliver
from kernel.transport import Subscription, Transport
from workers.subscriptions import topics

BATCH = 200


class Reader:
    """One reader of a consumer group. Made with `open`, since subscribing talks to the transport."""

    def __init__(
        self, database: Database, subscription: Subscription, group: str, consumers: Sequence[Consumer]
    ) -> None:
        self._database = database
        self._group = group
        self._subscription = subscription
        self._consumers = consumers

    @classmethod
    async def open(
        cls, database: Database, transport: Transport, group: str, consumers: Sequence[Consumer]
    ) -> "Reader":
        return cls(database, await transport.subscribe(group, topics(list(consumers))), group, consumers)

    async def step(self) -> int:
        """One batch: effects first, the read position after them. What fails on the way (a database that goes) is read
        again: the next batch must not commit past it."""
        messages = await self._subscription.fetch(BATCH, 0.0)
        try:
            await self._deliver(messages)
            if messages:
                await self._subscription.commit()
        except BaseException:
            await self._subscription.rewind()
            raise
        return len(messages)

    async def _deliver(self, messages: Sequence[Message]) -> None:
        for consumer in self._consumers:
            await deliver(self._database, consumer, messages)
        for message in messages:
            if message.type == UNREADABLE:
                await bury(self._database, self._group, message)

    async def close(self) -> None:
        await self._subscription.close()
