"""Where conversations stand between turns: LangGraph's Postgres saver, in a schema of its own.

The saver keeps its own tables and migrates them; they are not ours, so they lie in `agent_memory`, beside the schema
that our migrations own. Lost checkpoints lose context, never an effect: those are in `agent_tool_calls`. So a turn does
not wait for the disk here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection, AsyncCursor, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

SCHEMA = "agent_memory"
SETUP_LOCK = 7_206_004
T = TypeVar("T")

_PUT = """
with kept as (
  insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
  select %s, %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::bytea[])
  on conflict (thread_id, checkpoint_ns, channel, version) do nothing
)
insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
values (%s, %s, %s, %s, %s, %s)
on conflict (thread_id, checkpoint_ns, checkpoint_id)
do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata
"""


class Saver(AsyncPostgresSaver):
    """The same rows in fewer round trips: one for what a turn reads, one for what it writes, each on a connection of its
    own, so that no turn waits for another's. A connection that has died is noticed by whoever uses it next."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[DictRow]]) -> None:
        super().__init__(pool)
        self._pool = pool

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._surely(lambda: super(Saver, self).aget_tuple(config))

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        place = config["configurable"]
        thread, namespace = place["thread_id"], place["checkpoint_ns"]
        values = checkpoint["channel_values"]
        plain = {name: value for name, value in values.items() if value is None or isinstance(value, str | int | float)}
        blobs = {name: value for name, value in values.items() if name not in plain}
        versions = {name: version for name, version in new_versions.items() if name in blobs}
        rows = [row[2:] for row in self._dump_blobs(thread, namespace, blobs, versions)]
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
        args = (
            *(thread, namespace, *columns),
            *(thread, namespace, checkpoint["id"], place.get("checkpoint_id")),
            Jsonb({**checkpoint, "channel_values": plain}),
            Jsonb(get_serializable_checkpoint_metadata(config, metadata)),
        )
        await self._surely(lambda: self._write(args))
        return {"configurable": {"thread_id": thread, "checkpoint_ns": namespace, "checkpoint_id": checkpoint["id"]}}

    async def _write(self, args: tuple[Any, ...]) -> None:
        async with self._cursor() as cursor:
            await cursor.execute(_PUT, args, binary=True)

    async def _surely(self, call: Callable[[], Awaitable[T]]) -> T:
        """Does it once more on sound connections when the first try met a broken one; both are the same twice."""
        try:
            return await call()
        except OperationalError:
            await self._pool.check()
            return await call()

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        if pipeline:
            async with super()._cursor(pipeline=True) as cursor:
                yield cursor
        else:
            async with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
                yield cursor


@asynccontextmanager
async def checkpoints(url: str, size: int = 8) -> AsyncIterator[Saver]:
    """The saver on a pool of its own; its tables are made at the first start."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("select pg_advisory_lock(%s)", (SETUP_LOCK,))
        await connection.execute(f"create schema if not exists {SCHEMA}")
        settings = {**options, "options": f"-c search_path={SCHEMA} -c synchronous_commit=off -c jit=off"}
        pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            url, min_size=1, max_size=size, open=False, kwargs=settings
        )
        await pool.open(wait=True)
        saver = Saver(pool)
        await saver.setup()
        await connection.execute("select pg_advisory_unlock(%s)", (SETUP_LOCK,))
    try:
        yield saver
    finally:
        await pool.close()
