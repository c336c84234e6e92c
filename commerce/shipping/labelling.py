"""The sagas of a label: bought at its carrier, and given back there. The saga's key is what the carrier knows it by: a
process that dies between the purchase and our note of it leaves an intent, and who asks again gets the same label."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from commerce.shipping import paper
from commerce.shipping.events import ShipmentCreated
from commerce.shipping.ports import Bought, Carrier, CarrierRefused, CarrierSilent, Parcel, Place
from commerce.shipping.schemas import LabelState
from kernel.auth import SYSTEM
from kernel.db import Database, Record, Work
from kernel.saga import Call, Definition, External, Fail, Next, Retry, Saga
from kernel.tables import Json

BUY, VOID = "label", "label_void"
DEADLINE = timedelta(hours=24)
Labelling = Saga[LabelState]

_LABEL = """
select l.*, c.code, c.name, c.adapter from shipping_labels l join carriers c on c.id = l.carrier_id where l.id = $1
"""

# $1 label, $2 reference, $3 tracking, $4 price, $5 currency, $6 now
_BOUGHT = """
update shipping_labels set status = 'bought', reference = $2, tracking = $3, minor = $4, currency = $5, bought_at = $6
where id = $1 and status = 'buying' returning group_id, order_id, id as shipment_id, carrier_id
"""


@dataclass(frozen=True, slots=True)
class Parts:
    database: Database
    adapters: Mapping[str, Carrier]


def buying(parts: Parts) -> Definition[LabelState]:
    return Definition(kind=BUY, version=1, state=LabelState, steps=[External("buy", _buy(parts), pivot=True)])


def voiding(parts: Parts) -> Definition[LabelState]:
    return Definition(kind=VOID, version=1, state=LabelState, steps=[External("void", _void(parts), pivot=True)])


async def _asked(_: Work, saga: Labelling) -> Json | None:
    """The label's row says all there is to ask; an address does not go into the record of sagas."""
    return {"label_id": str(saga.state.label_id)}


def _buy(parts: Parts) -> Call[LabelState]:
    async def send(key: str, asked: Json) -> Json:
        async with parts.database.work(SYSTEM) as work:
            row = await work.row(_LABEL, UUID(asked["label_id"]))
        assert row is not None, "a label is never deleted"
        parcel = _parcel(row["parcel"])
        bought = await _ask(lambda carrier: carrier.buy(key, parcel=parcel, service=row["service"]), parts, row)
        if not isinstance(bought, Bought):
            return dict(bought)
        pdf, zpl = _files(row, parcel, bought)
        async with parts.database.work(
            SYSTEM
        ) as work:  # the files are large: they go into the label, not into the saga
            await work.run("update shipping_labels set pdf = $2, zpl = $3 where id = $1", row["id"], pdf, zpl)
        names = ("reference", "tracking", "minor", "currency")
        return {**{name: getattr(bought, name) for name in names}, "carrier": row["code"]}

    async def settle(work: Work, saga: Labelling, result: Json) -> Next:
        label = saga.state.label_id
        if "refused" in result:
            await work.run(
                "update shipping_labels set status = 'refused', failure = $2 where id = $1 and status = 'buying'",
                *(label, result["refused"]),
            )
            return Fail("label_refused")
        names = ("reference", "tracking", "minor", "currency")
        row = await work.row(_BOUGHT, label, *(result[name] for name in names), work.now)
        assert row is not None, "only this saga ends the purchase of its label"
        named = {name: row[name] for name in ("group_id", "order_id", "shipment_id")}
        work.emit(
            ShipmentCreated(**named, carrier=result["carrier"], amount=result["minor"], currency=result["currency"])
        )
        return None

    return Call(_asked, send, settle)


def _void(parts: Parts) -> Call[LabelState]:
    async def send(key: str, asked: Json) -> Json:
        async with parts.database.work(SYSTEM) as work:
            row = await work.row(_LABEL, UUID(asked["label_id"]))
        assert row is not None, "a label is never deleted"
        found = await _ask(lambda carrier: carrier.void(key, reference=row["reference"]), parts, row)
        return found if isinstance(found, dict) else {}

    async def settle(work: Work, saga: Labelling, result: Json) -> Next:
        if "refused" in result:
            await work.run(
                "update shipping_labels set status = 'bought', failure = $2 where id = $1 and status = 'voiding'",
                *(saga.state.label_id, result["refused"]),
            )
            return Fail("label_void_refused")
        await work.run(
            "update shipping_labels set status = 'voided', voided_at = $2 where id = $1 and status = 'voiding'",
            *(saga.state.label_id, work.now),
        )
        return None

    return Call(_asked, send, settle)


async def _ask(call: Callable[[Carrier], Any], parts: Parts, row: Record) -> Any:
    """What the carrier says; a refusal as a result, silence as an unknown outcome."""
    carrier = parts.adapters.get(row["adapter"])
    if carrier is None:
        raise Retry("carrier_not_set_up")
    try:
        return await call(carrier)
    except CarrierSilent as lost:
        raise Retry("carrier_silent") from lost
    except CarrierRefused as refused:
        return {"refused": refused.code}


def _parcel(kept: Json) -> Parcel:
    size = kept["size_mm"]
    places = {name: Place(**kept[name]) for name in ("sender", "to")}
    return Parcel(**{**kept, **places, "size_mm": tuple(size) if size else None})


def _files(row: Record, parcel: Parcel, bought: Bought) -> tuple[bytes, str]:
    """The carrier's own files, or what the shop prints where it has none."""
    places = (parcel.weight_g, parcel.sender, parcel.to)
    sheet = paper.Sheet(row["name"], row["service"], bought.tracking, row["number"], *places)
    return bought.pdf or paper.label_pdf(sheet), bought.zpl or paper.label_zpl(sheet)
