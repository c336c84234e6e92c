"""Sign-in: register, token, refresh, logout, me."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from api.deps import Edge, Open, dumped, needs, reply
from commerce.identity import MeView, TokensView, hashed
from commerce.identity.errors import BadToken
from commerce.identity.permissions import READ_SELF
from commerce.identity.schemas import Refresh, Register
from kernel.auth import SYSTEM

router = APIRouter(prefix="/v1", tags=["identity"])


@router.post("/auth/register", status_code=201, response_model=TokensView)
async def register(command: Register, edge: Open) -> Response:
    """Creates a customer's account and signs it in."""
    password = await hashed(command.password)
    commerce = edge.commerce
    async with commerce.database.work(SYSTEM) as work:
        await commerce.customer.register(work, command.email, password, command.name)
    tokens = await commerce.identity.sign_in(commerce.database, command.email, command.password)
    return reply(dumped(tokens), 201)


@router.post("/auth/token", response_model=TokensView)
async def token(
    username: Annotated[str, Form(max_length=320)], password: Annotated[str, Form(max_length=200)], edge: Open
) -> Response:
    """Signs in: form fields `username` (the e-mail address) and `password`."""
    tokens = await edge.commerce.identity.sign_in(edge.commerce.database, username, password)
    return reply(dumped(tokens), 200)


@router.post("/auth/refresh", response_model=TokensView)
async def refresh(command: Refresh, edge: Open) -> Response:
    """A new pair for a refresh token, once. Using one twice ends every session that came of it."""
    async with edge.commerce.database.work(SYSTEM) as work:
        tokens = await edge.commerce.identity.refresh(work, command.refresh_token)
    if tokens is None:
        raise BadToken()
    return reply(dumped(tokens), 200)


@router.post("/auth/logout", status_code=204)
async def logout(command: Refresh, edge: Open) -> Response:
    """Ends the session a refresh token belongs to."""
    async with edge.commerce.database.work(SYSTEM) as work:
        await edge.commerce.identity.sign_out(work, command.refresh_token)
    return Response(status_code=204)


@router.get("/me", response_model=MeView)
async def me(edge: Annotated[Edge, needs(READ_SELF)]) -> Response:
    """Who is signed in."""
    return await edge.run(edge.commerce.identity.me)
