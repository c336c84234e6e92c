"""Shipping rates from tables: no call to anybody, so they may be read inside a checkout."""

from commerce.shipping.errors import ShippingMethodUnavailable
from commerce.shipping.permissions import WRITE_RATES
from commerce.shipping.schemas import Rate, SetShippingMethod
from kernel.db import Work
from kernel.ids import new_id

# The own country's table wins over the one for everywhere else; the lightest bracket that carries the weight counts.
_RATES = """
select distinct on (m.code) m.code, m.name,
       case when r.free_from_minor is not null and $4 >= r.free_from_minor then 0 else r.minor end as minor,
       m.min_days, m.max_days
from shipping_methods m join shipping_rates r on r.method_id = m.id
where r.country in ($1, '*') and r.currency = $2 and r.up_to_g >= $3 and ($5::text is null or m.code = $5)
order by m.code, (r.country = '*'), r.up_to_g
"""


class ShippingService:
    async def rates(self, work: Work, country: str, currency: str, weight_g: int, subtotal: int) -> list[Rate]:
        """Every method that carries this parcel, cheapest first."""
        rows = await work.rows(_RATES, country, currency, weight_g, subtotal, None)
        return sorted((Rate(*row.values()) for row in rows), key=lambda rate: rate.minor)

    async def rate(self, work: Work, code: str, country: str, currency: str, weight_g: int, subtotal: int) -> Rate:
        """One method's rate. Raises ShippingMethodUnavailable."""
        row = await work.row(_RATES, country, currency, weight_g, subtotal, code)
        if row is None:
            raise ShippingMethodUnavailable(method=code, country=country)
        return Rate(*row.values())

    async def set_method(self, work: Work, command: SetShippingMethod) -> None:
        """Creates a method or replaces it with its whole rate table."""
        work.principal.require(WRITE_RATES)
        method = await work.value(
            "insert into shipping_methods (id, code, name, min_days, max_days) values ($1, $2, $3, $4, $5) "
            "on conflict (code) do update set name = excluded.name, min_days = excluded.min_days, "
            "max_days = excluded.max_days returning id",
            *(new_id(), command.code, command.name, command.min_days, command.max_days),
        )
        await work.run("delete from shipping_rates where method_id = $1", method)
        rates = command.rates
        await work.run(
            "insert into shipping_rates (id, method_id, country, currency, up_to_g, minor, free_from_minor) "
            "select uuidv7(), $1, * from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])",
            *(method, [r.country for r in rates], [r.currency for r in rates], [r.up_to_g for r in rates]),
            *([r.minor for r in rates], [r.free_from_minor for r in rates]),
        )
