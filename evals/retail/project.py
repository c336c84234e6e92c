"""The state of a customer and their orders as the benchmark writes it, read by SQL from our tables."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from evals.retail.convert import COUNTRIES, KINDS

Json = dict[str, Any]
SOURCE = "retail"
_BACK = {code: name for name, code in COUNTRIES.items()}
_SOURCES = {ours: theirs for theirs, ours in KINDS.items()}

_PLACE = """jsonb_build_object('address1', a.line1, 'address2', a.line2, 'city', a.city, 'country', a.country, 'state',
       a.region, 'zip', a.postal_code)"""


def _name(kind: str, ours: str) -> str:
    """A subquery: what the source calls a thing of ours."""
    return (
        f"(select external_id from integration_external_references where source = $2 and kind = '{kind}' "
        f"and internal_id = {ours})"
    )


# $1 customers, $2 source
_USERS = f"""
select {_name("customer", "c.id")} as user_id, c.email,
       jsonb_build_object('first_name', c.first_name, 'last_name', c.last_name) as name,
       (select {_PLACE} from customer_addresses a where a.customer_id = c.id and a.is_default) as address,
       (select coalesce(jsonb_agg(jsonb_build_object('id', {_name("payment_method", "m.id")}, 'kind', m.kind, 'brand',
               m.brand, 'last_four', m.last4, 'balance', g.balance)), '[]')
        from payment_methods m left join payment_gift_cards g on g.id = m.gift_card_id
        where m.customer_id = c.id and m.active) as payment_methods,
       (select coalesce(jsonb_agg({_name("order", "o.id")} order by o.id), '[]') from orders o
        where o.customer_id = c.id and exists (select from integration_external_references r
        where r.source = $2 and r.kind = 'order' and r.internal_id = o.id)) as orders
from customers c where c.id = any($1)
"""

_ITEMS = f"""
select jsonb_agg(jsonb_build_object('name', l.name, 'product_id', {_name("product", "l.product_id")}, 'item_id', l.sku,
       'price', l.unit_minor, 'options', l.options) order by l.id, n)
from order_lines l, generate_series(1, l.quantity) n where l.order_id = o.id"""

_PARCELS = """
select jsonb_agg(jsonb_build_object('tracking_id', s.tracking, 'item_ids', (
         select jsonb_agg(l.sku order by l.id) from shipment_lines t join order_lines l on l.id = t.order_line_id
         where t.shipment_id = s.id)) order by s.id)
from shipments s where s.order_id = o.id"""

# What was paid and given back, and a change of items that cost nothing as a refund of nothing.
_MONEY = f"""
select jsonb_agg(jsonb_build_object('transaction_type', type, 'amount', amount, 'payment_method_id', method) order by id)
from (
  select t.id, case t.kind when 'capture' then 'payment' else 'refund' end as type, t.amount,
         {_name("payment_method", "coalesce(f.method_id, i.method_id)")} as method
  from payment_intents i join payment_transactions t on t.intent_id = i.id and t.kind in ('capture', 'refund')
  left join payment_refunds f on f.intent_id = i.id and t.key = 'refund.' || replace(f.id::text, '-', '')
  where i.reference_id = o.group_id
  union all
  select m.id, 'refund', 0, {_name("payment_method", "m.method_id")} from order_modifications m
  where m.order_id = o.id and m.kind = 'items' and m.status = 'applied' and m.difference = 0 and m.method_id is not null
) rows"""

_STATUS = """case
  when o.status = 'cancelled' then 'cancelled'
  when q.resolution = 'exchange' then 'exchange requested'
  when q.resolution = 'refund' then 'return requested'
  when o.status = 'delivered' then 'delivered'
  when o.fulfillment_status not in ('unfulfilled', 'picking') then 'processed'
  when exists (select from order_modifications m where m.order_id = o.id and m.kind = 'items' and m.status = 'applied')
    then 'pending (item modified)'
  else 'pending' end"""


def _sent_back(what: str, source: str) -> str:
    return (
        f'(select jsonb_agg({what} order by {what} collate "C") from return_lines b join order_lines l '
        f"on l.id = b.order_line_id {source}, generate_series(1, b.quantity) where b.return_id = q.id)"
    )


# $1 customers, $2 source
_ORDERS = f"""
select {_name("order", "o.id")} as order_id, {_name("customer", "o.customer_id")} as user_id, {_STATUS} as status,
       (select {_PLACE} from order_addresses a where a.group_id = o.group_id) as address,
       ({_ITEMS}) as items, ({_PARCELS}) as fulfillments, ({_MONEY}) as payment_history, x.reason as cancel_reason,
       q.resolution, q.difference, {_name("payment_method", "q.method_id")} as settled_by,
       {_sent_back("l.sku", "")} as sent_back,
       {_sent_back("v.sku", "join return_exchanges e on e.return_line_id = b.id join product_variants v on v.id = e.variant_id")}
         as wanted
from orders o left join order_cancellations x on x.order_id = o.id
left join return_requests q on q.order_id = o.id and q.status not in ('rejected', 'cancelled')
where o.customer_id = any($1) and exists (select from integration_external_references r
  where r.source = $2 and r.kind = 'order' and r.internal_id = o.id) order by o.id
"""


async def project(sql: Any, customers: Sequence[UUID]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Users and orders of these customers by their external ids."""
    users = [_user(_plain(row)) for row in await sql.fetch(_USERS, list(customers), SOURCE)]
    orders = [_order(_plain(row)) for row in await sql.fetch(_ORDERS, list(customers), SOURCE)]
    return {user["user_id"]: user for user in users}, {order["order_id"]: order for order in orders}


def _plain(row: Any) -> Json:
    """A row whose JSON columns are read."""
    texts = {"name", "address", "payment_methods", "orders", "items", "fulfillments", "payment_history"}
    lists = {*texts, "sent_back", "wanted"}
    return {name: orjson.loads(value) if name in lists and value else value for name, value in row.items()}


def _user(row: Json) -> Json:
    methods = {method["id"]: _method(method) for method in row["payment_methods"]}
    return {**row, "address": _place(row["address"]), "payment_methods": methods}


def _method(method: Json) -> Json:
    found = {"source": _SOURCES[method["kind"]], "id": method["id"]}
    if method["kind"] == "gift_card":
        return {**found, "balance": _amount(method["balance"])}
    return {**found, "brand": method["brand"], "last_four": method["last_four"]} if method["last_four"] else found


def _order(row: Json) -> Json:
    parcels = [{**one, "tracking_id": one["tracking_id"].split(",")} for one in row["fulfillments"] or []]
    found = {
        "order_id": row["order_id"],
        "user_id": row["user_id"],
        "address": _place(row["address"]),
        "items": [{**item, "price": _amount(item["price"])} for item in row["items"]],
        "status": row["status"],
        "fulfillments": parcels,
        "payment_history": [{**paid, "amount": _amount(paid["amount"])} for paid in row["payment_history"] or []],
    }
    if row["cancel_reason"]:
        found["cancel_reason"] = row["cancel_reason"]
    if row["resolution"] == "exchange":
        found["exchange_items"] = row["sent_back"]
        found["exchange_new_items"] = row["wanted"]
        found["exchange_payment_method_id"] = row["settled_by"]
        found["exchange_price_difference"] = _amount(row["difference"])
    if row["resolution"] == "refund":
        found["return_items"] = row["sent_back"]
        found["return_payment_method_id"] = row["settled_by"]
    return found


def _place(place: Json) -> Json:
    return {**place, "country": _BACK.get(place["country"], place["country"])}


def _amount(minor: int) -> float:
    """Cents as dollars, as the benchmark writes them."""
    return minor / 100
