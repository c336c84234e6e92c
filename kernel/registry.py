"""Schema registries: a schema is known by a number, the same for everybody who reads a topic.

By default the numbers stand in a table of the database; with SCHEMA_REGISTRY_URL they come from a server that speaks
Confluent's API (Apicurio, Karapace, Confluent). A number never changes its meaning, so both remember what they saw.
"""

from typing import Protocol
from urllib.parse import quote

import httpx

from kernel.auth import SYSTEM
from kernel.db import Database

REGISTRY_SECONDS = 2.0
"""Time-out of one call: below the relay's own, since the first event of a kind asks while the relay waits."""
MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryUnavailable(Exception):
    """The registry did not answer, or answered that it cannot: try again."""


class SchemaRefused(Exception):
    """The registry does not take this schema (incompatible with what it holds): a person must look."""


class UnknownSchema(Exception):
    """Nobody registered this number."""


class Registry(Protocol):
    async def register(self, subject: str, schema: str) -> int:
        """The number of a schema, given out now if it is new. The same schema always has the same number."""
        ...

    async def schema(self, number: int) -> str:
        """The schema of a number; raises UnknownSchema."""
        ...

    async def close(self) -> None: ...


class TableRegistry:
    """Numbers in `event_schemas` of the own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, subject: str, schema: str) -> int:
        async with self._database.work(SYSTEM) as work:
            number: int = await work.value(
                "insert into event_schemas (subject, schema, digest, created_at) "
                "values ($1, $2, sha256(convert_to($2, 'UTF8')), $3) "
                "on conflict (subject, digest) do update set subject = excluded.subject returning id",
                *(subject, schema, work.now),
            )
        return number

    async def schema(self, number: int) -> str:
        async with self._database.work(SYSTEM) as work:
            found: str | None = await work.value("select schema from event_schemas where id = $1", number)
        if found is None:
            raise UnknownSchema(number)
        return found

    async def close(self) -> None:
        """The database belongs to the process."""


class HttpRegistry:
    """A registry server. User and password may stand in the URL."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"), timeout=REGISTRY_SECONDS, headers={"Accept": MEDIA_TYPE}
        )

    async def register(self, subject: str, schema: str) -> int:
        answer = await self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", {"schema": schema})
        if answer.status_code in (409, 422):
            raise SchemaRefused(f"{subject}: {answer.text[:200]}")
        return int(self._known(answer)["id"])

    async def schema(self, number: int) -> str:
        answer = await self._ask("GET", f"/schemas/ids/{number}")
        if answer.status_code == 404:
            raise UnknownSchema(number)
        return str(self._known(answer)["schema"])

    async def subjects(self) -> list[str]:
        answer = await self._ask("GET", "/subjects")
        return [str(name) for name in self._known(answer)]

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        headers = {"Content-Type": MEDIA_TYPE} if body else {}
        try:
            return await self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as lost:
            raise RegistryUnavailable(f"{method} {path}: {type(lost).__name__}") from None

    @staticmethod
    def _known(answer: httpx.Response) -> "dict[str, int | str]":
        if not answer.is_success:
            raise RegistryUnavailable(f"{answer.request.url.path}: status {answer.status_code}")
        found: dict[str, int | str] = answer.json()
        return found
