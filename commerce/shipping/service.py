"""Shipping rates and promises from tables: no call to anybody, so they may be read inside a checkout."""

from datetime import date
from uuid import UUID

from commerce.shipping.errors import DaysReversed, RateTwice, ShippingMethodUnavailable
from commerce.shipping.permissions import WRITE_RATES
from commerce.shipping.promises import USUAL, Handling, Promise, arrival, promise
from commerce.shipping.schemas import Rate, SetShippingMethod
from kernel.cache import Cache
from kernel.db import Record, Work, law
from kernel.ids import new_id

FRESH = 5.0
"""Seconds a process may go on with the rate tables it read."""

_BRACKETS = """
select m.code, m.name, m.min_days, m.max_days, r.country, r.up_to_g, r.minor, r.free_from_minor
from shipping_methods m join shipping_rates r on r.method_id = m.id
where r.country in ($1, '*') and r.currency = $2 order by m.code, (r.country = '*'), r.up_to_g
"""

# $1 merchant or null: its own rule before the one for everybody
_HANDLING = """
select country, timezone, cutoff_minute, handling_days from shipping_rules
where merchant_id is not distinct from $1 or merchant_id is null order by (merchant_id is null) limit 1
"""


class ShippingService:
    def __init__(self) -> None:
        self._tables: Cache[tuple[str, str], list[Record]] = Cache(FRESH)
        self._handling: Cache[UUID | None, Handling] = Cache(FRESH)

    async def rates(self, work: Work, country: str, currency: str, weight_g: int, subtotal: int) -> list[Rate]:
        """Every method that carries this parcel (grams, subtotal in minor units), cheapest first.

        The own country's table wins over the one for everywhere else; the lightest bracket that carries it counts."""
        table = self._tables.get((country, currency))
        if table is None:
            table = await work.rows(_BRACKETS, country, currency)
            self._tables.put((country, currency), table)
        found: dict[str, Rate] = {}
        for row in table:
            if row["code"] not in found and row["up_to_g"] >= weight_g:
                free = row["free_from_minor"] is not None and subtotal >= row["free_from_minor"]
                minor = 0 if free else row["minor"]
                found[row["code"]] = Rate(row["code"], row["name"], minor, row["min_days"], row["max_days"])
        return sorted(found.values(), key=lambda rate: rate.minor)

    async def rate(self, work: Work, code: str, country: str, currency: str, weight_g: int, subtotal: int) -> Rate:
        """One method's rate. Raises ShippingMethodUnavailable."""
        for rate in await self.rates(work, country, currency, weight_g, subtotal):
            if rate.code == code:
                return rate
        raise ShippingMethodUnavailable(method=code, country=country)

    async def promise(self, work: Work, merchant_id: UUID | None, to: str, min_days: int, max_days: int) -> Promise:
        """When a parcel of a merchant would be in a country if it were ordered now."""
        handling = self._handling.get(merchant_id)
        if handling is None:
            row = await work.row(_HANDLING, merchant_id)
            handling = Handling(*row.values()) if row else USUAL
            self._handling.put(merchant_id, handling)
        return promise(work.now, handling, to, min_days, max_days)

    async def due(self, work: Work, method: str, to: str) -> date | None:
        """The last day a parcel that leaves now may take by a method; None where there is no such method any more."""
        days = await work.row("select min_days, max_days from shipping_methods where code = $1", method)
        return arrival(work.now.date(), to, *days.values()).latest_on if days else None

    async def set_method(self, work: Work, command: SetShippingMethod) -> None:
        """Creates a method or replaces it with its whole rate table. Raises DaysReversed, RateTwice."""
        work.principal.require(WRITE_RATES)
        with law("ck_shipping_methods_days", DaysReversed()):
            method = await work.value(
                "insert into shipping_methods (id, code, name, min_days, max_days) values ($1, $2, $3, $4, $5) "
                "on conflict (code) do update set name = excluded.name, min_days = excluded.min_days, "
                "max_days = excluded.max_days returning id",
                *(new_id(), command.code, command.name, command.min_days, command.max_days),
            )
        await work.run("delete from shipping_rates where method_id = $1", method)
        rates = command.rates
        with law("uq_shipping_rates_method_id_country_currency_up_to_g", RateTwice()):
            await work.run(
                "insert into shipping_rates (id, method_id, country, currency, up_to_g, minor, free_from_minor) "
                "select uuidv7(), $1, * from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])",
                *(method, [r.country for r in rates], [r.currency for r in rates], [r.up_to_g for r in rates]),
                *([r.minor for r in rates], [r.free_from_minor for r in rates]),
            )
