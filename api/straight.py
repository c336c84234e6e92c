"""The straight way of a request to a route that needs its edge, path parameters and a JSON body, and nothing more.

FastAPI finds, checks and calls a route through some twenty layers: half of the API's CPU time of a purchase. Here its own
routes are found in a table, and a request that is well formed goes right to the endpoint. Every other one (an unknown
path, another content type, a field that is not valid) goes on to FastAPI as it came, which knows how to refuse it
(ADR 0016).
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.deps import Needs


@dataclass(frozen=True, slots=True)
class Way:
    """One route, taken apart: who may go it, how its path is read, what its endpoint takes."""

    route: APIRoute
    needs: Needs
    edge: str
    path: Mapping[str, TypeAdapter[Any]]
    body: tuple[str, type[BaseModel]] | None

    def arguments(self, texts: Mapping[str, str], request: Request, content: bytes) -> dict[str, Any] | None:
        """What the endpoint takes apart from its edge; None when any of it is not well formed."""
        try:
            taken = {name: adapter.validate_python(texts[name]) for name, adapter in self.path.items()}
            if self.body:
                if request.headers.get("content-type", "").partition(";")[0] != "application/json":
                    return None
                name, model = self.body
                taken[name] = model.__pydantic_validator__.validate_python(orjson.loads(content))
        except ValueError:
            return None
        return taken


def way(route: APIRoute) -> Way | None:
    """The straight way of a route; None when the route needs more than there is here."""
    bodies, needed = route.dependant.body_params, route.dependant.dependencies
    if len(bodies) > 1 or len(needed) != 1 or not isinstance(needed[0].call, Needs) or not needed[0].name:
        return None
    model: Any = bodies[0].field_info.annotation if bodies else None
    if bodies and not (inspect.isclass(model) and issubclass(model, BaseModel)):
        return None
    names = [field.name for field in route.dependant.path_params]
    if set(inspect.signature(route.endpoint).parameters) != {needed[0].name, *names, *(field.name for field in bodies)}:
        return None
    hints = get_type_hints(route.endpoint, include_extras=True)
    if not issubclass(hints["return"], Response):
        return None
    adapters: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(hints[name]) for name in names}
    return Way(route, needed[0].call, needed[0].name, adapters, (bodies[0].name, model) if model else None)


class Straight:
    """The application `app`, with the straight way to those of `routes` that have one."""

    def __init__(self, app: FastAPI, routes: Iterable[Any]) -> None:
        self._app = app
        self._ways: dict[tuple[str, int], list[tuple[re.Pattern[str], Way | None]]] = {}
        for route in routes:
            if isinstance(route, APIRoute):
                for method in route.methods or ():
                    known = self._ways.setdefault((method, route.path.count("/")), [])
                    known.append((route.path_regex, way(route)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for pattern, found in self._ways.get((scope["method"], scope["path"].count("/")), ()):
            if match := pattern.match(scope["path"]):
                if found:
                    await self._go(found, match.groupdict(), scope, receive, send)
                    return
                break
        await self._app(scope, receive, send)

    async def _go(self, found: Way, texts: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        scope.update(app=self._app, route=found.route, path_params=texts)
        request, content = Request(scope, receive), b""
        try:
            if found.body:
                content = await request.body()
            taken = found.arguments(texts, request, content)
            if taken is not None:
                edge = await found.needs(request)
                response: Response = await found.route.endpoint(**taken, **{found.edge: edge})
        except Exception as error:
            await self._refuse(request, send, error)
            return
        if taken is None:
            await self._app(scope, _again(content, receive) if found.body else receive, send)
        else:
            await response(scope, receive, send)

    async def _refuse(self, request: Request, send: Send, error: Exception) -> None:
        """The answer the application has for an error; what nobody expected goes on to who notes it."""
        handlers = self._app.exception_handlers
        kind = next(kind for kind in type(error).__mro__ if kind in handlers)
        refuse = cast(Callable[[Request, Exception], Awaitable[Response]], handlers[kind])
        response = await refuse(request, error)
        await response(request.scope, request.receive, send)
        if kind is Exception:
            raise error


def _again(content: bytes, receive: Receive) -> Receive:
    """A body that was read already, once more; then whatever comes."""
    left: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def once_more() -> Message:
        return left.pop() if left else await receive()

    return once_more
