"""Merchants: application, approval, suspension. A suspended one sells nothing more, at once."""

from uuid import UUID

from commerce.identity import IdentityService
from commerce.merchant.errors import IllegalMerchantMove, SlugTaken, UnknownMerchant
from commerce.merchant.events import MerchantApproved, MerchantSuspended
from commerce.merchant.permissions import MANAGE_MERCHANTS, OWN_SHOP
from commerce.merchant.schemas import CreateMerchant, MerchantView
from commerce.merchant.tables import Merchant
from commerce.product import ProductService
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Page

TRANSITIONS = {
    "applied": frozenset({"active", "terminated"}),
    "active": frozenset({"suspended", "terminated"}),
    "suspended": frozenset({"active", "terminated"}),
    "terminated": frozenset[str](),
}


class MerchantService:
    def __init__(self, identity: IdentityService, product: ProductService) -> None:
        self._identity = identity
        self._product = product
        self._merchants = Repository(Merchant)

    async def create(self, work: Work, command: CreateMerchant) -> MerchantView:
        """An application. Raises SlugTaken."""
        work.principal.require(MANAGE_MERCHANTS)
        merchant = Merchant(
            id=new_id(), status="applied", created_at=work.now, updated_at=work.now, **command.model_dump()
        )
        with law("uq_merchants_slug", SlugTaken(slug=command.slug)):
            await self._merchants.add(work, merchant)
        return _view(merchant)

    async def activate(self, work: Work, merchant_id: UUID) -> MerchantView:
        """Lets a merchant sell. Emits MerchantApproved."""
        view = await self._become(work, merchant_id, "active")
        await self._product.set_suspended(work, merchant_id, False)
        work.emit(MerchantApproved(merchant_id=merchant_id))
        return view

    async def suspend(self, work: Work, merchant_id: UUID) -> MerchantView:
        """Stops a merchant from selling; open orders run on. Emits MerchantSuspended."""
        view = await self._become(work, merchant_id, "suspended")
        await self._product.set_suspended(work, merchant_id, True)
        work.emit(MerchantSuspended(merchant_id=merchant_id))
        return view

    async def _become(self, work: Work, merchant_id: UUID, wanted: str) -> MerchantView:
        work.principal.require(MANAGE_MERCHANTS)
        locked = await self._merchants.lock(work, [merchant_id])
        if not locked:
            raise UnknownMerchant()
        merchant = locked[0]
        if wanted not in TRANSITIONS[merchant.status]:
            raise IllegalMerchantMove(status=merchant.status, wanted=wanted)
        await work.run("update merchants set status = $2, updated_at = $3 where id = $1", merchant_id, wanted, work.now)
        merchant.status = wanted
        return _view(merchant)

    async def add_member(self, work: Work, merchant_id: UUID, user_id: UUID) -> None:
        """Makes a user a member of the shop: they see and manage its rows, and no other's."""
        work.principal.require(MANAGE_MERCHANTS)
        await self._identity.add_role(work, user_id, "merchant", merchant_id)

    async def mine(self, work: Work) -> list[MerchantView]:
        """The caller's own shops."""
        work.principal.require(OWN_SHOP)
        column = self._merchants.table.c
        return [_view(m) for m in await self._merchants.all(work, column.id.in_(work.principal.merchant_ids))]

    async def page(self, work: Work, cursor: str | None = None, size: int = 20) -> Page[MerchantView]:
        """Every merchant, for those who manage them."""
        work.principal.require(MANAGE_MERCHANTS)
        found, following = await self._merchants.page(work, cursor=cursor, size=size)
        return Page(items=[_view(m) for m in found], next=following)


def _view(merchant: Merchant) -> MerchantView:
    return MerchantView(
        id=merchant.id,
        slug=merchant.slug,
        name=merchant.name,
        description=merchant.description,
        status=merchant.status,
    )
