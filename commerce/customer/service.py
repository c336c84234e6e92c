"""Customers: registration, profile, addresses. Everything is the caller's own."""

from collections.abc import Sequence
from uuid import UUID

from commerce.customer.errors import CustomerKnown, UnknownAddress, UnknownCustomer
from commerce.customer.events import CustomerRegistered
from commerce.customer.permissions import FIND_CUSTOMERS, OWN_PROFILE
from commerce.customer.schemas import AddAddress, AddressView, CustomerView, FindCustomer
from commerce.customer.tables import Customer, CustomerAddress
from commerce.identity import IdentityService, audit
from kernel.consent import demand
from kernel.db import Work, law
from kernel.ids import new_id
from kernel.repository import Repository
from kernel.schemas import Address

_BY_NAME = """
select c.id, c.email, c.name from customers c join customer_addresses a on a.customer_id = c.id and a.is_default
where lower(c.last_name) = lower($2) and lower(c.first_name) = lower($1) and a.postal_code = $3
"""


class CustomerService:
    def __init__(self, identity: IdentityService) -> None:
        self._identity = identity
        self._customers = Repository(Customer)
        self._addresses = Repository(CustomerAddress, "customer_id")

    async def register(self, work: Work, email: str, password_hash: str, name: str) -> CustomerView:
        """A user with its customer, in one transaction (run by the system: nobody is signed in yet).

        Emits CustomerRegistered. Raises EmailTaken."""
        user = await self._identity.create_user(work, email, password_hash, name)
        customer = Customer(
            id=new_id(),
            email=email.lower(),
            name=name,
            first_name=None,
            last_name=None,
            created_at=work.now,
            updated_at=work.now,
        )
        await self._customers.add(work, customer)
        await self._identity.add_role(work, user, "customer", customer_id=customer.id)
        work.emit(CustomerRegistered(customer_id=customer.id))
        return CustomerView(id=customer.id, email=customer.email, name=customer.name)

    async def bring_in(self, work: Work, email: str, first: str, last: str, address: Address | None) -> UUID:
        """A customer from before, who cannot sign in yet, with a default address. Raises CustomerKnown.

        Tells nobody: who knew this person has told them long ago."""
        customer = Customer(
            id=new_id(),
            email=email.lower(),
            name=f"{first} {last}",
            first_name=first,
            last_name=last,
            created_at=work.now,
            updated_at=work.now,
        )
        with law("uq_customers_email", CustomerKnown()):
            await self._customers.add(work, customer)
        if address:
            row = CustomerAddress(
                id=new_id(), customer_id=customer.id, is_default=True, created_at=work.now, **address.model_dump()
            )
            await self._addresses.add(work, row)
        return customer.id

    async def found(self, work: Work, wanted: FindCustomer) -> CustomerView:
        """Whoever fits, of those the caller may see: staff all, a customer only themselves. Raises UnknownCustomer."""
        work.principal.require(FIND_CUSTOMERS)
        if wanted.email:
            rows = await work.rows("select id, email, name from customers where email = $1", wanted.email.lower())
        else:
            rows = await work.rows(_BY_NAME, wanted.first_name, wanted.last_name, wanted.postal_code)
        mine = [row for row in rows if work.principal.is_staff or row["id"] == work.principal.customer_id]
        audit.append(work, "customer.looked_up", f"customer:{mine[0]['id'] if mine else 'none'}")
        if len(mine) != 1:
            raise UnknownCustomer()
        return CustomerView.model_validate(dict(mine[0]))

    async def me(self, work: Work, customer_id: UUID | None = None) -> CustomerView:
        """The caller. Raises UnknownCustomer, also when somebody else's id is named."""
        work.principal.require(OWN_PROFILE)
        if customer_id not in (None, work.principal.customer_id):
            raise UnknownCustomer()
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

    async def replace_default(self, work: Work, to: Address) -> AddressView:
        """The default address becomes another one, or the first one is made; orders keep their copy."""
        work.principal.require(OWN_PROFILE)
        found = await self._addresses.find(work, self._addresses.table.c.is_default)
        if found is None:
            return await self.add_address(work, AddAddress(**to.model_dump(), is_default=True))
        await demand(work, "customer.default_address", f"Make {to.one_line} your address?", **to.model_dump())
        await work.run(
            "update customer_addresses set name = $2, line1 = $3, line2 = $4, city = $5, region = $6, postal_code = $7, "
            "country = $8 where id = $1 and is_default",
            *(found.id, to.name, to.line1, to.line2, to.city, to.region, to.postal_code, to.country),
        )
        return _view(
            CustomerAddress(**{name: getattr(found, name) for name in self._addresses.names} | to.model_dump())
        )

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
