"""Where conversations stand between turns: LangGraph's Postgres saver, in a schema of its own.

The saver keeps its own tables and migrates them; they are not ours, so they lie in `agent_memory`, beside the schema
that our migrations own. Lost checkpoints lose context, never an effect: those are in `agent_tool_calls`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

SCHEMA = "agent_memory"
SETUP_LOCK = 7_206_004


@asynccontextmanager
async def checkpoints(url: str, size: int = 8) -> AsyncIterator[AsyncPostgresSaver]:
    """The saver on a pool of its own; its tables are made at the first start."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("select pg_advisory_lock(%s)", (SETUP_LOCK,))
        await connection.execute(f"create schema if not exists {SCHEMA}")
        settings = {**options, "options": f"-c search_path={SCHEMA}"}
        pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            url, min_size=1, max_size=size, open=False, kwargs=settings, check=AsyncConnectionPool.check_connection
        )
        await pool.open(wait=True)
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        await connection.execute("select pg_advisory_unlock(%s)", (SETUP_LOCK,))
    try:
        yield saver
    finally:
        await pool.close()
