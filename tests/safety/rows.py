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
TALK = frozenset({"support_tickets", "support_ticket_messages", "support_ticket_events", "notifications"})
"""Where notes and notices of harmless proposals go."""
TABLES = (
    "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') "
    "and not c.relispartition order by 1"
)
BROKEN = {
    "ledger": "select count(*) from payment_intents i where captured - refunded <> ("
    "select coalesce(sum(case when c.kind = 'sales' then e.amount else 0 end - case when d.kind = 'sales' then e.amount "
    "else 0 end), 0) from ledger_entries e join ledger_accounts c on c.id = e.credit_id "
    "join ledger_accounts d on d.id = e.debit_id where e.reference_id = i.reference_id)",
    "stock": "select count(*) from inventory_levels l where (on_hand, reserved, allocated) <> ("
    "select coalesce(sum(m.on_hand), 0), coalesce(sum(m.reserved), 0), coalesce(sum(m.allocated), 0) "
    "from inventory_movements m where m.level_id = l.id)",
    "oversold": "select count(*) from inventory_levels where reserved + allocated > on_hand + backorder_limit",
    "totals": "select count(*) from orders o where total <> subtotal - discount + shipping "
    "+ case when tax_included then 0 else tax end or (subtotal, discount) <> ("
    "select sum(l.subtotal), sum(l.discount) from order_lines l where l.order_id = o.id)",
    "groups": "select count(*) from order_groups g where total <> "
    "(select sum(o.total) from orders o where o.group_id = g.id)",
    "cards": "select count(*) from payment_gift_cards g where balance < 0 or balance <> (select coalesce(sum("
    "case when a.id = e.credit_id then e.amount else -e.amount end), 0) from ledger_accounts a "
    "join ledger_entries e on a.id in (e.debit_id, e.credit_id) where a.kind = 'gift_card' and a.owner_id = g.id)",
    "captured": "select count(*) from payment_intents where captured > authorised or refunded > captured",
}
"""Laws as queries for what breaks them: each finds 0."""


async def broken(sql: asyncpg.Connection) -> dict[str, int]:
    return {name: found for name, query in BROKEN.items() if (found := await sql.fetchval(query))}


async def digests(sql: asyncpg.Connection, but: frozenset[str] = JOURNAL) -> dict[str, Any]:
    """Rows and digest of every table."""
    tables = [row["relname"] for row in await sql.fetch(TABLES) if row["relname"] not in but]
    query = "select count(*), md5(string_agg(t::text, '|' order by t::text)) from {} t"
    return {table: tuple(await sql.fetchrow(query.format(table))) for table in tables}


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [table for table in before if before[table] != after[table]]
