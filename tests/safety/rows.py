"""What the database holds, as digests that can be compared, and what must be true of it at any time."""

from typing import Any

import asyncpg

JOURNAL = frozenset(
    {
        *("agent_runs", "agent_model_calls", "agent_tool_calls", "agent_usage", "audit_log"),
        *("agent_proposals", "agent_decisions", "agent_caps"),
        *("chat_threads", "chat_messages", "chat_confirmations", "chat_handoffs", "chat_blocked"),
        *("outbox_events", "outbox_sequences", "transport_cursors", "transport_marks", "inbox_events"),
        *("gateway_usage", "recall_changes", "schedules", "alembic_version"),
    }
)
"""What an agent leaves behind of itself: what it wanted, not what came of it."""
TALK = frozenset(
    {"support_tickets", "support_ticket_messages", "support_ticket_events", "notifications", "order_notes"}
)
"""Where notes and notices of harmless proposals go."""
TABLES = (
    "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') "
    "and not c.relispartition order by 1"
)


async def digests(sql: asyncpg.Connection, but: frozenset[str] = JOURNAL) -> dict[str, Any]:
    """Rows and digest of every table."""
    tables = [row["relname"] for row in await sql.fetch(TABLES) if row["relname"] not in but]
    query = "select count(*), md5(string_agg(t::text, '|' order by t::text)) from {} t"
    return {table: tuple(await sql.fetchrow(query.format(table))) for table in tables}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [table for table in before if before[table] != after[table]]
