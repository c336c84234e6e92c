"""Carriers, who sends with them from where, and how long a parcel takes to leave the house."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commerce.shipping.errors import UnknownCarrier, UnknownSeller, UnknownTimezone
from commerce.shipping.labels import Labels
from commerce.shipping.manifests import Manifests
from commerce.shipping.permissions import QUOTE, SET_CARRIERS
from commerce.shipping.ports import Carrier
from commerce.shipping.schemas import CarrierView, SetAccount, SetCarrier, SetHandling
from commerce.shipping.shopping import RateShopping
from kernel.db import Work, law

_SET = """
insert into carriers (id, code, name, adapter, active, created_at) values (uuidv7(), $1, $2, $3, $4, $5)
on conflict (code) do update set name = excluded.name, adapter = excluded.adapter, active = excluded.active
returning code, name, adapter, active
"""

_ACCOUNT = """
insert into carrier_accounts (id, carrier_id, merchant_id, reference, sender, updated_at)
select uuidv7(), id, $2, $3, $4, $5 from carriers where code = $1
on conflict (carrier_id, merchant_id) do update
  set reference = excluded.reference, sender = excluded.sender, updated_at = excluded.updated_at
"""

_HANDLING = """
insert into shipping_rules (id, merchant_id, country, timezone, cutoff_minute, handling_days, updated_at)
values (uuidv7(), $1, $2, $3, $4, $5, $6)
on conflict (merchant_id) do update
  set country = excluded.country, timezone = excluded.timezone, cutoff_minute = excluded.cutoff_minute,
      handling_days = excluded.handling_days, updated_at = excluded.updated_at
"""


class CarrierService:
    """`shopping` compares what they take, `labels` are what is bought of them, `manifests` what they took along."""

    def __init__(self, adapters: Mapping[str, Carrier], shopping: RateShopping) -> None:
        self.adapters = adapters
        self.shopping = shopping
        self.labels = Labels(adapters)
        self.manifests = Manifests()

    async def carriers(self, work: Work) -> list[CarrierView]:
        """All of them, by code."""
        work.principal.require(QUOTE)
        rows = await work.rows("select code, name, adapter, active from carriers order by code")
        return [CarrierView(**dict(row), ready=row["adapter"] in self.adapters) for row in rows]

    async def set_carrier(self, work: Work, code: str, command: SetCarrier) -> CarrierView:
        """Adds a carrier or changes it."""
        work.principal.require(SET_CARRIERS)
        row = await work.row(_SET, code, command.name, command.adapter, command.active, work.now)
        assert row is not None
        return CarrierView(**dict(row), ready=command.adapter in self.adapters)

    async def set_account(self, work: Work, code: str, command: SetAccount) -> None:
        """Who sends with a carrier, and from where. Raises UnknownCarrier, UnknownSeller."""
        work.principal.require(SET_CARRIERS)
        sender = command.sender.model_dump()
        with law("fk_carrier_accounts_merchant_id", UnknownSeller()):
            if not await work.run(_ACCOUNT, code, command.merchant_id, command.reference, sender, work.now):
                raise UnknownCarrier()

    async def set_handling(self, work: Work, command: SetHandling) -> None:
        """How a merchant (null: everybody else) handles orders until they leave. Raises UnknownTimezone, UnknownSeller."""
        work.principal.require(SET_CARRIERS)
        try:
            ZoneInfo(command.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise UnknownTimezone(timezone=command.timezone) from None
        rule = (command.country, command.timezone, command.cutoff_minute, command.handling_days)
        with law("fk_shipping_rules_merchant_id", UnknownSeller()):
            await work.run(_HANDLING, command.merchant_id, *rule, work.now)
