"""Tokens: forged, stale and replayed ones are refused; refresh tokens work once and their theft ends the session."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from joserfc import jwt

from commerce.app import Commerce
from commerce.identity import Signer
from tests.factories.api import Caller, guest, signed_in
from tests.factories.world import PASSWORD


def b64(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, payload, signature = token.split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload)]
    return read[0], read[1], signature


def hs256(header: dict[str, Any], payload: dict[str, Any], secret: bytes) -> str:
    body = f"{b64({**header, 'alg': 'HS256'})}.{b64(payload)}"
    return f"{body}.{b64(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


FORGERIES: dict[str, Callable[[str], str]] = {
    "empty": lambda t: "",
    "word": lambda t: "token",
    "no signature": lambda t: ".".join(t.split(".")[:2]) + ".",
    "two parts": lambda t: ".".join(t.split(".")[:2]),
    "four parts": lambda t: t + ".x",
    "signature of zeros": lambda t: ".".join([*t.split(".")[:2], b64(bytes(64))]),
    "signature cut": lambda t: t[:-10],
    "signature flipped": lambda t: t[:-4] + ("AAAA" if t[-4:] != "AAAA" else "BBBB"),
    "alg none": lambda t: f"{b64({**parts(t)[0], 'alg': 'none'})}.{t.split('.')[1]}.",
    "alg None": lambda t: f"{b64({**parts(t)[0], 'alg': 'None'})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "alg HS256 with the key id": lambda t: hs256(*parts(t)[:2], parts(t)[0]["kid"].encode()),
    "alg HS256 with nothing": lambda t: hs256(*parts(t)[:2], b""),
    "alg RS256": lambda t: f"{b64({**parts(t)[0], 'alg': 'RS256'})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "alg missing": lambda t: f"{b64({'typ': 'at+jwt'})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "another typ": lambda t: f"{b64({**parts(t)[0], 'typ': 'JWT'})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "another kid": lambda t: f"{b64({**parts(t)[0], 'kid': 'f00'})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "roles added": lambda t: f"{t.split('.')[0]}.{b64({**parts(t)[1], 'roles': ['admin']})}.{t.split('.')[2]}",
    "longer life": lambda t: f"{t.split('.')[0]}.{b64({**parts(t)[1], 'exp': 99999999999})}.{t.split('.')[2]}",
    "payload not an object": lambda t: f"{t.split('.')[0]}.{b64([1, 2])}.{t.split('.')[2]}",
    "payload not json": lambda t: f"{t.split('.')[0]}.{b64(b'x')}.{t.split('.')[2]}",
    "key in the header": lambda t: f"{b64({**parts(t)[0], 'jwk': {'kty': 'OKP'}})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "key by address": lambda t: f"{b64({**parts(t)[0], 'jku': 'http://x'})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "critical header": lambda t: f"{b64({**parts(t)[0], 'crit': ['x']})}.{t.split('.')[1]}.{t.split('.')[2]}",
    "very long": lambda t: t + "A" * 20_000,
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_refused(http: httpx.AsyncClient, name: str) -> None:
    token = (await signed_in(http, "ann")).headers["Authorization"].removeprefix("Bearer ")
    forged = Caller(http, {"Authorization": f"Bearer {FORGERIES[name](token)}"})
    found = await forged.call("GET", "/v1/me")
    assert found.status_code == 401
    assert found.json()["code"] in ("token_invalid", "unauthenticated")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"iss": "other"},
        {"aud": "other"},
        {"sub": None},
        {"roles": "admin"},
        {"sub": "x"},
    ],
)
async def test_a_well_signed_token_with_wrong_claims_is_refused(
    http: httpx.AsyncClient, shop: Commerce, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issuer's own fields are checked against fixed expectations, not against what the token says."""
    signer: Signer = shop.identity._signer
    good = {"roles": ["admin"], "customer": None, "merchants": []}
    encode = jwt.encode
    monkeypatch.setattr(
        jwt, "encode", lambda header, payload, *rest, **more: encode(header, {**payload, **claims}, *rest, **more)
    )
    token = signer.issue(uuid4(), shop.database.clock(), good)
    answer = await http.get("/v1/sagas", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_token_of_another_secret_is_refused(http: httpx.AsyncClient, shop: Commerce) -> None:
    token = Signer("another secret").issue(
        uuid4(), shop.database.clock(), {"roles": ["admin"], "customer": None, "merchants": []}
    )
    assert (await http.get("/v1/sagas", headers={"Authorization": f"Bearer {token}"})).status_code == 401


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(http: httpx.AsyncClient) -> None:
    form = {"username": "ann@demo.test", "password": PASSWORD}
    first = (await http.post("/v1/auth/token", data=form)).json()
    second = (await http.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})).json()
    stolen = await http.post("/v1/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "token_invalid")
    after = await http.post("/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    assert after.status_code == 401


async def test_logout_ends_the_session(http: httpx.AsyncClient) -> None:
    form = {"username": "ann@demo.test", "password": PASSWORD}
    tokens = (await http.post("/v1/auth/token", data=form)).json()
    assert (await http.post("/v1/auth/logout", json={"refresh_token": tokens["refresh_token"]})).status_code == 204
    assert (await http.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})).status_code == 401


async def test_registration_signs_in_and_an_address_is_taken_once(
    http: httpx.AsyncClient, sql: asyncpg.Connection
) -> None:
    body = {"email": "New@Demo.test", "password": "a long password", "name": "New"}
    made = await http.post("/v1/auth/register", json=body)
    assert made.status_code == 201
    caller = Caller(http, {"Authorization": f"Bearer {made.json()['access_token']}"})
    assert (await caller.get("/v1/me"))["roles"] == ["customer"]
    again = await http.post("/v1/auth/register", json={**body, "email": "new@demo.test"})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    assert await sql.fetchval("select count(*) from customers where email = 'new@demo.test'") == 1
    await guest(http).refused("POST", "/v1/auth/register", 422, "invalid_request", json={**body, "password": "short"})


async def test_sign_in_attempts_are_limited_known_account_or_not(http: httpx.AsyncClient) -> None:
    for name in ("ben", "nobody"):
        codes = []
        for _ in range(12):
            form = {"username": f"{name}@demo.test", "password": "wrong password"}
            codes.append((await http.post("/v1/auth/token", data=form)).status_code)
        assert codes == [401] * 10 + [429] * 2
    good = await http.post("/v1/auth/token", data={"username": "ben@demo.test", "password": PASSWORD})
    assert good.status_code == 429, "the right password does not help while the account is locked"


async def test_an_agents_token_is_no_more_than_the_person_and_the_agent_both_may(
    http: httpx.AsyncClient, shop: Commerce
) -> None:
    token = (await signed_in(http, "ann")).headers["Authorization"].removeprefix("Bearer ")
    ann = shop.identity.principal(token, shop.database.clock())
    acting = shop.identity.agent_token(
        ann, "order", frozenset({"order:read", "orchestration:read"}), shop.database.clock()
    )
    found = shop.identity.principal(acting, shop.database.clock())
    assert (found.act, found.permissions, found.customer_id) == ("order", frozenset({"order:read"}), ann.customer_id)
    agent = Caller(http, {"Authorization": f"Bearer {acting}"})
    await agent.get("/v1/orders")
    await agent.refused("GET", "/v1/sagas", 403, "forbidden")
    await agent.refused("GET", "/v1/me/addresses", 403, "forbidden")
