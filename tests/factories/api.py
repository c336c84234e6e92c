"""Calls of the API as its callers make them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from kernel.ids import public
from tests.factories.world import ADDRESS, CARD, PASSWORD


@dataclass
class Caller:
    """Somebody at the API; the headers say who."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, expect: int | None = None, key: str | None = None, **kwargs: Any
    ) -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {}), **kwargs.pop("headers", {})}
        answer = await self.http.request(method, path, headers=headers, **kwargs)
        if expect is not None:
            assert answer.status_code == expect, (answer.status_code, answer.text)
        return answer.json() if expect is not None and answer.content else answer

    async def get(self, path: str, expect: int | None = 200, **kwargs: Any) -> Any:
        return await self.call("GET", path, expect, **kwargs)

    async def post(self, path: str, body: Any = None, expect: int | None = 201, **kwargs: Any) -> Any:
        return await self.call("POST", path, expect, json=body if body is not None else {}, **kwargs)

    async def refused(self, method: str, path: str, status: int, code: str, **kwargs: Any) -> dict[str, Any]:
        """The call must fail with this status and code, as a problem document."""
        answer = await self.call(method, path, **kwargs)
        assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.json()

    async def cart(self, lines: dict[UUID, int], email: str | None = None, **create: Any) -> str:
        """A new cart with these lines; a guest's token is kept in the headers."""
        made = await self.post("/v1/carts", {**create, **({"email": email} if email else {})})
        if made["cart_token"]:
            self.headers["X-Cart-Token"] = made["cart_token"]
        for variant, quantity in lines.items():
            await self.post(
                f"/v1/carts/{made['id']}/lines", {"variant_id": public("var", variant), "quantity": quantity}
            )
        return made["id"]

    async def checkout(
        self, cart: str, token: str = CARD, expect: int | None = 201, key: str | None = None, **more: Any
    ) -> Any:
        body = {"shipping_address": ADDRESS, "payment_token": token, **more}
        body = {name: value for name, value in body.items() if value is not None}
        return await self.post(f"/v1/carts/{cart}/checkout", body, expect, key=key or str(uuid4()))


def guest(http: httpx.AsyncClient) -> Caller:
    return Caller(http)


async def signed_in(http: httpx.AsyncClient, name: str) -> Caller:
    answer = await http.post("/v1/auth/token", data={"username": f"{name}@demo.test", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Caller(http, {"Authorization": f"Bearer {answer.json()['access_token']}"})
