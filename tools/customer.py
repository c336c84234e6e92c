"""Tools on the caller's own data: who they are, where they live."""

from typing import Annotated

from pydantic import Field

from commerce.customer import CustomerView
from commerce.customer.permissions import FIND_CUSTOMERS, OWN_PROFILE
from commerce.customer.schemas import AddAddress, AddressView, FindCustomer
from kernel.ids import AddressId, CustomerId
from kernel.schemas import Address, Command
from tools.spec import Call, Effect, NoArguments, tool


class OneCustomer(Command):
    customer: Annotated[
        CustomerId | None, Field(description="leave it out: only the caller's own id is ever found")
    ] = None


class DefaultAddress(Address):
    customer: Annotated[
        CustomerId | None, Field(description="leave it out: only the caller's own id is ever found")
    ] = None


class OneAddress(Command):
    address_id: AddressId


@tool(Effect.READ, OWN_PROFILE)
async def my_profile(call: Call, args: OneCustomer) -> CustomerView:
    """Shows the caller's own name and e-mail address."""
    return await call.commerce.customer.me(call.work, args.customer)


@tool(Effect.READ, FIND_CUSTOMERS)
async def find_customer(call: Call, args: FindCustomer) -> CustomerView:
    """Finds a customer by e-mail address, or by first name, last name and postal code. For staff; a customer finds only
    themselves. Every search is kept on record."""
    return await call.commerce.customer.found(call.work, args)


@tool(Effect.READ, OWN_PROFILE)
async def list_addresses(call: Call, args: NoArguments) -> list[AddressView]:  # noqa: ARG001
    """Lists the caller's saved addresses with their ids; the default one is marked."""
    return await call.commerce.customer.addresses(call.work)


@tool(Effect.WRITE, OWN_PROFILE)
async def add_address(call: Call, args: AddAddress) -> AddressView:
    """Saves another delivery address of the caller. Needs name, street, city, postal code and country."""
    return await call.commerce.customer.add_address(call.work, args)


@tool(Effect.WRITE, OWN_PROFILE)
async def change_default_address(call: Call, args: DefaultAddress) -> AddressView:
    """Puts another address in the place of the caller's default address; orders keep the one they have. Needs name,
    street, city, postal code and country."""
    await call.commerce.customer.me(call.work, args.customer)
    place = Address(**args.model_dump(exclude={"customer"}))
    return await call.commerce.customer.replace_default(call.work, place)


@tool(Effect.WRITE, OWN_PROFILE)
async def remove_address(call: Call, args: OneAddress) -> list[AddressView]:
    """Forgets one of the caller's saved addresses and lists what is left."""
    await call.commerce.customer.remove_address(call.work, args.address_id)
    return await call.commerce.customer.addresses(call.work)
