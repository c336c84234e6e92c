"""A customer's own addresses."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import Edge, needs
from commerce.customer.permissions import OWN_PROFILE
from commerce.customer.schemas import AddAddress, AddressView
from kernel.ids import AddressId

router = APIRouter(prefix="/v1/me", tags=["customer"])
Own = Annotated[Edge, needs(OWN_PROFILE)]


@router.get("/addresses", response_model=list[AddressView])
async def addresses(edge: Own) -> Response:
    """Saved addresses, oldest first."""
    return await edge.run(edge.commerce.customer.addresses)


@router.post("/addresses", status_code=201, response_model=AddressView)
async def add_address(command: AddAddress, edge: Own) -> Response:
    return await edge.once(lambda work: edge.commerce.customer.add_address(work, command))


@router.delete("/addresses/{address_id}", status_code=204)
async def remove_address(address_id: AddressId, edge: Own) -> Response:
    """Forgets an address; orders keep their copy."""
    return await edge.run(lambda work: edge.commerce.customer.remove_address(work, address_id))
