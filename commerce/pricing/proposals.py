"""A new price, proposed by an agent: a bounded change of the base price of one variant in one channel."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.pricing.errors import PriceMoved, PriceUnchanged, VariantUnpriced
from commerce.pricing.permissions import WRITE_PRICES
from commerce.pricing.schemas import OwnVariant, SetPrice
from commerce.pricing.service import PricingService
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.tables import Json

KIND = "pricing.price"
POLICY = Policy(accept_most=500, two_from=50_000, change_most=3_000, agent_most_a_day=1_000_000, minutes=1_440)
"""Five units of the currency at once, at the most 30 % up or down whoever agrees."""
BASIS = 10_000

_BASE_PRICE = """
select p.minor, p.compare_at_minor from prices p join price_lists l on l.id = p.price_list_id and l.code = 'base'
where p.variant_id = $1 and l.channel_id = $2 and p.min_quantity = 1
"""


class PriceProposals:
    def __init__(self, pricing: PricingService) -> None:
        self._pricing = pricing

    @property
    def kind(self) -> Kind:
        return Kind(KIND, WRITE_PRICES, ("lower", "raise"), POLICY, self.carry_out)

    async def draft(self, work: Work, variant: OwnVariant, channel: str, minor: int, reason: str) -> Draft:
        """A proposal to sell `variant` for `minor` units in a channel; whose it is, the caller has checked.

        Raises UnknownChannel, VariantUnpriced, PriceUnchanged."""
        work.principal.require(WRITE_PRICES)
        found = await self._pricing.channel(work, channel)
        was = await work.row(_BASE_PRICE, variant.id, found.id)
        if was is None:
            raise VariantUnpriced(sku=variant.sku, channel=channel)
        if was["minor"] == minor:
            raise PriceUnchanged(sku=variant.sku)
        old, new = Money(was["minor"], found.currency), Money(minor, found.currency)
        step = abs(minor - old.minor)
        change = -(-step * BASIS // old.minor) if old.minor else BASIS
        return Draft(
            kind=KIND,
            object=public("var", variant.id),
            stance="lower" if minor < old.minor else "raise",
            arguments={"variant_id": str(variant.id), "channel": channel, "was": old.minor, "minor": minor},
            amount=Money(step, found.currency),
            summary=f"Change the price of {variant.name} ({variant.sku}) in channel {channel} from {old} to {new} "
            f"({_percent(minor - old.minor, change)}).",
            reason=reason,
            change=change,
            merchant_id=variant.merchant_id,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Sets the price, unless it is no longer the one that was looked at. Emits PriceChanged. Raises PriceMoved."""
        asked = accepted.arguments
        variant_id, channel = UUID(asked["variant_id"]), await self._pricing.channel(work, asked["channel"])
        now = await work.row(f"{_BASE_PRICE} for update of p", variant_id, channel.id)
        if now is None or now["minor"] != asked["was"]:
            raise PriceMoved()
        struck = now["compare_at_minor"]
        compare_at = struck if struck is not None and struck > asked["minor"] else None
        command = SetPrice(
            variant_id=variant_id, channel=channel.code, minor=asked["minor"], compare_at_minor=compare_at
        )
        await self._pricing.set_price(work, command)
        return {"variant": public("var", variant_id), "price": str(Money(asked["minor"], channel.currency))}


def _percent(step: int, change: int) -> str:
    sign = "+" if step > 0 else "-"
    return f"{sign}{change // 100}.{change % 100 // 10} %"
