"""The carrier port: what we ask of somebody who carries parcels. Every adapter declares the same semantics:

the same key asked again never buys twice and answers with what the first one bought. None is asked inside a transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal[
    "in_transit", "out_for_delivery", "delivered", "exception", "delayed", "lost", "damaged", "returned_to_sender"
]


class CarrierSilent(Exception):
    """No answer in time, or none that can be read: the outcome is unknown. Ask again with the same key."""


class CarrierRefused(Exception):
    """The carrier said no, for good; `code` is its own word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parcel comes from or goes; for a quote the country and the postal code are enough."""

    country: str
    postal_code: str = ""
    name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Grams, millimetres, and what its contents are worth in minor units. `account` is the sender's at the carrier."""

    sender: Place
    to: Place
    weight_g: int
    worth: int
    currency: str
    size_mm: tuple[int, int, int] | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A service for one parcel; days are the carrier's working days."""

    service: str
    name: str
    minor: int
    currency: str
    min_days: int
    max_days: int


@dataclass(frozen=True, slots=True)
class Bought:
    """A label that was bought. Its files are None where the carrier has none of its own: then the shop prints it."""

    reference: str
    tracking: str
    minor: int
    currency: str
    pdf: bytes | None = None
    zpl: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a carrier saw of a parcel; `reference` is the same whenever it tells of it again."""

    kind: Kind
    at: datetime
    reference: str
    note: str = ""
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """A carrier's notice about one parcel; `id` is the same in a repetition."""

    id: str
    tracking: str
    seen: Sequence[Seen] = field(default_factory=tuple)


class Carrier(Protocol):
    """Raises CarrierSilent and CarrierRefused."""

    own: bool
    """Whether it is the shop itself: nothing about a parcel is heard from outside."""

    async def rates(self, parcel: Parcel) -> list[Offer]: ...

    async def buy(self, key: str, *, parcel: Parcel, service: str) -> Bought: ...

    async def void(self, key: str, *, reference: str) -> None:
        """Gives a label back that was not used; done before is done."""
        ...

    async def track(self, tracking: str) -> list[Seen]:
        """Everything known about a parcel, in any order."""
        ...

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises BadSignature unless the notice is the carrier's own."""
        ...

    def read(self, body: bytes) -> News | None:
        """What a verified notice says; None when it is about no parcel."""
        ...
