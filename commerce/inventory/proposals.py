"""A correction of stock, proposed by an agent: so many units more or fewer at one location, worth so much."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.inventory.errors import LocationNeeded, NothingToAdjust
from commerce.inventory.permissions import ADJUST_STOCK
from commerce.inventory.schemas import AdjustStock, OwnStock
from commerce.inventory.service import InventoryService
from kernel.db import Record, Work
from kernel.ids import public
from kernel.tables import Json

KIND = "inventory.adjust"
POLICY = Policy(accept_most=5_000, two_from=200_000, most=2_000_000, agent_most_a_day=5_000_000, minutes=2_880)
"""Fifty units of the currency at once, by the price the units are sold for."""

_LEVELS = """
select l.id, l.on_hand, p.code, p.name, p.merchant_id from inventory_levels l
join inventory_locations p on p.id = l.location_id
where l.variant_id = $1 and p.merchant_id = $2 and ($3::text is null or lower($3) in (lower(p.code), lower(p.name)))
order by p.priority, l.id
"""


class StockProposals:
    def __init__(self, inventory: InventoryService) -> None:
        self._inventory = inventory

    @property
    def kind(self) -> Kind:
        return Kind(KIND, ADJUST_STOCK, ("remove", "add"), POLICY, self.carry_out)

    async def draft(self, work: Work, stock: OwnStock, command: AdjustStock) -> Draft:
        """A proposal to correct a level by a signed quantity; whose it is, the caller has checked.

        Raises NothingToAdjust, LocationNeeded (none, or several, fit)."""
        work.principal.require(ADJUST_STOCK)
        if command.quantity == 0:
            raise NothingToAdjust()
        level = await self._level(work, stock)
        return Draft(
            kind=KIND,
            object=public("lvl", level["id"]),
            stance="add" if command.quantity > 0 else "remove",
            arguments={"level_id": str(level["id"]), **command.model_dump()},
            amount=stock.worth(abs(command.quantity)),
            summary=f"Correct the stock of {stock.name} ({stock.sku}) at {level['name']} by {command.quantity:+d} units, "
            f"from {level['on_hand']} on hand.",
            reason=command.reason,
            merchant_id=stock.merchant_id,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Adjusts the level. Emits StockAdjusted. Raises AdjustmentBelowPromised when too much is promised by now."""
        asked = accepted.arguments
        level_id = UUID(asked["level_id"])
        await self._inventory.adjust(work, level_id, AdjustStock(quantity=asked["quantity"], reason=asked["reason"]))
        return {"level": public("lvl", level_id), "quantity": asked["quantity"]}

    async def _level(self, work: Work, stock: OwnStock) -> Record:
        found = await work.rows(_LEVELS, stock.variant_id, stock.merchant_id, stock.location)
        if len(found) != 1:
            raise LocationNeeded(sku=stock.sku, locations=", ".join(row["code"] for row in found) or "none")
        return found[0]
