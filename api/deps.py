"""The edge of a request: who calls, what the route needs, one transaction, one answer per idempotency key.

A route is a straight line: it names its permission, and hands the edge what to do inside the transaction. The answer is
rendered before the commit and sent after it, so a failing commit is never a success to the caller.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.assistant import LazyAssistant
from commerce.app import Commerce
from commerce.gateway import IdempotencyKeyRequired, Limiter, Stored, claim, replay, store, strict
from kernel.auth import Principal
from kernel.db import Work
from kernel.errors import TooMany, Unauthenticated
from kernel.saga_engine import Run

PUBLIC = "public"
"""The permission of routes that are open to everybody."""

Answer = BaseModel | Sequence[BaseModel] | None
Act = Callable[[Work], Awaitable[Answer]]


class Drivers:
    """Runs sagas on after their request's transaction; the request waits for its own, up to `wait` seconds."""

    def __init__(self, drive: Callable[[Run], Awaitable[str]], wait: float) -> None:
        self._drive = drive
        self._wait = wait
        self._tasks: set[asyncio.Task[str]] = set()

    async def drive(self, run: Run) -> None:
        task = asyncio.ensure_future(self._drive(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=self._wait)

    async def close(self) -> None:
        """Lets running calls end; what remains is taken over by a worker."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._wait)
        for task in self._tasks:
            task.cancel()


@dataclass(frozen=True, slots=True)
class Site:
    """What every request of this process shares."""

    commerce: Commerce
    limiter: Limiter
    drivers: Drivers
    assistant: LazyAssistant


def dumped(answer: Answer) -> bytes:
    if isinstance(answer, BaseModel):
        return answer.__pydantic_serializer__.to_json(answer)
    if answer is None:
        return b""
    return b"[" + b",".join(item.__pydantic_serializer__.to_json(item) for item in answer) + b"]"


def reply(body: bytes, status: int) -> Response:
    return Response(body, 204 if not body and status == 200 else status, media_type="application/json")


@dataclass(frozen=True, slots=True)
class Edge:
    """One request of one principal."""

    request: Request
    site: Site
    principal: Principal
    guest_token: str | None

    @property
    def commerce(self) -> Commerce:
        return self.site.commerce

    async def run(self, act: Act, status: int = 200, durable: bool = True) -> Response:
        """One transaction, its answer rendered before the commit. `durable` is that of `Database.work`."""
        async with self.commerce.database.work(self.principal, durable) as work:
            body = dumped(await act(work))
        return reply(body, status)

    async def once(self, act: Act, status: int = 201, required: bool = False, durable: bool = True) -> Response:
        """Like `run`, but a repetition of the same Idempotency-Key gets the first answer and changes nothing."""
        key = self._key(required)
        if key is None or self.principal.subject == "anonymous":
            return await self.run(act, status, durable)
        route, digest = self._route, await self._digest()
        async with self.commerce.database.work(self.principal, durable) as work:
            if mine := await claim(work, route, key, digest):
                body = dumped(await act(work))
                await store(work, route, key, Stored(status, body))
        if mine:
            return reply(body, status)
        found = await replay(self.commerce.database, self.principal, route, key, digest)
        return reply(found.body, found.status)

    async def saga(
        self,
        resource: UUID,
        start: Callable[[Work], Awaitable[Run]],
        render: Callable[[Work, UUID], Awaitable[BaseModel]],
        status: int,
    ) -> Response:
        """Starts a saga under an Idempotency-Key, waits a little for it, and answers with what came of `resource`."""
        key = self._key(required=True)
        assert key is not None
        route, digest, database = self._route, await self._digest(), self.commerce.database

        async def answer(work: Work, made: UUID) -> Stored:
            return Stored(status, dumped(await render(work, made)))

        async with database.work(self.principal) as work:
            run = await start(work) if await claim(work, route, key, digest, resource) else None
        if run is None:
            found = await replay(database, self.principal, route, key, digest, answer)
        else:
            await self.site.drivers.drive(run)
            async with database.work(self.principal, durable=False) as work:  # what is lost is rendered once more
                found = await store(work, route, key, await answer(work, resource))
        return reply(self._with_token(found.body), found.status)

    async def limit(self, name: str, most: int, seconds: int) -> None:
        """Counts one more try of the caller against a strict limit, at once and for good. Raises TooMany."""
        async with self.commerce.database.work(self.principal) as work:
            used = await strict(work, name, seconds)
        if used.count > most:
            raise TooMany(retry_after=used.retry_after)

    def _with_token(self, body: bytes) -> bytes:
        """A guest gets the key to the order with the answer; it is never stored."""
        if self.guest_token is None or self.principal.customer_id:
            return body
        answer = orjson.loads(body)
        return orjson.dumps({**answer, "order_token": self.guest_token}) if "order_token" in answer else body

    @property
    def _route(self) -> str:
        return f"{self.request.method} {self.request.url.path}"

    def _key(self, required: bool) -> str | None:
        key = self.request.headers.get("idempotency-key", "").strip()
        if len(key) > 200 or (required and not key):
            raise IdempotencyKeyRequired()
        return key or None

    async def _digest(self) -> bytes:
        return hashlib.sha256(await self.request.body()).digest()


class Needs:
    """The dependency of every route: makes the edge and refuses who lacks the permission."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Edge:
        site: Site = request.app.state.site
        principal, token = _caller(site.commerce, request)
        now = site.commerce.database.clock()
        site.limiter.count(_counted(principal, request), now)
        if self.permission != PUBLIC and not principal.may(self.permission):
            if principal.user_id is None:
                raise Unauthenticated()
            principal.require(self.permission)
        return Edge(request, site, principal, token)


def needs(permission: str) -> Any:
    """`edge: Annotated[Edge, needs("order:read")]`: what the caller must be allowed to do."""
    return Depends(Needs(permission), scope="function")


Open = Annotated[Edge, needs(PUBLIC)]


def _caller(commerce: Commerce, request: Request) -> tuple[Principal, str | None]:
    """The principal of the bearer token, else of the guest's token; one with both is the user who still holds a cart."""
    headers = request.headers
    token = headers.get("x-cart-token") or headers.get("x-order-token") or headers.get("x-ticket-token")
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        principal = commerce.identity.principal(bearer.strip(), commerce.database.clock())
        if token and principal.customer_id:
            principal = replace(principal, guest_key=commerce.identity.guest(token).guest_key)
        return principal, token
    if scheme:
        raise Unauthenticated()
    return commerce.identity.guest(token), token


def _counted(principal: Principal, request: Request) -> str:
    """Whose limit a request uses: the user's, or for everybody else the address it came from (tokens are free)."""
    if principal.user_id:
        return principal.subject
    return f"ip:{request.client.host if request.client else 'unknown'}"
