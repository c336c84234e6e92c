"""Customers: registration, profile, addresses. Everything is the caller's own."""

from collections.abc import Sequence
from uuid import UUID

from commerce.customer.errors import UnknownAddress, UnknownCustomer
from commerce.customer.events import CustomerRegistered
from commerce.customer.permissions import OWN_PROFILE
from commerce.customer.schemas import AddAddress, AddressView, CustomerView
from commerce.customer.tables import Customer, CustomerAddress
from commerce.identity import IdentityService
from kernel.consent import demand
from kernel.db import Work
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Address


class CustomerService:
    def __init__(self, identity: IdentityService) -> None:
        self._identity = identity
        self._customers = Repository(Customer)
        self._addresses = Repository(CustomerAddress, "customer_id")

    async def register(self, work: Work, email: str, password_hash: str, name: str) -> CustomerView:
        """A user with its customer, in one transaction (run by the system: nobody is signed in yet).

        Emits CustomerRegistered. Raises EmailTaken."""
        user = await self._identity.create_user(work, email, password_hash, name)
        customer = Customer(id=new_id(), email=email.lower(), name=name, created_at=work.now, updated_at=work.now)
        await self._customers.add(work, customer)
        await self._identity.add_role(work, user, "customer", customer_id=customer.id)
        work.emit(CustomerRegistered(customer_id=customer.id))
        return CustomerView(id=customer.id, email=customer.email, name=customer.name)

    async def me(self, work: Work) -> CustomerView:
        work.principal.require(OWN_PROFILE)
        customer = await self._customers.get(work, self._mine(work))
        if customer is None:
            raise UnknownCustomer()
        return CustomerView(id=customer.id, email=customer.email, name=customer.name)

    async def contacts(self, work: Work, customer_ids: Sequence[UUID]) -> dict[UUID, CustomerView]:
        """Names and addresses to write to, for reactions that tell customers something; visible ones only."""
        found = await self._customers.all(work, self._customers.table.c.id.in_(customer_ids), limit=len(customer_ids))
        return {c.id: CustomerView(id=c.id, email=c.email, name=c.name) for c in found}

    async def add_address(self, work: Work, command: AddAddress) -> AddressView:
        """Adds an address; the first one, or one so marked, becomes the default."""
        work.principal.require(OWN_PROFILE)
        customer = self._mine(work)
        await work.run("select id from customers where id = $1 for update", customer)
        await demand(work, "customer.address", f"Save the address {command.one_line}?", **command.model_dump())
        first = not await work.value("select exists (select from customer_addresses where customer_id = $1)", customer)
        is_default = command.is_default or first
        if is_default:
            await work.run(
                "update customer_addresses set is_default = false where customer_id = $1 and is_default", customer
            )
        values = command.model_dump(exclude={"is_default"})
        address = CustomerAddress(
            id=new_id(), customer_id=customer, is_default=is_default, created_at=work.now, **values
        )
        await self._addresses.add(work, address)
        return _view(address)

    async def addresses(self, work: Work) -> list[AddressView]:
        """The caller's addresses, oldest first."""
        work.principal.require(OWN_PROFILE)
        return [_view(address) for address in await self._addresses.all(work)]

    async def address(self, work: Work, address_id: UUID) -> Address:
        """One of the caller's addresses as a value to copy. Raises UnknownAddress, also for somebody else's."""
        work.principal.require(OWN_PROFILE)
        found = await self._addresses.get(work, address_id)
        if found is None:
            raise UnknownAddress()
        return Address.model_construct(**{field: getattr(found, field) for field in Address.model_fields})

    async def chosen(self, work: Work, wish: str) -> AddressView:
        """The saved address a person means: by id, by a word of it, or the default one. Raises UnknownAddress."""
        found = await self.addresses(work)
        wanted = wish.strip().lower()
        if wanted in ("", "default"):
            mine = [address for address in found if address.is_default] or found
        else:
            mine = [a for a in found if wanted in " ".join(map(str, a.model_dump(mode="json").values())).lower()]
        if len(mine) != 1 and not (mine and wanted in ("", "default")):
            raise UnknownAddress()
        return mine[0]

    async def remove_address(self, work: Work, address_id: UUID) -> None:
        """Forgets an address; orders keep their copy."""
        address = await self.address(work, address_id)
        await demand(work, "customer.forget_address", f"Forget the address {address.one_line}?", address=address_id)
        if not await work.run(
            "delete from customer_addresses where id = $1 and customer_id = $2", address_id, self._mine(work)
        ):
            raise UnknownAddress()

    @staticmethod
    def _mine(work: Work) -> UUID:
        if work.principal.customer_id is None:
            raise UnknownCustomer()
        return work.principal.customer_id


def _view(address: CustomerAddress) -> AddressView:
    return AddressView.model_validate({name: getattr(address, name) for name in AddressView.model_fields})
