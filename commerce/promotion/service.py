"""Promotions: codes are looked up for a cart, redeemed by its order, and given back when the order fails."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from commerce.gateway import strict
from commerce.promotion import rules
from commerce.promotion.errors import (
    CouponAlreadyUsed,
    CouponExpired,
    CouponTaken,
    CouponUsedUp,
    CouponWindowEmpty,
    PercentTooHigh,
    UnknownCoupon,
)
from commerce.promotion.events import CouponRedeemed
from commerce.promotion.permissions import READ_PROMOTIONS, USE_COUPONS, WRITE_PROMOTIONS
from commerce.promotion.schemas import Adjustment, CouponAnswer, CouponFacts, CouponView, CreateCoupon, PromotionView
from commerce.promotion.tables import Coupon, Promotion
from kernel.db import Work, in_order, law
from kernel.errors import AgoraError
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import money

TRIES_MOST, TRIES_SECONDS = 20, 600
"""Codes a caller may try in a window, at the cart and in a chat together: codes must not be guessed."""
TRIED_TOO_OFTEN = "Those were many codes. Please try again in a few minutes."

_BY_CODE = """
select c.id, c.code, p.name, p.kind, p.value, p.currency, p.minimum_minor, p.priority, p.starts_at, p.ends_at,
       c.usage_limit, c.once_per_customer, c.used
from promotion_coupons c join promotions p on p.id = c.promotion_id where c.code = any($1)
"""

_RUNNING = """
select c.id, c.code, p.name, p.kind, p.value, p.currency, p.minimum_minor, p.priority, p.starts_at, p.ends_at,
       c.usage_limit, c.once_per_customer, c.used
from promotion_coupons c join promotions p on p.id = c.promotion_id
where p.starts_at <= $1 and (p.ends_at is null or p.ends_at > $1) or $2
order by c.id desc limit $3
"""

_REDEEM = """
with used as (
  update promotion_coupons set used = used + 1
  where id = $1 and (usage_limit is null or used < usage_limit) returning id, once_per_customer
)
insert into promotion_redemptions (id, coupon_id, group_id, customer_slot, amount, at)
select uuidv7(), id, $2::uuid, case when once_per_customer then $3 else ($2::uuid)::text end, $4, $5 from used
"""

_GIVE_BACK = """
with back as (delete from promotion_redemptions where group_id = $1 returning coupon_id)
update promotion_coupons set used = used - 1 from back where id = back.coupon_id
"""


class PromotionService:
    def __init__(self) -> None:
        self._promotions = Repository(Promotion)
        self._coupons = Repository(Coupon)

    async def coupons(self, work: Work, codes: Sequence[str]) -> list[CouponFacts]:
        """The codes of a cart with what they give; no statement when there are none."""
        if not codes:
            return []
        return [CouponFacts(*row.values()) for row in await work.rows(_BY_CODE, list(codes))]

    @staticmethod
    def apply(amounts: Sequence[int], coupons: Sequence[CouponFacts], currency: str, now: datetime) -> list[Adjustment]:
        """What these coupons take off line amounts (minor units)."""
        return rules.apply(amounts, coupons, currency, now) if coupons else []

    async def check(self, work: Work, code: str) -> CouponFacts:
        """A code a customer wants to use. Raises UnknownCoupon, CouponExpired, CouponUsedUp, CouponAlreadyUsed."""
        found = await self.coupons(work, [code.upper()])
        if not found:
            raise UnknownCoupon(coupon=code)
        coupon = found[0]
        if not rules.is_running(coupon, work.now):
            raise CouponExpired(coupon=coupon.code)
        if coupon.usage_limit is not None and coupon.used >= coupon.usage_limit:
            raise CouponUsedUp(coupon=coupon.code)
        if coupon.once_per_customer and await self._used_by(work, coupon.coupon_id):
            raise CouponAlreadyUsed(coupon=coupon.code)
        return coupon

    async def answer(self, work: Work, code: str) -> CouponAnswer:
        """Whether the caller can use a code. Every question counts as a try, also the one that finds nothing."""
        work.principal.require(USE_COUPONS)
        used = await strict(work, "coupon", TRIES_SECONDS)
        if used.count > TRIES_MOST:
            return CouponAnswer(code=code, usable=False, reason=TRIED_TOO_OFTEN)
        try:
            found = await self.check(work, code)
        except AgoraError as refused:
            return CouponAnswer(code=code, usable=False, reason=str(refused))
        return CouponAnswer(code=found.code, usable=True, coupon=CouponView.model_validate(_gives(found)))

    async def promotions(self, work: Work, ended: bool = False, most: int = 20) -> list[PromotionView]:
        """Promotions that run now, newest first; with `ended` also those that are over or still to come."""
        work.principal.require(READ_PROMOTIONS)
        found = [CouponFacts(*row.values()) for row in await work.rows(_RUNNING, work.now, ended, most)]
        return [
            PromotionView(
                **_gives(coupon),
                running=rules.is_running(coupon, work.now),
                starts_at=coupon.starts_at,
                used=coupon.used,
                usage_limit=coupon.usage_limit,
            )
            for coupon in found
        ]

    async def _used_by(self, work: Work, coupon_id: UUID) -> bool:
        return bool(
            await work.value(
                "select exists (select from promotion_redemptions where coupon_id = $1 and customer_slot = $2)",
                *(coupon_id, work.principal.subject),
            )
        )

    async def redeem(self, work: Work, group_id: UUID, adjustments: Sequence[Adjustment]) -> None:
        """Uses the codes of a purchase up, guarded by their limits in id order. Emits CouponRedeemed.

        Raises CouponUsedUp, CouponAlreadyUsed."""
        by_id = {adjustment.coupon_id: adjustment for adjustment in adjustments}
        for coupon_id in in_order(list(by_id)):
            adjustment = by_id[coupon_id]
            with law("uq_promotion_redemptions_coupon_id_customer_slot", CouponAlreadyUsed(coupon=adjustment.code)):
                used = await work.run(_REDEEM, coupon_id, group_id, work.principal.subject, adjustment.amount, work.now)
            if not used:
                raise CouponUsedUp(coupon=adjustment.code)
            work.emit(CouponRedeemed(reference_id=group_id, coupon_id=coupon_id, amount=adjustment.amount))

    async def give_back(self, work: Work, group_id: UUID) -> None:
        """Returns the codes of a purchase that failed. Idempotent."""
        await work.run(_GIVE_BACK, group_id)

    async def create_coupon(self, work: Work, command: CreateCoupon) -> UUID:
        """A promotion with its code. Raises CouponWindowEmpty, PercentTooHigh, CouponTaken."""
        work.principal.require(WRITE_PROMOTIONS)
        promotion = Promotion(
            id=new_id(),
            name=command.name,
            kind=command.kind,
            value=command.value,
            currency=command.currency,
            minimum_minor=command.minimum_minor,
            priority=command.priority,
            starts_at=command.starts_at or work.now,
            ends_at=command.ends_at,
            created_at=work.now,
        )
        with law("ck_promotions_window", CouponWindowEmpty()), law("ck_promotions_value", PercentTooHigh()):
            await self._promotions.add(work, promotion)
        coupon = Coupon(
            id=new_id(),
            promotion_id=promotion.id,
            code=command.code,
            usage_limit=command.usage_limit,
            once_per_customer=command.once_per_customer,
            used=0,
        )
        with law("uq_promotion_coupons_code", CouponTaken(coupon=command.code)):
            await self._coupons.add(work, coupon)
        return coupon.id


def _gives(coupon: CouponFacts) -> dict[str, Any]:
    """The fields of a CouponView."""
    return {
        "code": coupon.code,
        "name": coupon.name,
        "percent": coupon.value if coupon.kind == "percent" else None,
        "amount": money(coupon.value, coupon.currency) if coupon.kind == "fixed" else None,
        "minimum": money(coupon.minimum_minor, coupon.currency),
        "ends_at": coupon.ends_at,
    }
