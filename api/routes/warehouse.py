"""The warehouse's open work."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.warehouse.permissions import APPROVE, COUNT, MANAGE, PICK, RECEIVE
from commerce.warehouse.rounds import (
    LaborView,
    PickStop,
    PlanWave,
    ReportShort,
    ShortStop,
    ShortView,
    WaveId,
    WaveView,
)
from commerce.warehouse.schemas import (
    AddBins,
    AddZone,
    BinView,
    LocationId,
    LyingView,
    MoveUnits,
    OpenWarehouse,
    OrderId,
    OrderLineId,
    PackageId,
    PackageView,
    PackUnits,
    PickTaskView,
    PickUnits,
    WarehouseView,
    ZoneView,
)
from commerce.warehouse.slips import (
    AdjustBin,
    CountId,
    CountView,
    DecideCount,
    EnterCount,
    OpenCount,
    OpenReceiving,
    PutAway,
    PutawayId,
    PutawayView,
    ReceiveGoods,
    ReceiveTransfer,
    ReceivingId,
    ReceivingView,
    SendTransfer,
    TransferId,
    TransferView,
)

router = APIRouter(prefix="/v1/warehouse", tags=["warehouse"])
Pick = Annotated[Edge, needs(PICK)]
Manage = Annotated[Edge, needs(MANAGE)]
Receive = Annotated[Edge, needs(RECEIVE)]
Count = Annotated[Edge, needs(COUNT)]
Position = Annotated[int, Path(ge=1, le=100_000)]
Sku = Annotated[str | None, Query(max_length=64)]


@router.get("/picks", response_model=list[PickTaskView])
async def picks(edge: Pick) -> Response:
    """Open pick tasks, oldest first."""
    return await edge.run(edge.commerce.warehouse.open_tasks)


@router.post("/picks/{order_id}/lines/{line_id}", status_code=204)
async def pick(order_id: OrderId, line_id: OrderLineId, command: PickUnits, edge: Pick) -> Response:
    """Notes units as taken; the last ones finish the task."""
    return await edge.once(
        lambda work: edge.commerce.warehouse.pick(work, order_id, line_id, command.quantity, command.bin_id), 200
    )


@router.get("/orders/{order_id}/packages", response_model=list[PackageView])
async def packages(order_id: OrderId, edge: Pick) -> Response:
    """The packages of an order, oldest first."""
    return await edge.run(lambda work: edge.commerce.warehouse.packing.packages_of(work, order_id))


@router.post("/orders/{order_id}/packages", status_code=201, response_model=PackageView)
async def pack(order_id: OrderId, command: PackUnits, edge: Pick) -> Response:
    """Puts picked units of the order into a new package."""
    return await edge.once(lambda work: edge.commerce.warehouse.packing.pack(work, order_id, command))


@router.post("/packages/{package_id}/seal", response_model=PackageView)
async def seal(package_id: PackageId, edge: Pick) -> Response:
    """Closes a package for good: its contents are final."""
    return await edge.once(lambda work: edge.commerce.warehouse.packing.seal(work, package_id), 200)


@router.post("/packages/{package_id}/cancel", response_model=PackageView)
async def unpack(package_id: PackageId, edge: Pick) -> Response:
    """Takes everything out of a package that is not sealed."""
    return await edge.once(lambda work: edge.commerce.warehouse.packing.cancel(work, package_id), 200)


@router.get("/locations", response_model=list[WarehouseView])
async def warehouses(edge: Pick) -> Response:
    """The caller's locations that have bins."""
    return await edge.run(edge.commerce.warehouse.layout.warehouses)


@router.post("/locations", status_code=201, response_model=WarehouseView)
async def open_warehouse(command: OpenWarehouse, edge: Manage) -> Response:
    """Gives a location bins; all it holds lies at its dock then. From here on its stock changes only here."""
    return await edge.once(lambda work: edge.commerce.warehouse.layout.open(work, command))


@router.post("/locations/{location_id}/zones", status_code=201, response_model=ZoneView)
async def add_zone(location_id: LocationId, command: AddZone, edge: Manage) -> Response:
    return await edge.once(lambda work: edge.commerce.warehouse.layout.add_zone(work, location_id, command))


@router.get("/locations/{location_id}/bins", response_model=list[BinView])
async def bins(location_id: LocationId, edge: Pick) -> Response:
    """The bins of a location, without the totes of orders."""
    return await edge.run(lambda work: edge.commerce.warehouse.layout.bins(work, location_id))


@router.post("/locations/{location_id}/bins", status_code=201, response_model=list[BinView])
async def add_bins(location_id: LocationId, command: AddBins, edge: Manage) -> Response:
    """New bins in a zone, all of them or none."""
    return await edge.once(lambda work: edge.commerce.warehouse.layout.add_bins(work, location_id, command))


@router.get("/stock", response_model=list[LyingView])
async def lying(edge: Pick, sku: Sku = None) -> Response:
    """What lies in which bin, in the order of the way through each location; with `sku` only that article."""
    return await edge.run(lambda work: edge.commerce.warehouse.layout.lying(work, sku))


@router.post("/moves", status_code=200, response_model=list[LyingView])
async def move(command: MoveUnits, edge: Pick) -> Response:
    """Units go from one bin to another of the same location; answers where the article lies then."""
    return await edge.once(lambda work: edge.commerce.warehouse.layout.move(work, command), 200)


@router.get("/receiving", response_model=list[ReceivingView])
async def receiving(edge: Receive) -> Response:
    """Goods that are announced and have not all come, oldest first."""
    return await edge.run(edge.commerce.warehouse.receiving.orders)


@router.post("/receiving", status_code=201, response_model=ReceivingView)
async def announce(command: OpenReceiving, edge: Receive) -> Response:
    return await edge.once(lambda work: edge.commerce.warehouse.receiving.open(work, command))


@router.post("/receiving/{receiving_id}/goods", response_model=ReceivingView)
async def receive(receiving_id: ReceivingId, command: ReceiveGoods, edge: Receive) -> Response:
    """Units came: more, fewer or others than announced are noted as such. They are in stock, and lie at the dock."""
    return await edge.once(
        lambda work: edge.commerce.warehouse.receiving.receive(work, receiving_id, command), 200, True
    )


@router.get("/locations/{location_id}/putaway", response_model=list[PutawayView])
async def putaway(location_id: LocationId, edge: Pick) -> Response:
    """What is to be carried into a shelf, in the order of the way."""
    return await edge.run(lambda work: edge.commerce.warehouse.putaway.open(work, location_id))


@router.post("/locations/{location_id}/putaway", response_model=list[PutawayView])
async def plan_putaway(location_id: LocationId, edge: Pick) -> Response:
    """Makes tasks for all that lies at the dock, came back, or was picked for an order that was cancelled."""
    return await edge.once(lambda work: edge.commerce.warehouse.putaway.plan(work, location_id), 200)


@router.post("/putaway/{task_id}/done", response_model=PutawayView)
async def put_away(task_id: PutawayId, command: PutAway, edge: Pick) -> Response:
    """Units of a task lie in a shelf now: where they should, or in the bin that is named."""
    return await edge.once(lambda work: edge.commerce.warehouse.putaway.done(work, task_id, command), 200)


@router.get("/counts", response_model=list[CountView])
async def counts(edge: Count) -> Response:
    """Counts that are open or wait for a second person, oldest first."""
    return await edge.run(edge.commerce.warehouse.counting.waiting)


@router.post("/counts", status_code=201, response_model=CountView)
async def open_count(command: OpenCount, edge: Count) -> Response:
    """A count of some bins, or of those that were not counted for the longest time."""
    return await edge.once(lambda work: edge.commerce.warehouse.counting.open(work, command))


@router.get("/counts/{count_id}", response_model=CountView)
async def count(count_id: CountId, edge: Count) -> Response:
    return await edge.run(lambda work: edge.commerce.warehouse.counting.count(work, count_id))


@router.post("/counts/{count_id}/entries", response_model=CountView)
async def enter_count(count_id: CountId, command: EnterCount, edge: Count) -> Response:
    """What was found. A small variance applies at once; a large one waits for a second person."""
    return await edge.once(lambda work: edge.commerce.warehouse.counting.enter(work, count_id, command), 200, True)


@router.post("/counts/{count_id}/decision", response_model=CountView)
async def decide_count(count_id: CountId, command: DecideCount, edge: Annotated[Edge, needs(APPROVE)]) -> Response:
    """The second person's word on a variance."""
    return await edge.once(lambda work: edge.commerce.warehouse.counting.decide(work, count_id, command), 200, True)


@router.post("/adjustments", status_code=201, response_model=CountView)
async def adjust(command: AdjustBin, edge: Count) -> Response:
    """So many units more or fewer lie in a bin than the books say: a count of that bin."""
    return await edge.once(lambda work: edge.commerce.warehouse.counting.adjust(work, command), 201, True)


@router.get("/transfers", response_model=list[TransferView])
async def transfers(edge: Receive) -> Response:
    """What is on its way between places, newest first."""
    return await edge.run(edge.commerce.warehouse.receiving.transfers)


@router.post("/transfers", status_code=201, response_model=TransferView)
async def send_transfer(command: SendTransfer, edge: Receive) -> Response:
    """Units nobody was promised leave for another place of the merchant."""
    return await edge.once(lambda work: edge.commerce.warehouse.receiving.send(work, command), 201, True)


@router.post("/transfers/{transfer_id}/arrival", response_model=TransferView)
async def receive_transfer(transfer_id: TransferId, command: ReceiveTransfer, edge: Receive) -> Response:
    return await edge.once(
        lambda work: edge.commerce.warehouse.receiving.arrived(work, transfer_id, command), 200, True
    )


@router.post("/picks/{order_id}/lines/{line_id}/short", response_model=ShortView)
async def short_pick(order_id: OrderId, line_id: OrderLineId, command: ReportShort, edge: Pick) -> Response:
    """A bin had fewer units than wanted: they are taken, the bin is made true, and the rest is looked for."""
    return await edge.once(
        lambda work: edge.commerce.warehouse.shorts.report(work, order_id, line_id, command), 200, True
    )


@router.get("/short-picks", response_model=list[ShortView])
async def short_picks(edge: Pick) -> Response:
    """Short picks and what became of the missing units, newest first."""
    return await edge.run(edge.commerce.warehouse.shorts.shorts)


@router.get("/waves", response_model=list[WaveView])
async def waves(edge: Pick) -> Response:
    """Waves that are not finished, newest first."""
    return await edge.run(edge.commerce.warehouse.waves.waves)


@router.post("/waves", status_code=201, response_model=WaveView)
async def plan_wave(command: PlanWave, edge: Pick) -> Response:
    """One round for the oldest open orders of a place."""
    return await edge.once(lambda work: edge.commerce.warehouse.waves.plan(work, command))


@router.get("/waves/{wave_id}", response_model=WaveView)
async def wave(wave_id: WaveId, edge: Pick) -> Response:
    return await edge.run(lambda work: edge.commerce.warehouse.waves.wave(work, wave_id))


@router.post("/waves/{wave_id}/start", response_model=WaveView)
async def start_wave(wave_id: WaveId, edge: Pick) -> Response:
    return await edge.once(lambda work: edge.commerce.warehouse.waves.start(work, wave_id), 200)


@router.post("/waves/{wave_id}/replan", response_model=WaveView)
async def replan_wave(wave_id: WaveId, edge: Pick) -> Response:
    """Lays the rest of the round anew, by what lies where now."""
    return await edge.once(lambda work: edge.commerce.warehouse.waves.replan(work, wave_id), 200)


@router.post("/waves/{wave_id}/cancel", response_model=WaveView)
async def cancel_wave(wave_id: WaveId, edge: Pick) -> Response:
    return await edge.once(lambda work: edge.commerce.warehouse.waves.cancel(work, wave_id), 200)


@router.post("/waves/{wave_id}/stops/{position}/pick", response_model=WaveView)
async def pick_stop(wave_id: WaveId, position: Position, command: PickStop, edge: Pick) -> Response:
    """Units of a stop were taken; the last stop ends the wave."""
    return await edge.once(lambda work: edge.commerce.warehouse.waves.pick(work, wave_id, position, command), 200, True)


@router.post("/waves/{wave_id}/stops/{position}/short", response_model=ShortView)
async def short_stop(wave_id: WaveId, position: Position, command: ShortStop, edge: Pick) -> Response:
    """A bin had fewer units than its stop wants; the rest of the round is laid anew."""
    return await edge.once(
        lambda work: edge.commerce.warehouse.waves.short(work, wave_id, position, command), 200, True
    )


@router.get("/labor", response_model=list[LaborView])
async def labor(edge: Manage, days: Annotated[int, Query(ge=1, le=366)] = 7) -> Response:
    """Who finished how much work in how much time."""
    return await edge.run(lambda work: edge.commerce.warehouse.waves.labor(work, days))
