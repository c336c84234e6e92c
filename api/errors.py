"""The one map from errors to HTTP: `application/problem+json` (RFC 9457) with a stable `code`."""

from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kernel import telemetry
from kernel.errors import AgoraError, Kind

STATUS = {
    Kind.INVALID: 422,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
BY_CODE = {"idempotency_key_required": 400}
BY_HTTP = {404: "route_unknown", 405: "method_not_allowed", 400: "bad_request", 413: "body_too_large"}
FIELDS_MOST = 20
BUSY = (
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    ConnectionError,
    TimeoutError,
)
NOT_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What PostgreSQL says to a NUL character, which no text of it can hold."""
log = telemetry.log("api")


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    body = {"type": f"/problems/{code}", "title": code.replace("_", " ").capitalize(), "status": status}
    content = orjson.dumps({**body, "code": code, "detail": detail, "trace_id": telemetry.trace_id.get(), **more})
    return Response(content, status, headers, media_type="application/problem+json")


def of(error: AgoraError) -> Response:
    status = BY_CODE.get(error.code, STATUS[error.kind])
    retry = error.facts.get("retry_after", 1 if error.code == "request_in_flight" else None)
    headers = {"Retry-After": str(retry)} if retry is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.code, str(error), headers)


def busy() -> Response:
    return problem(503, "busy", "The shop is busy. Nothing was changed; please try again.", {"Retry-After": "1"})


def unexpected() -> Response:
    return problem(500, "internal_error", "Something went wrong on our side. It has been noted.")


def _invalid(error: RequestValidationError) -> Response:
    fields = [
        {"field": ".".join(str(part) for part in item["loc"][1:]), "message": item["msg"]}
        for item in error.errors()[:FIELDS_MOST]
    ]
    return problem(422, "invalid_request", "Some fields are not valid.", errors=fields)


async def _not_text(_: Request, __: Exception) -> Response:
    return problem(422, "invalid_request", "Text may not hold a NUL character. Nothing was changed.")


def install(app: FastAPI) -> None:
    for refused in NOT_TEXT:
        app.add_exception_handler(refused, _not_text)

    @app.exception_handler(AgoraError)
    async def _known(_: Request, error: AgoraError) -> Response:
        return of(error)

    @app.exception_handler(RequestValidationError)
    async def _fields(_: Request, error: RequestValidationError) -> Response:
        return _invalid(error)

    @app.exception_handler(Exception)
    async def _other(_: Request, error: Exception) -> Response:
        return busy() if isinstance(error, BUSY) else unexpected()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        code = BY_HTTP.get(error.status_code, "http_error")
        return problem(error.status_code, code, str(error.detail), dict(error.headers or {}))
