"""A round laid anew, proposed by an agent: after a short pick its merchant is told what became of the missing units."""

from uuid import UUID

from commerce.approval import Accepted, Draft, Kind, Policy
from commerce.notification.schemas import Notice
from commerce.notification.service import NotificationService
from commerce.pricing import PricingService
from commerce.warehouse import ShortView, WarehouseService, WaveView
from commerce.warehouse.errors import UnknownShort, UnknownWave, WaveState
from commerce.warehouse.permissions import PICK
from kernel.db import Work
from kernel.ids import public
from kernel.money import Money
from kernel.tables import Json

KIND = "warehouse.replan"
POLICY = Policy(accept_most=0, times_a_day=500)
"""The way through a place costs nothing and moves no stock: so many times a day it is laid anew without asking."""

_MERCHANT_OF_WAVE = "select merchant_id from warehouse_waves where id = $1"
_MERCHANT_OF_SHORT = "select merchant_id from warehouse_short_picks where id = $1"


class ReplanService:
    def __init__(self, warehouse: WarehouseService, pricing: PricingService, notification: NotificationService) -> None:
        self._warehouse = warehouse
        self._pricing = pricing
        self._notification = notification

    @property
    def kind(self) -> Kind:
        return Kind(KIND, PICK, ("replan",), POLICY, self.carry_out, moves=False)

    async def draft(self, work: Work, wave_id: UUID | None, short_id: UUID | None) -> Draft:
        """A proposal to lay a round anew: of a wave, of those a short pick's order is in, or of the newest unfinished wave.

        Raises UnknownWave, UnknownShort."""
        work.principal.require(PICK)
        if short_id is not None:
            return await self._after_short(work, short_id)
        wave = await self._warehouse.waves.wave(work, wave_id) if wave_id else await self._newest(work)
        left = sum(1 for stop in wave.stops if stop.status == "open")
        return Draft(
            kind=KIND,
            object=public("wav", wave.id),
            stance="replan",
            arguments={"waves": [str(wave.id)], "told": None},
            amount=await self._nothing(work),
            summary=f"Lay the rest of the round anew, {left} open stops, by what lies where now.",
            merchant_id=await work.value(_MERCHANT_OF_WAVE, wave.id),
        )

    async def carry_out(self, work: Work, accepted: Accepted) -> Json:
        """Lays the rounds anew that are not finished, and tells the merchant where that was asked for."""
        again = []
        for wave in accepted.arguments["waves"]:
            try:
                await self._warehouse.waves.replan(work, UUID(wave))
                again.append(public("wav", UUID(wave)))
            except WaveState:
                continue  # it ended in between
        if told := accepted.arguments["told"]:
            merchant = UUID(told["merchant_id"])
            notice = Notice(accepted.id.hex, "ShortPick", told["title"], told["text"], merchant_id=merchant)
            await self._notification.write(work, [notice])
        return {"waves": again}

    async def _after_short(self, work: Work, short_id: UUID) -> Draft:
        short = await self._warehouse.shorts.short(work, short_id)
        if short is None:
            raise UnknownShort()
        waves = [
            str(wave.id)
            for wave in await self._warehouse.waves.waves(work)
            if any(stop.order_id == short.order_id for stop in wave.stops)
        ]
        merchant = await work.value(_MERCHANT_OF_SHORT, short.id)
        title = f"{short.bin} had {short.found} of {short.wanted} {short.sku}"
        told = {"merchant_id": str(merchant), "title": title, "text": _became(short)}
        return Draft(
            kind=KIND,
            object=public("sho", short.id),
            stance="replan",
            arguments={"waves": waves, "told": told},
            amount=await self._nothing(work),
            summary=f"Lay {len(waves)} rounds anew and tell the merchant: {title}. {told['text']}",
            merchant_id=merchant,
        )

    async def _newest(self, work: Work) -> WaveView:
        found = await self._warehouse.waves.waves(work, most=1)
        if not found:
            raise UnknownWave()
        return found[0]

    async def _nothing(self, work: Work) -> Money:
        return Money(0, (await self._pricing.channel(work)).currency)


def _became(short: ShortView) -> str:
    """What became of the missing units, in sentences."""
    parts = (
        (short.elsewhere, "lie in other bins of the place and are picked there"),
        (short.relocated, "are promised at another of your places and have to be picked there"),
        (short.backordered, "are nowhere: the order waits until goods come"),
    )
    return " ".join(f"{units} {what}." for units, what in parts if units)
