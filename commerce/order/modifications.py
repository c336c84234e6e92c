"""Modifications: what changes an order after it was placed. Every one is a row; the policy of its channel allows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from commerce.order import rules
from commerce.order.errors import ChangeInProgress, ChangeSpent, NotChangeable, OrderNotFound, ReasonNotAllowed
from commerce.order.events import OrderCancelled, OrderModified
from commerce.order.permissions import CHANGE_ORDERS, READ_ORDERS
from commerce.order.replacing import OrderAfter
from commerce.order.schemas import ModificationView
from commerce.order.tables import Modification, Order, OrderGroup, OrderLine
from commerce.pricing import ChannelFacts, PricingService
from commerce.pricing.policy import Rule
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import money

Kind = Literal["items", "payment", "address", "cancel", "cancel_lines"]
WHOLE = frozenset({"payment", "address", "cancel"})
"""Kinds that concern every order of the purchase."""

_DONE = """
select count(*) filter (where kind = 'items') as items, count(*) filter (where kind = $2) as same,
       count(*) filter (where status = 'requested') as requested
from order_modifications where order_id = any($1) and status <> 'failed'
"""

# $1 id, arrays: $2 lines, $3 quantities, $4 variants, $5 skus, $6 options, $7 units, new: $8 variants, $9 skus, $10 options,
# $11 units; $12 amounts
_LINES = """
insert into order_modification_lines (modification_id, position, order_line_id, quantity, variant_id, sku, options,
                                      unit_minor, new_variant_id, new_sku, new_options, new_unit_minor, amount)
select $1, l.* from (
  select row_number() over () as position, l.*
  from unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::jsonb[], $7::bigint[], $8::uuid[], $9::text[],
              $10::jsonb[], $11::bigint[], $12::bigint[]) l) l
"""

# $1 modification, $2 order, lines: $3 ids, $4 variants, $5 products, $6 skus, $7 names, $8 options, $9 quantities, $10 units,
# $11 discounts, $12 rates, $13 taxes
_GIVEN = """
with given as (
  select * from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[], $9::bigint[], $10::bigint[],
                       $11::bigint[], $12::numeric[], $13::bigint[])
    g(id, variant_id, product_id, sku, name, options, quantity, unit_minor, discount, tax_rate, tax)
)
"""
_REWRITE = f"""{_GIVEN}
update order_lines l set variant_id = g.variant_id, product_id = g.product_id, sku = g.sku, name = g.name,
       options = g.options, quantity = g.quantity, unit_minor = g.unit_minor, subtotal = g.quantity * g.unit_minor,
       discount = g.discount, tax_rate = g.tax_rate, tax = g.tax, modification_id = $1
from given g where l.id = g.id and l.order_id = $2 and l.cancelled = 0 and l.shipped = 0
"""
_ADD = f"""{_GIVEN}
insert into order_lines (id, order_id, variant_id, product_id, sku, name, options, quantity, unit_minor, subtotal,
                         discount, tax_rate, tax, modification_id)
select id, $2::uuid, variant_id, product_id, sku, name, options, quantity, unit_minor, quantity * unit_minor, discount,
       tax_rate, tax, $1::uuid from given
"""

# $1 order, $2 now, $3 subtotal, $4 discount, $5 tax, $6 total
_SUMS = """
with changed as (
  update orders set subtotal = $3, discount = $4, tax = $5, total = $6, updated_at = $2 where id = $1
  returning group_id, total
), before as (select total from orders where id = $1)
update order_groups g set total = g.total + changed.total - before.total, updated_at = $2
from changed, before where g.id = changed.group_id
"""

# $1 lines, $2 units, $3 amounts: guarded by what is not yet shipped or cancelled
_CANCEL = """
update order_lines l set cancelled = l.cancelled + g.units, refunded = l.refunded + g.amount
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) g(id, units, amount)
where l.id = g.id and l.shipped + l.cancelled + g.units <= l.quantity
"""

# $1 order, $2 now: an order nothing is left of is cancelled, and the purchase with its last order
_EMPTIED = """
with emptied as (
  update orders set status = 'cancelled', fulfillment_status = 'unfulfilled', updated_at = $2
  where id = $1 and status in ('confirmed', 'processing')
    and not exists (select from order_lines where order_id = $1 and cancelled < quantity) returning group_id
), closed as (
  update order_groups g set status = 'cancelled', updated_at = $2 from emptied
  where g.id = emptied.group_id
    and not exists (select from orders o where o.group_id = g.id and o.id <> $1 and o.status <> 'cancelled') returning g.id
)
select (select count(*) from emptied) as emptied, (select count(*) from closed) as closed
"""

_SETTLED = """
with changed as (
  update order_modifications set status = case when $3::text is null then 'applied' else 'failed' end, failure = $3,
         updated_at = $2 where id = $1 and status = 'requested' returning order_id
)
select order_id from changed
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """An order locked for a change; `orders` are those of its purchase that are not cancelled, in id order."""

    order: Order
    orders: list[Order]
    group: OrderGroup
    channel: ChannelFacts

    def allow_reason(self, reason: str) -> None:
        """Raises ReasonNotAllowed unless it is one of the shop's own."""
        if reason not in self.channel.policy.cancel_reasons:
            raise ReasonNotAllowed(allowed=", ".join(self.channel.policy.cancel_reasons))

    @property
    def numbers(self) -> str:
        """The orders of the purchase in words; a purchase goes through as a whole."""
        numbers = sorted(order.number for order in self.orders)
        return f"order {numbers[0]}" if len(numbers) == 1 else f"orders {', '.join(numbers)}"

    @property
    def ids(self) -> list[UUID]:
        return [order.id for order in self.orders]


@dataclass(frozen=True, slots=True)
class Entry:
    """Units of a line that a modification takes; `amount` is what that adds to the order's total, minor units."""

    line: OrderLine
    quantity: int
    amount: int
    new_variant_id: UUID | None = None
    new_sku: str | None = None
    new_options: dict[str, str] | None = None
    new_unit_minor: int | None = None


class Modifications:
    def __init__(self, pricing: PricingService) -> None:
        self._pricing = pricing
        self._groups = Repository(OrderGroup, "customer_id", "guest_key")
        self._orders = Repository(Order, "customer_id", "guest_key", "merchant_id")
        self._lines = Repository(OrderLine)
        self._rows = Repository(Modification)

    async def open(self, work: Work, order_id: UUID, kind: Kind) -> Opened:
        """Locks the purchase of an order of the caller and asks its channel's policy whether it may still change so.

        Raises OrderNotFound, NotChangeable, ChangeSpent, ChangeInProgress."""
        work.principal.require(CHANGE_ORDERS)
        found = await self._orders.get(work, order_id)
        group = await self._groups.get(work, found.group_id) if found else None
        if found is None or group is None:
            raise OrderNotFound()
        channel = await self._pricing.channel_by_id(work, group.channel_id)
        rule: Rule = getattr(channel.policy, kind)
        rows = await work.rows("select id from orders where group_id = $1", group.id)
        orders = await self._orders.lock(work, [row["id"] for row in rows])
        (order,) = (one for one in orders if one.id == order_id)
        live = [one for one in orders if one.status != "cancelled" or one.id == order_id]
        for one in [order, *live] if kind in WHOLE else [order]:
            if not rules.open_for(rule, one.status, one.fulfillment_status):
                raise NotChangeable.of(kind, one.status, one.id != order_id)
        ids = [one.id for one in live] if kind in WHOLE else [order_id]
        done = await work.row(_DONE, ids, kind)
        assert done is not None
        if done["requested"]:
            raise ChangeInProgress()
        if (rule.most is not None and done["same"] >= rule.most) or (done["items"] and not rule.after_items):
            raise ChangeSpent()
        return Opened(order, live, group, channel)

    async def lines(self, work: Work, order_id: UUID) -> list[OrderLine]:
        """The lines of an order in their order, those that are cancelled included."""
        work.principal.require(READ_ORDERS)
        return await self._lines.all(work, self._lines.table.c.order_id == order_id)

    async def begin(
        self,
        work: Work,
        opened: Opened,
        modification_id: UUID,
        kind: Literal["items", "payment", "address", "cancel_lines"],
        difference: int,
        entries: Sequence[Entry] = (),
        *,
        method_id: UUID | None = None,
        reason: str | None = None,
    ) -> None:
        """Writes down what is about to change; it is `requested` until it was applied, or failed."""
        row = Modification(
            id=modification_id,
            group_id=opened.group.id,
            order_id=opened.order.id,
            kind=kind,
            status="requested",
            reason=reason,
            method_id=method_id,
            difference=difference,
            currency=opened.order.currency,
            actor=work.principal.subject,
            failure=None,
            created_at=work.now,
            updated_at=work.now,
        )
        with law("ix_order_modifications_open", ChangeInProgress()):
            await self._rows.add(work, row)
        if entries:
            lines = [entry.line for entry in entries]
            await work.run(
                _LINES,
                *(row.id, [x.id for x in lines], [e.quantity for e in entries], [x.variant_id for x in lines]),
                *([x.sku for x in lines], [x.options for x in lines], [x.unit_minor for x in lines]),
                *([e.new_variant_id for e in entries], [e.new_sku for e in entries], [e.new_options for e in entries]),
                *([e.new_unit_minor for e in entries], [e.amount for e in entries]),
            )

    async def note_address(self, work: Work, opened: Opened) -> None:
        """A change of address costs nothing and waits for nothing: it is applied as it is written."""
        modification_id = new_id()
        await self.begin(work, opened, modification_id, "address", 0)
        await work.value(_SETTLED, modification_id, work.now, None)

    # --- applied by the saga of a change, in the transaction that decides it ---

    async def still_open(self, work: Work, order_id: UUID) -> bool:
        """Locks the order again: whether it is still there to be changed, after its money was away for a while."""
        (order,) = await self._orders.lock(work, [order_id])
        return order.status in ("confirmed", "processing") and order.fulfillment_status in rules.UNPACKED

    async def replace(self, work: Work, modification_id: UUID, order_id: UUID, wanted: OrderAfter) -> None:
        """Puts the new lines and sums in place, whole or (by the order's laws) not at all."""
        for statement, fresh in ((_REWRITE, False), (_ADD, True)):
            if lines := [line for line in wanted.lines if line.fresh is fresh]:
                written = await work.run(
                    statement,
                    *(modification_id, order_id, [x.id for x in lines], [x.variant_id for x in lines]),
                    *([x.product_id for x in lines], [x.sku for x in lines], [x.name for x in lines]),
                    *([x.options for x in lines], [x.quantity for x in lines], [x.unit_minor for x in lines]),
                    *([x.discount for x in lines], [x.tax_rate for x in lines], [x.tax for x in lines]),
                )
                assert written == len(lines), "the order was locked since its lines were read"
        await work.run(_SUMS, order_id, work.now, wanted.subtotal, wanted.discount, wanted.tax, wanted.total)
        await work.run("delete from order_fulfillment_plans where order_id = $1 and shipped = 0", order_id)

    async def cancel_units(self, work: Work, order_id: UUID, units: dict[UUID, int], amounts: dict[UUID, int]) -> bool:
        """Marks units of lines as cancelled and what they cost as given back; True when nothing of the order is left."""
        written = await work.run(_CANCEL, list(units), list(units.values()), [amounts[line] for line in units])
        assert written == len(units), "the order was locked since its lines were read"
        await work.run("delete from order_fulfillment_plans where order_id = $1 and shipped = 0", order_id)
        row = await work.row(_EMPTIED, order_id, work.now)
        assert row is not None
        return bool(row["emptied"])

    async def applied(self, work: Work, modification_id: UUID) -> None:
        """Closes a modification that is in place. Emits OrderModified, and OrderCancelled when nothing is left."""
        if await work.value(_SETTLED, modification_id, work.now, None) is None:
            return
        row = await self._rows.get(work, modification_id)
        assert row is not None
        change = OrderModified(
            group_id=row.group_id,
            order_ids=[row.order_id],
            modification_id=row.id,
            kind=row.kind,
            difference=row.difference,
            currency=row.currency,
        )
        work.emit(change)
        status = await work.value("select status from order_groups where id = $1", row.group_id)
        if row.kind == "cancel_lines" and status == "cancelled":
            reason = row.reason or "cancelled"
            work.emit(OrderCancelled(group_id=row.group_id, order_ids=[row.order_id], reason=reason))

    async def failed(self, work: Work, modification_id: UUID, failure: str) -> None:
        await work.run(_SETTLED, modification_id, work.now, failure)

    async def refunded(self, work: Work, order_id: UUID) -> None:
        """Says on the order that money of its cancelled units went back."""
        await work.run(
            "update orders set payment_status = case when status = 'cancelled' then 'refunded' "
            "else 'partially_refunded' end, updated_at = $2 where id = $1 and payment_status in ('paid', 'partially_refunded')",
            *(order_id, work.now),
        )

    async def views(self, work: Work, order_id: UUID) -> list[ModificationView]:
        """What changed an order of the caller, oldest first. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        if await self._orders.get(work, order_id) is None:
            raise OrderNotFound()
        return [_view(row) for row in await self._rows.all(work, self._rows.table.c.order_id == order_id)]

    async def view(self, work: Work, modification_id: UUID) -> ModificationView:
        """A change of an order of the caller. Raises OrderNotFound."""
        work.principal.require(READ_ORDERS)
        row = await self._rows.get(work, modification_id)
        if row is None or await self._orders.get(work, row.order_id) is None:
            raise OrderNotFound()
        return _view(row)


def _view(row: Modification) -> ModificationView:
    return ModificationView(
        id=row.id,
        order_id=row.order_id,
        kind=row.kind,
        status=row.status,
        reason=row.reason,
        failure=row.failure,
        difference=money(row.difference, row.currency),
        at=row.created_at,
    )
