"""Commands and views of customers."""

from typing import Annotated, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from kernel.ids import AddressId, CustomerId
from kernel.schemas import PERSONAL, Address, Command, Email, Text, View


class AddAddress(Address):
    is_default: bool = False


class FindCustomer(Command):
    """By `email`; or by both names and the postal code of the default address."""

    email: Email | None = None
    first_name: Annotated[Text, PERSONAL] | None = None
    last_name: Annotated[Text, PERSONAL] | None = None
    postal_code: Annotated[Text, PERSONAL] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        names = (self.first_name, self.last_name, self.postal_code)
        if self.email is None and None in names:
            raise PydanticCustomError("way", "an e-mail address, or first name, last name and postal code")
        return self


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
