"""Inventory: holds, allocates and releases stock. Only saga steps and warehouse work move what can be sold."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from commerce.inventory import statements
from commerce.inventory.alerts import AlertService
from commerce.inventory.errors import (
    AdjustmentBelowPromised,
    HoldLost,
    InsufficientStock,
    LocationHasBins,
    NoShelf,
    NothingToAdjust,
    UnknownLevel,
)
from commerce.inventory.events import StockAdjusted, StockReleased, StockReserved, StockReturned, StockSold
from commerce.inventory.permissions import ADJUST_STOCK, READ_STOCK, RECEIVE_STOCK
from commerce.inventory.schemas import AdjustStock, CreateLocation, Held, ReceiveStock, StockView
from commerce.inventory.shelves import Shelves
from commerce.inventory.tables import Level, Location
from kernel.db import Work
from kernel.errors import Forbidden
from kernel.ids import new_id, public
from kernel.repository import Repository, cursor_of, key_of
from kernel.schemas import Page

FIRST = UUID(int=0)
GRACE = timedelta(minutes=1)
"""How long an expired hold is left alone: longer than a confirmation that found it just in time may take."""


class InventoryService:
    """`hold_minutes` is how long a checkout may take before its stock is sellable again; `alerts` is what runs low,
    `binned` what the warehouse does with the levels of locations that have bins."""

    def __init__(self, hold_minutes: int = 10) -> None:
        self._hold = timedelta(minutes=hold_minutes)
        self.alerts = AlertService()
        self.binned = Shelves()
        self._levels = Repository(Level)
        self._locations = Repository(Location, "merchant_id")

    async def available(self, work: Work, variant_ids: Sequence[UUID]) -> dict[UUID, int]:
        """Units of each variant that can be sold now, over all active locations; absent means none was ever kept."""
        rows = await work.rows(statements.AVAILABLE, list(variant_ids))
        return {row["variant_id"]: row["available"] for row in rows}

    async def hold(self, work: Work, reference_id: UUID, wanted: Mapping[UUID, int], skus: Mapping[UUID, str]) -> None:
        """Promises `wanted` units by variant to `reference_id`, all or none, as the last statement of the work.

        Emits StockReserved. Raises InsufficientStock (from the end of the unit of work) with the SKUs that lack.
        """

        async def take() -> None:
            rows = await work.rows(
                statements.HOLD,
                *(list(wanted), list(wanted.values()), reference_id, work.now + self._hold, work.now),
            )
            if len(rows) < len(wanted):
                got = {row["variant_id"] for row in rows}
                lacking = ", ".join(sorted(skus[variant] for variant in wanted if variant not in got))
                raise InsufficientStock(skus=lacking)

        work.emit(StockReserved(reference_id=reference_id, units=sum(wanted.values())))
        work.last(take)

    async def allocate(self, work: Work, reference_id: UUID) -> None:
        """Makes the hold of a confirmed order firm. Idempotent; the last statement of the work."""

        async def firm() -> None:
            if not await work.rows(statements.ALLOCATE, reference_id, work.now) and not await self.promised(
                work, reference_id
            ):
                raise HoldLost()

        work.last(firm)

    async def secured(self, work: Work, reference_id: UUID, wanted: Mapping[UUID, int]) -> bool:
        """Makes sure an old hold still stands: extends it, or takes the units anew. False when they are gone."""
        expires_at = work.now + self._hold
        if await work.run(statements.EXTEND, reference_id, expires_at, work.now):
            return True
        taken = await work.rows(
            statements.HOLD, list(wanted), list(wanted.values()), reference_id, expires_at, work.now
        )
        return len(taken) == len(wanted)

    async def promised(self, work: Work, reference_id: UUID) -> list[Held]:
        """What is promised to an order group, and where it lies."""
        rows = await work.rows(
            "select r.variant_id, l.location_id, r.quantity from inventory_reservations r "
            "join inventory_levels l on l.id = r.level_id where r.reference_id = $1 and r.status in ('held', 'allocated')",
            reference_id,
        )
        return [Held(row["variant_id"], row["location_id"], row["quantity"]) for row in rows]

    async def release(self, work: Work, reference_id: UUID) -> int:
        """Gives back whatever is still promised to `reference_id`; returns the units. Idempotent."""
        held = await work.rows(statements.RELEASE_HELD, reference_id, work.now)
        firm = await work.rows(statements.RELEASE_ALLOCATED, reference_id, work.now)
        units: int = sum(row["quantity"] for row in (*held, *firm))
        if units:
            work.emit(StockReleased(reference_id=reference_id, units=units))
        return units

    # --- a confirmed order that changes, or leaves in parcels ---

    async def lock(self, work: Work, variant_ids: Sequence[UUID]) -> None:
        """Locks all levels of these variants in id order: a work that moves several of them begins so."""
        await work.rows(statements.LOCK, list(variant_ids))

    async def take(
        self, work: Work, reference_id: UUID, wanted: Mapping[UUID, int], skus: Mapping[UUID, str]
    ) -> datetime:
        """Like `hold`, but at once: for a work that goes on with what it holds, until the instant it returns.

        Raises InsufficientStock."""
        expires_at = work.now + self._hold
        rows = await work.rows(statements.HOLD, list(wanted), list(wanted.values()), reference_id, expires_at, work.now)
        if len(rows) < len(wanted):
            got = {row["variant_id"] for row in rows}
            raise InsufficientStock(skus=", ".join(sorted(skus[variant] for variant in wanted if variant not in got)))
        work.emit(StockReserved(reference_id=reference_id, units=sum(wanted.values())))
        return expires_at

    async def adopt(self, work: Work, held_id: UUID, reference_id: UUID) -> int:
        """Makes the hold `held_id` part of what is allocated to `reference_id`; returns the units, 0 when it lapsed."""
        return sum(row["quantity"] for row in await work.rows(statements.ADOPT, held_id, reference_id, work.now))

    async def give_back(self, work: Work, reference_id: UUID, units: Mapping[UUID, int]) -> None:
        """Releases units by variant of what is allocated to `reference_id`. Raises HoldLost when it has fewer."""
        await self._part(work, statements.GIVE_BACK, reference_id, units, None)
        work.emit(StockReleased(reference_id=reference_id, units=sum(units.values())))

    async def sell(
        self, work: Work, reference_id: UUID, units: Mapping[UUID, int], location_id: UUID | None = None
    ) -> None:
        """Units of an order leave the house for good: from one location, or any. Emits StockSold. Raises HoldLost when
        fewer are allocated to it there."""
        await self._part(work, statements.SELL, reference_id, units, location_id)
        work.emit(StockSold(reference_id=reference_id, units=sum(units.values())))

    async def take_back(self, work: Work, reference_id: UUID, variant_id: UUID, quantity: int) -> UUID:
        """Units of a purchase come back to be sold again, to the shelf they came from: its level. Raises NoShelf."""
        level: UUID | None = await work.value(statements.RETURN, reference_id, work.now, variant_id, quantity)
        if level is None:
            raise NoShelf()
        work.emit(StockReturned(reference_id=reference_id, units=quantity))
        return level

    async def _part(
        self, work: Work, statement: str, reference_id: UUID, units: Mapping[UUID, int], location_id: UUID | None
    ) -> None:
        moved = await work.value(statement, reference_id, list(units), list(units.values()), work.now, location_id)
        if moved < sum(units.values()):
            raise HoldLost()

    async def expired(self, work: Work, limit: int = 100) -> list[UUID]:
        """References whose hold ran out a while ago (GRACE): to be released, one unit of work each."""
        return [row["reference_id"] for row in await work.rows(statements.EXPIRED, work.now - GRACE, limit)]

    async def create_location(self, work: Work, command: CreateLocation) -> UUID:
        work.principal.require(RECEIVE_STOCK)
        _own(work, command.merchant_id)
        location = Location(id=new_id(), active=True, binned=False, **command.model_dump())
        await self._locations.add(work, location)
        return location.id

    async def receive(self, work: Work, command: ReceiveStock) -> None:
        """Adds units to a level and makes the level when it is the first time. Raises UnknownLevel, LocationHasBins."""
        work.principal.require(RECEIVE_STOCK)
        location = await self._locations.get(work, command.location_id)
        if location is None:
            raise UnknownLevel()
        if location.binned:
            raise LocationHasBins()
        await work.run(
            statements.RECEIVE,
            *(new_id(), command.variant_id, command.location_id, command.quantity, "receive", work.now, None),
        )

    async def adjust(self, work: Work, level_id: UUID, command: AdjustStock) -> None:
        """Corrects a level by a signed quantity. Emits StockAdjusted. Never below what is promised, nor where bins are."""
        work.principal.require(ADJUST_STOCK)
        if command.quantity == 0:
            raise NothingToAdjust()
        level = await self._levels.get(work, level_id)
        if level is None or await self._locations.get(work, level.location_id) is None:
            raise UnknownLevel()
        if level.binned:
            raise LocationHasBins()
        variant = await work.value(
            statements.ADJUST, level_id, command.quantity, command.reason, work.principal.subject, work.now
        )
        if variant is None:
            raise AdjustmentBelowPromised(promised=level.reserved + level.allocated)
        work.emit(
            StockAdjusted(level_id=level_id, variant_id=variant, quantity=command.quantity, reason=command.reason)
        )

    async def stock(self, work: Work, cursor: str | None = None, size: int = 50) -> Page[StockView]:
        """Levels of the caller's merchants (staff: of all), in id order."""
        work.principal.require(READ_STOCK)
        after = key_of(cursor) or FIRST
        rows = await work.rows(
            statements.OF_MERCHANTS, work.principal.is_staff, list(work.principal.merchant_ids), after, size + 1
        )
        items = [StockView.model_validate(dict(row)) for row in rows[:size]]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)

    async def shelves(self, work: Work, below: int | None = None, most: int = 500) -> list[StockView]:
        """Levels of the caller's merchants, scarcest first; with `below` only those with fewer sellable units."""
        work.principal.require(READ_STOCK)
        rows = await work.rows(
            statements.SCARCEST, work.principal.is_staff, list(work.principal.merchant_ids), below, most
        )
        return [StockView.model_validate(dict(row)) for row in rows]


def _own(work: Work, merchant_id: UUID) -> None:
    """A merchant may only name itself; staff may name any."""
    if not work.principal.is_staff and merchant_id not in work.principal.merchant_ids:
        raise Forbidden(permission=f"merchant {public('mer', merchant_id)}")
