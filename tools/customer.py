"""Tools on the caller's own data: who they are, where they live."""

from typing import Annotated
from uuid import UUID

from commerce.customer import CustomerView
from commerce.customer.permissions import OWN_PROFILE
from commerce.customer.schemas import AddAddress, AddressView
from kernel.ids import PublicId
from kernel.schemas import Command
from tools.spec import Call, Effect, NoArguments, tool


class OneAddress(Command):
    address_id: Annotated[UUID, PublicId("adr")]


@tool(Effect.READ, OWN_PROFILE)
async def my_profile(call: Call, args: NoArguments) -> CustomerView:  # noqa: ARG001  # every tool has them
    """Shows the caller's own name and e-mail address."""
    return await call.commerce.customer.me(call.work)


@tool(Effect.READ, OWN_PROFILE)
async def list_addresses(call: Call, args: NoArguments) -> list[AddressView]:  # noqa: ARG001
    """Lists the caller's saved addresses with their ids; the default one is marked."""
    return await call.commerce.customer.addresses(call.work)


@tool(Effect.WRITE, OWN_PROFILE)
async def add_address(call: Call, args: AddAddress) -> AddressView:
    """Saves another delivery address of the caller. Needs name, street, city, postal code and country."""
    return await call.commerce.customer.add_address(call.work, args)


@tool(Effect.WRITE, OWN_PROFILE)
async def remove_address(call: Call, args: OneAddress) -> list[AddressView]:
    """Forgets one of the caller's saved addresses and lists what is left."""
    await call.commerce.customer.remove_address(call.work, args.address_id)
    return await call.commerce.customer.addresses(call.work)
