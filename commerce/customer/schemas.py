"""Commands and views of customers."""

from typing import Annotated
from uuid import UUID

from kernel.ids import PublicId
from kernel.schemas import Address, View

CustomerId = Annotated[UUID, PublicId("cus")]
AddressId = Annotated[UUID, PublicId("adr")]


class AddAddress(Address):
    is_default: bool = False


class CustomerView(View):
    id: CustomerId
    email: str
    name: str


class AddressView(View):
    id: AddressId
    name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    is_default: bool
