"""What merchants tell others."""

from uuid import UUID

from kernel.events import Event


class MerchantEvent(Event):
    topic = "merchant"
    aggregate = "merchant_id"

    merchant_id: UUID


class MerchantApproved(MerchantEvent): ...


class MerchantSuspended(MerchantEvent): ...
