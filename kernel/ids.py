"""Identifiers: UUIDv7 inside, prefixed text outside (`ord_0192f...`).

A UUIDv7 (RFC 9562, section 5.7) starts with 48 bits of Unix milliseconds, so keys sort by creation and
partitions by month are ranges of the primary key itself.
"""

import os
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A UUIDv7, strictly increasing inside one process even when many are made in a millisecond."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 bits of sub-millisecond fraction (RFC 9562, method 3).
        ticks = time.time_ns() * 4096 // 1_000_000
        _last = ticks if ticks > _last else _last + 1
        ticks = _last
    random_bits = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=(ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | random_bits)


def first_id_at(instant: datetime) -> UUID:
    """The lowest UUIDv7-shaped key of `instant`: the bound of a partition, or of a search by time."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)


def public(prefix: str, value: UUID) -> str:
    return f"{prefix}_{value.hex}"


def parse(prefix: str, text: str) -> UUID:
    """The UUID behind `prefix_<32 hex digits>`; raises ValueError for anything else."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != 32:
        raise ValueError(f"expected an id that starts with {prefix}_")
    return UUID(hex=digits)


@dataclass(frozen=True, slots=True)
class PublicId:
    """Pydantic marker: `OrderId = Annotated[UUID, PublicId("ord")]` is a UUID inside and `ord_...` in JSON."""

    prefix: str

    def _read(self, value: Any) -> UUID:
        if isinstance(value, UUID):
            return value
        try:
            return parse(self.prefix, value)
        except (ValueError, AttributeError, TypeError):
            raise PydanticCustomError(
                "id", "expected an id of the form {prefix}_<32 hex digits>", {"prefix": self.prefix}
            ) from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: public(self.prefix, value), return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": f"^{self.prefix}_[0-9a-f]{{32}}$",
            "examples": [f"{self.prefix}_{'0' * 32}"],
        }


# What several contexts speak of; an id that only one of them shows stands in its own schemas.
AddressId = Annotated[UUID, PublicId("adr")]
ChannelId = Annotated[UUID, PublicId("chn")]
CustomerId = Annotated[UUID, PublicId("cus")]
GroupId = Annotated[UUID, PublicId("grp")]
LocationId = Annotated[UUID, PublicId("loc")]
MerchantId = Annotated[UUID, PublicId("mer")]
OrderId = Annotated[UUID, PublicId("ord")]
OrderLineId = Annotated[UUID, PublicId("oln")]
PaymentMethodId = Annotated[UUID, PublicId("pm")]
RefundId = Annotated[UUID, PublicId("ref")]
RunId = Annotated[UUID, PublicId("run")]
ShipmentId = Annotated[UUID, PublicId("shp")]
TicketId = Annotated[UUID, PublicId("tkt")]
UserId = Annotated[UUID, PublicId("usr")]
VariantId = Annotated[UUID, PublicId("var")]
