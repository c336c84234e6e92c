"""The outermost layer: trace id, metrics, body limit, and an answer for what nobody expected."""

import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from kernel import telemetry


class BodyTooLarge(HTTPException):
    """The request's body passed the limit while it was being read."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is too large: at most {limit} bytes.")


class Edge:
    """Wraps the whole application `app`, which answers HTTP through `http`; `body_limit` is bytes."""

    def __init__(self, app: ASGIApp, http: ASGIApp, body_limit: int) -> None:
        self.app = app
        self._http = http
        self.body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        trace = telemetry.adopt(headers.get(b"traceparent", b"").decode("latin-1"))
        call = _Call(send, trace, self.body_limit, receive)
        began = time.perf_counter()
        try:
            with telemetry.span(scope["method"]):
                await self._http(scope, call.receive, call.send)
                telemetry.describe(f"{scope['method']} {_route(scope)}", status=call.status)
        except errors.BUSY:  # answered by the handlers of `errors`; here it is only noted
            errors.log.warning("busy", path=scope["path"], exc_info=True)
        except Exception:
            errors.log.error("request_failed", path=scope["path"], exc_info=True)
        telemetry.REQUESTS.labels(scope["method"], _route(scope), str(call.status)).observe(time.perf_counter() - began)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unmatched"))


class _Call:
    """One request's receive and send, watched."""

    def __init__(self, send: Send, trace: str, limit: int, receive: Receive) -> None:
        self._send = send
        self._receive = receive
        self._trace = trace
        self._limit = self._left = limit
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise BodyTooLarge(self._limit)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            extra = [(b"x-trace-id", self._trace.encode()), (b"x-content-type-options", b"nosniff")]
            message["headers"] = [*message.get("headers", []), *extra]
        await self._send(message)
