"""Pricing: what a unit costs in a channel, and the tax on it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from commerce.pricing.errors import (
    ChannelTaken,
    CurrencyOfListDiffers,
    ReductionIsNone,
    UnknownChannel,
    UnknownCurrency,
)
from commerce.pricing.events import PriceChanged
from commerce.pricing.permissions import READ_PRICES, WRITE_CHANNELS, WRITE_PRICES
from commerce.pricing.policy import StorePolicy
from commerce.pricing.schemas import (
    ChannelFacts,
    CreateChannel,
    PastPriceView,
    PriceFacts,
    PriceStoryView,
    SetPrice,
    SetTaxRate,
)
from commerce.pricing.tables import Channel, ChannelPolicy, PriceList
from kernel.cache import Cache
from kernel.db import Record, Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import money
from kernel.tables import Json

DEFAULT_CHANNEL = "web"
FRESH = 5.0
"""Seconds a process may go on with the channel and tax rows it read: they change a few times a year."""


def lowest_price(variant: str, quantity: str, channel: str, now: str) -> str:
    """A subquery for statements of upper contexts: `minor` and `compare_at_minor` of the lowest price in force, or no
    row. The arguments are expressions of the statement it stands in."""
    return f"""
  select price.minor, price.compare_at_minor from prices price
  join price_lists list on list.id = price.price_list_id and list.channel_id = {channel}
  where price.variant_id = {variant} and price.min_quantity <= {quantity}
    and list.starts_at <= {now} and (list.ends_at is null or list.ends_at > {now})
  order by price.minor limit 1"""


_PRICES = f"""
select wanted.variant_id, lowest.minor, lowest.compare_at_minor from unnest($1::uuid[]) wanted(variant_id)
cross join lateral ({lowest_price("wanted.variant_id", "1", "$2", "$3")}) lowest
"""

_SET_PRICE = """
with price as (
  insert into prices (id, variant_id, price_list_id, min_quantity, minor, compare_at_minor, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (variant_id, price_list_id, min_quantity) do update
    set minor = excluded.minor, compare_at_minor = excluded.compare_at_minor, updated_at = excluded.updated_at
    where (prices.minor, prices.compare_at_minor) is distinct from (excluded.minor, excluded.compare_at_minor)
  returning id
)
insert into price_history (id, variant_id, price_list_id, min_quantity, minor, at)
select $8, $2, $3, $4, $5, $7 from price
"""


_HISTORY = """
select h.minor, h.min_quantity, h.at from price_history h join price_lists l on l.id = h.price_list_id
where h.variant_id = $1 and l.channel_id = $2 order by h.id desc limit $3
"""


class PricingService:
    def __init__(self) -> None:
        self._channels: Cache[str, ChannelFacts] = Cache(FRESH)
        self._taxes: Cache[str, dict[str, Decimal]] = Cache(FRESH)
        self._lists = Repository(PriceList)
        self._channel_rows = Repository(Channel)
        self._policies = Repository(ChannelPolicy)

    async def channel(self, work: Work, code: str | None = None) -> ChannelFacts:
        """The channel of that code, or the default one. Raises UnknownChannel."""
        wanted = code or DEFAULT_CHANNEL
        if found := self._channels.get(wanted):
            return found
        row = await work.row("select * from channels where code = $1 and active", wanted)
        if row is None:
            raise UnknownChannel(channel=wanted)
        return self._remember(row)

    async def channel_for(self, work: Work, code: str | None, currency: str | None) -> ChannelFacts:
        """The channel a customer asks for by code, by currency, or not at all. Raises UnknownChannel, UnknownCurrency."""
        if code is None and currency is not None:
            code = await work.value(
                "select code from channels where currency = $1 and active order by code = $2 desc, code limit 1",
                *(currency, DEFAULT_CHANNEL),
            )
            if code is None:
                raise UnknownCurrency(currency=currency)
        found = await self.channel(work, code)
        if currency is not None and found.currency != currency:
            raise UnknownCurrency(currency=currency)
        return found

    async def channel_by_id(self, work: Work, channel_id: UUID) -> ChannelFacts:
        if found := self._channels.get(str(channel_id)):
            return found
        row = await work.row("select * from channels where id = $1", channel_id)
        if row is None:
            raise UnknownChannel(channel=str(channel_id))
        return self._remember(row)

    def _remember(self, row: Record) -> ChannelFacts:
        policy = StorePolicy.model_validate(row["policy"])
        facts = ChannelFacts(row["id"], row["code"], row["currency"], row["country"], row["tax_included"], policy)
        self._channels.put(facts.code, facts)
        self._channels.put(str(facts.id), facts)
        return facts

    async def prices(self, work: Work, channel: ChannelFacts, variant_ids: Sequence[UUID]) -> dict[UUID, PriceFacts]:
        """The lowest price in force for one unit of each variant; one statement.

        A variant without a price in this channel is absent: it is not for sale there.
        """
        rows = await work.rows(_PRICES, list(variant_ids), channel.id, work.now)
        return {row["variant_id"]: PriceFacts(row["minor"], row["compare_at_minor"], channel.currency) for row in rows}

    async def tax_rates(self, work: Work, country: str) -> dict[str, Decimal]:
        """Rate by tax class in a country today; a class that is absent is untaxed there."""
        if (found := self._taxes.get(country)) is not None:
            return found
        rows = await work.rows(
            "select distinct on (tax_class) tax_class, rate from tax_rates "
            "where country = $1 and valid_from <= $2 order by tax_class, valid_from desc",
            *(country, work.now),
        )
        rates = {row["tax_class"]: row["rate"] for row in rows}
        self._taxes.put(country, rates)
        return rates

    async def lowest_in_30_days(self, work: Work, channel: ChannelFacts, variant_id: UUID) -> int | None:
        """Lowest single-unit price of the last 30 days, minor units (Directive 98/6/EC, article 6a)."""
        found: int | None = await work.value(
            "select min(h.minor) from price_history h join price_lists l on l.id = h.price_list_id "
            "where h.variant_id = $1 and l.channel_id = $2 and h.min_quantity = 1 and h.at >= $3",
            *(variant_id, channel.id, work.now - timedelta(days=30)),
        )
        return found

    async def story(self, work: Work, channel: ChannelFacts, variant_id: UUID, most: int = 10) -> PriceStoryView:
        """What a variant costs here and cost before. Whose variant it is, is the caller's to check."""
        work.principal.require(READ_PRICES)
        now = (await self.prices(work, channel, [variant_id])).get(variant_id)
        lowest = await self.lowest_in_30_days(work, channel, variant_id)
        rows = await work.rows(_HISTORY, variant_id, channel.id, most)
        compare_at = now.compare_at_minor if now else None
        return PriceStoryView(
            price=money(now.unit_minor, channel.currency) if now else None,
            compare_at=None if compare_at is None else money(compare_at, channel.currency),
            lowest_30_days=None if lowest is None else money(lowest, channel.currency),
            history=[
                PastPriceView(price=money(row["minor"], channel.currency), from_units=row["min_quantity"], at=row["at"])
                for row in rows
            ],
        )

    async def create_channel(self, work: Work, command: CreateChannel) -> ChannelFacts:
        """A channel with its base price list. Raises ChannelTaken."""
        work.principal.require(WRITE_CHANNELS)
        terms = command.model_dump(exclude={"policy"}) | {"policy": command.policy.model_dump(exclude_unset=True)}
        channel = Channel(id=new_id(), active=True, created_at=work.now, **terms)
        with law("uq_channels_code", ChannelTaken(channel=command.code)):
            await self._channel_rows.add(work, channel)
        await self._note_policy(work, channel.id, terms["policy"])
        base = PriceList(
            id=new_id(), channel_id=channel.id, code="base", currency=channel.currency, starts_at=work.now, ends_at=None
        )
        await self._lists.add(work, base)
        return await self.channel_by_id(work, channel.id)

    async def policy(self, work: Work, code: str) -> StorePolicy:
        """The store policy of a channel, whole. Raises UnknownChannel."""
        work.principal.require(WRITE_CHANNELS)
        return (await self.channel(work, code)).policy

    async def set_policy(self, work: Work, code: str, policy: StorePolicy) -> StorePolicy:
        """Replaces a channel's policy; it holds at once here, within FRESH seconds in other processes.

        Every policy a channel had stays on record. Raises UnknownChannel."""
        work.principal.require(WRITE_CHANNELS)
        channel, terms = await self.channel(work, code), policy.model_dump(exclude_unset=True)
        await work.run("update channels set policy = $2 where id = $1", channel.id, terms)
        await self._note_policy(work, channel.id, terms)

        async def forget() -> None:
            self._channels.forget(channel.code)
            self._channels.forget(str(channel.id))

        work.after_commit(forget)
        return policy

    async def _note_policy(self, work: Work, channel_id: UUID, terms: Json) -> None:
        subject = work.principal.subject
        await self._policies.add(
            work, ChannelPolicy(id=new_id(), channel_id=channel_id, policy=terms, actor=subject, at=work.now)
        )

    async def set_tax_rate(self, work: Work, command: SetTaxRate) -> None:
        work.principal.require(WRITE_CHANNELS)
        await work.run(
            "insert into tax_rates (id, country, tax_class, rate, valid_from) values ($1, $2, $3, $4, $5) "
            "on conflict (country, tax_class, valid_from) do update set rate = excluded.rate",
            *(new_id(), command.country, command.tax_class, command.rate, work.now),
        )
        self._taxes.forget(command.country)

    async def set_price(self, work: Work, command: SetPrice) -> None:
        """Sets the base price of a variant; an unchanged price writes nothing. Emits PriceChanged.

        Raises UnknownChannel, CurrencyOfListDiffers, ReductionIsNone."""
        work.principal.require(WRITE_PRICES)
        channel = await self.channel(work, command.channel)
        base = await self._lists.find(
            work, self._lists.table.c.channel_id == channel.id, self._lists.table.c.code == "base"
        )
        if base is None:
            raise UnknownChannel(channel=command.channel)
        if base.currency != channel.currency:
            raise CurrencyOfListDiffers(list_currency=base.currency, currency=channel.currency)
        with law("ck_prices_compare_at", ReductionIsNone()):
            changed = await work.run(
                _SET_PRICE,
                *(new_id(), command.variant_id, base.id, command.min_quantity, command.minor),
                *(command.compare_at_minor, work.now, new_id()),
            )
        if changed:
            work.emit(
                PriceChanged(
                    variant_id=command.variant_id,
                    price_list_id=base.id,
                    minor=command.minor,
                    currency=channel.currency,
                )
            )
