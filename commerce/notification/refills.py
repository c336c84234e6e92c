"""What runs low, told to its merchant with by how much to fill it up: proposed by an agent, computed here."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.inventory import InventoryService
from commerce.inventory.permissions import READ_STOCK
from commerce.notification.schemas import Notice
from commerce.notification.service import NotificationService
from commerce.pricing import PricingService
from commerce.product import ProductService
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.tables import Json

KIND = "inventory.refill"
POLICY = Policy(accept_most=0, times_a_day=5_000)
"""A word to a merchant costs nothing; what they order is their own decision."""


class RefillService:
    def __init__(
        self,
        inventory: InventoryService,
        product: ProductService,
        pricing: PricingService,
        notification: NotificationService,
    ) -> None:
        self._inventory = inventory
        self._product = product
        self._pricing = pricing
        self._notification = notification

    @property
    def kind(self) -> Kind:
        return Kind(KIND, READ_STOCK, ("tell",), POLICY, self.carry_out, moves=False)

    async def draft(self, work: Work, level_id: UUID) -> Draft:
        """A proposal to tell a merchant of a level that runs low. Raises NoAlert, also for somebody else's."""
        work.principal.require(READ_STOCK)
        alert = await self._inventory.alerts.alert(work, level_id)
        sku, name, *_ = (await self._product.names(work, [alert.variant_id]))[alert.variant_id]
        title = f"{name} ({sku}) runs low"
        text = (
            f"{alert.available} left at {alert.location}, {alert.sold_30_days} sold in 30 days. "
            f"Your reorder quantity is {alert.quantity}."
        )
        return Draft(
            kind=KIND,
            object=public("lvl", level_id),
            stance="tell",
            arguments={"merchant_id": str(alert.merchant_id), "title": title, "text": text},
            amount=Money(0, (await self._pricing.channel(work)).currency),
            summary=f"Tell the merchant: {title}. {text}",
            merchant_id=alert.merchant_id,
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        asked = accepted.arguments
        told = Notice(
            accepted.id.hex, "StockLow", asked["title"], asked["text"], merchant_id=UUID(asked["merchant_id"])
        )
        await self._notification.write(work, [told])
        return {"told": asked["title"]}
