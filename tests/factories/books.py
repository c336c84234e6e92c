"""The laws that hold whatever happened to orders: what tests of changes look at, with a superuser's eyes."""

from typing import Any
from uuid import UUID

import asyncpg

LAWS = {
    "a gift card is its ledger account": """
        select g.id from payment_gift_cards g join ledger_accounts a on a.kind = 'gift_card' and a.owner_id = g.id
        where g.balance < 0 or g.balance <> (
          select coalesce(sum(case when e.credit_id = a.id then e.amount else -e.amount end), 0) from ledger_entries e
          where e.credit_id = a.id or e.debit_id = a.id)""",
    "a payment gives back at most what it took": """
        select id from payment_intents where refunded + refunding > captured or captured > amount""",
    "what is captured and not given back is owed to merchants": """
        select i.reference_id from payment_intents i group by i.reference_id
        having sum(i.captured - i.refunded) <> (
          select coalesce(sum(case when c.kind = 'sales' then e.amount else -e.amount end), 0) from ledger_entries e
          join ledger_accounts c on c.id = e.credit_id join ledger_accounts d on d.id = e.debit_id
          where e.reference_id = i.reference_id and 'sales' in (c.kind, d.kind))""",
    "an order is the sum of its lines": """
        select o.id from orders o join order_lines l on l.order_id = o.id group by o.id
        having sum(l.subtotal) <> o.subtotal or sum(l.discount) <> o.discount
          or o.total <> o.subtotal - o.discount + o.shipping + case when o.tax_included then 0 else o.tax end""",
    "a purchase is the sum of its orders": """
        select g.id from order_groups g join orders o on o.group_id = g.id group by g.id having sum(o.total) <> g.total""",
    "a line gives back at most what it cost": """
        select l.id from order_lines l join orders o on o.id = l.order_id
        where l.refunded > l.subtotal - l.discount + case when o.tax_included then 0 else l.tax end
           or l.shipped + l.cancelled > l.quantity""",
    "movements are the balance of every level": """
        select l.id from inventory_levels l left join inventory_movements m on m.level_id = l.id
        group by l.id having (l.on_hand, l.reserved, l.allocated)
          <> (coalesce(sum(m.on_hand), 0), coalesce(sum(m.reserved), 0), coalesce(sum(m.allocated), 0))""",
    "nothing is promised twice": """
        select id from inventory_levels where reserved + allocated > on_hand + backorder_limit + short""",
    "promises are what levels keep": """
        select l.id from inventory_levels l
        where (l.reserved, l.allocated) <> (
          (select coalesce(sum(quantity), 0) from inventory_reservations r where r.level_id = l.id and status = 'held'),
          (select coalesce(sum(quantity), 0) from inventory_reservations r where r.level_id = l.id and status = 'allocated'))""",
    "what is allocated to a purchase is what its lines still wait for": """
        select g.id from order_groups g where g.status = 'confirmed' and exists (
          select from (
            select variant_id, sum(units) as units from (
              select l.variant_id, l.quantity - l.cancelled - l.shipped as units from order_lines l
              join orders o on o.id = l.order_id where o.group_id = g.id
              union all
              select r.variant_id, -r.quantity from inventory_reservations r
              where r.reference_id = g.id and r.status = 'allocated') both_sides
            group by variant_id) wrong where units <> 0)""",
    "bins are the level": """
        select l.id from inventory_levels l where coalesce((
          select sum(quantity) from warehouse_bin_stock s where s.level_id = l.id), 0)
          <> case when l.binned then l.on_hand else 0 end""",
    "moves are what lies in bins": """
        select s.bin_id from warehouse_bin_stock s where s.quantity <> coalesce((
          select sum(case when m.to_bin = s.bin_id then m.quantity else -m.quantity end) from warehouse_moves m
          where m.level_id = s.level_id and s.bin_id in (m.to_bin, m.from_bin)), 0)""",
    "a level is short by what is promised and not there": """
        select id from inventory_levels where short > greatest(0, reserved + allocated - on_hand - backorder_limit)""",
    "what was picked is sent, or lies ready": """
        select p.order_line_id from warehouse_picking_lines p join order_lines o on o.id = p.order_line_id
        where p.picked > p.quantity or p.packed > p.picked or o.shipped > p.picked""",
    "what is to be picked is what is not cancelled": """
        select l.id from order_lines l join warehouse_picking_lines p on p.order_line_id = l.id
        join warehouse_tasks t on t.order_id = l.order_id and t.status = 'open'
        where p.quantity <> l.quantity - l.cancelled or p.variant_id <> l.variant_id""",
    "refunds of an order are at most what was captured for it": """
        select o.id from orders o join refunds r on r.order_id = o.id and r.status not in ('failed', 'rejected')
        group by o.id, o.total, o.group_id
        having sum(r.amount) > o.total
          or sum(r.amount) > (select sum(captured) from payment_intents where reference_id = o.group_id)""",
    "refunds of a line are at most what was paid for it": """
        select l.id from order_lines l join orders o on o.id = l.order_id join refund_lines f on f.order_line_id = l.id
        join refunds r on r.id = f.refund_id and r.status not in ('failed', 'rejected')
        group by l.id, o.tax_included
        having sum(f.amount) + l.refunded > l.subtotal - l.discount + case when o.tax_included then 0 else l.tax end
          or sum(f.quantity) + (select coalesce(sum(exchanged), 0) from return_lines x where x.order_line_id = l.id)
             > l.quantity""",
    "no more comes back than was sent": """
        select l.id from order_lines l where l.returned > l.shipped or l.returned <> (
          select coalesce(sum(x.received), 0) from return_lines x where x.order_line_id = l.id)
        union all
        select id from return_lines where not (quantity >= received and received >= inspected and inspected >= passed
          and passed >= refunded + exchanged)""",
    "what is set aside for an exchange is for one that is still open": """
        select q.id from return_requests q join inventory_reservations r on r.reference_id = q.replacement_id
        left join order_groups g on g.id = q.replacement_id
        where r.status in ('held', 'allocated') and g.id is null and q.status = 'completed'""",
}


async def owed(sql: asyncpg.Connection, group: UUID) -> int:
    """What merchants are owed for a purchase, minor units."""
    query = """
        select coalesce(sum(case c.kind when 'sales' then e.amount else 0 end)
                      - sum(case d.kind when 'sales' then e.amount else 0 end), 0)::bigint
        from ledger_entries e join ledger_accounts c on c.id = e.credit_id join ledger_accounts d on d.id = e.debit_id
        where e.reference_id = $1"""
    return await sql.fetchval(query, group)


async def shelf(sql: asyncpg.Connection, variant: UUID) -> tuple[int, int]:
    """On hand and allocated of a variant that lies in one place; the movements must say the same."""
    level = await sql.fetchrow("select id, on_hand, allocated from inventory_levels where variant_id = $1", variant)
    assert level["id"] not in (await broken(sql)).get("movements are the balance of every level", [])
    return level["on_hand"], level["allocated"]


async def broken(sql: asyncpg.Connection) -> dict[str, list[Any]]:
    """The laws that do not hold, with the rows that break them; empty when all is well."""
    found = {law: [row[0] for row in await sql.fetch(query)] for law, query in LAWS.items()}
    return {law: rows for law, rows in found.items() if rows}


async def whole_state(sql: asyncpg.Connection, group: UUID) -> list[Any]:
    """Everything of a purchase that a refused call must leave as it is."""
    queries = (
        "select status, total from order_groups where id = $1",
        "select id, status, payment_status, fulfillment_status, subtotal, discount, shipping, tax, total from orders "
        "where group_id = $1 order by id",
        "select l.* from order_lines l join orders o on o.id = l.order_id where o.group_id = $1 order by l.id",
        "select id, status, authorised, captured, refunded, refunding from payment_intents where reference_id = $1 order by id",
        "select id, status from payment_refunds where reference_id = $1 order by id",
        "select id, status, failure from order_modifications where group_id = $1 order by id",
        "select id, amount from ledger_entries where reference_id = $1 order by id",
        "select level_id, quantity, status from inventory_reservations where reference_id = $1 order by level_id",
        "select p.* from warehouse_picking_lines p join warehouse_tasks t using (order_id) where t.group_id = $1 "
        "order by order_line_id",
    )
    return [[tuple(row) for row in await sql.fetch(query, group)] for query in queries]
