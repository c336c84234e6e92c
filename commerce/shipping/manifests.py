"""Manifests: what a carrier takes from a location on a day, closed once; parcels that leave later are on the next one."""

from uuid import UUID

from commerce.shipping import paper
from commerce.shipping.errors import ManifestClosed, ManifestEmpty, UnknownManifest
from commerce.shipping.permissions import SEND_PARCELS
from commerce.shipping.schemas import CloseManifest, ManifestView
from commerce.shipping.tables import ShippingManifest
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Page

# $1 id, $2 carrier, $3 location, $4 day, $5 actor, $6 now, $7 parcels: of the location's own merchant
_CLOSE = """
insert into shipping_manifests (id, carrier_id, location_id, merchant_id, day, parcels, actor, closed_at)
select $1, c.id, l.id, l.merchant_id, $4, cardinality($7::uuid[]), $5, $6
from carriers c, inventory_locations l where c.code = $2 and l.id = $3
"""

_WAITING = """
select id from shipments where carrier = $1 and location_id = $2 and manifest_id is null and ($3 or merchant_id = any($4)) order by id for update
"""

_ROWS = """
select s.tracking, coalesce(l.number, '') as number, coalesce(l.parcel->'to'->>'country', '') as country
from shipments s left join shipping_labels l on l.id = s.id where s.manifest_id = $1 order by s.id
"""


class Manifests:
    def __init__(self) -> None:
        self._manifests = Repository(ShippingManifest, "merchant_id")

    async def close(self, work: Work, command: CloseManifest) -> ManifestView:
        """Closes the day of a carrier at a location, with every parcel that left there and is on none yet.

        Raises ManifestEmpty (also for somebody else's location), ManifestClosed."""
        work.principal.require(SEND_PARCELS)
        who = work.principal
        whose = (command.carrier, command.location_id, who.is_staff, list(who.merchant_ids))
        parcels = [row["id"] for row in await work.rows(_WAITING, *whose)]
        if not parcels:
            raise ManifestEmpty()
        made, day = new_id(), work.now.date()
        closing = (made, command.carrier, command.location_id, day, work.principal.subject, work.now, parcels)
        with law("uq_shipping_manifests_carrier_id_location_id_day", ManifestClosed()):
            if not await work.run(_CLOSE, *closing):
                raise ManifestEmpty()
        await work.run("update shipments set manifest_id = $1 where id = any($2)", made, parcels)
        return await self.view(work, made)

    async def view(self, work: Work, manifest_id: UUID) -> ManifestView:
        """One manifest of the caller's. Raises UnknownManifest."""
        work.principal.require(SEND_PARCELS)
        return await self._view(work, await self._get(work, manifest_id))

    async def page(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[ManifestView]:
        """The caller's manifests, newest first."""
        work.principal.require(SEND_PARCELS)
        found, following = await self._manifests.page(work, cursor=cursor, size=size)
        return Page(items=[await self._view(work, one) for one in found], next=following)

    async def printed(self, work: Work, manifest_id: UUID) -> bytes:
        """The manifest as PDF. Raises UnknownManifest."""
        work.principal.require(SEND_PARCELS)
        manifest = await self._get(work, manifest_id)
        names = await work.row(
            "select c.name, l.name as location from carriers c, inventory_locations l where c.id = $1 and l.id = $2",
            *(manifest.carrier_id, manifest.location_id),
        )
        assert names is not None, "both are never deleted"
        rows = [paper.Row(**dict(row)) for row in await work.rows(_ROWS, manifest_id)]
        return paper.manifest_pdf(names["name"], names["location"], manifest.day, rows)

    async def _get(self, work: Work, manifest_id: UUID) -> ShippingManifest:
        manifest = await self._manifests.get(work, manifest_id)
        if manifest is None:
            raise UnknownManifest()
        return manifest

    async def _view(self, work: Work, manifest: ShippingManifest) -> ManifestView:
        carrier = await work.value("select code from carriers where id = $1", manifest.carrier_id)
        names = [name for name in ManifestView.model_fields if name != "carrier"]
        return ManifestView(**{name: getattr(manifest, name) for name in names}, carrier=carrier)
