"""A gateway's notice counts when it is signed, and whatever else arrives at its address is refused and changes nothing."""

from typing import Any

import asyncpg
import httpx

from commerce.payment.adapters.simulator import TOLERANCE
from tests.factories.api import guest
from tests.factories.world import World

HOOK = "/v1/webhooks/payments/simulator"


async def test_only_a_signed_notice_is_heard(
    http: httpx.AsyncClient, sql: asyncpg.Connection, world: World, shop: Any
) -> None:
    buyer, gateway = guest(http), shop.payment.gateway
    group = await buyer.checkout(await buyer.cart({world.variants["mug"]: 1}, email="gil@demo.test"), "tok_3ds")
    reference = group["payment"]["next_action"]["url"].rsplit("/", 1)[1]
    notice, now = {"event_id": "evt_1", "type": "charge.authorised", "reference": reference}, shop.database.clock()
    body, headers = gateway.signed(notice, now.timestamp())
    good = headers["x-simulator-signature"]
    at, mac = good.removeprefix("t=").split(",v1=")
    late = gateway.signed(notice, now.timestamp() - TOLERANCE - 1)[1]["x-simulator-signature"]
    early = gateway.signed(notice, now.timestamp() + TOLERANCE + 9)[1]["x-simulator-signature"]
    other = gateway.signed({**notice, "event_id": "evt_2"}, now.timestamp())[1]["x-simulator-signature"]
    nearly = f"t={at},v1={mac[:-1]}{'0' if mac[-1] != '0' else '1'}"
    odd = ["", "t=", "v1=", good.upper(), f"{good} ", f"t={at},v1=", f"t={at},v1={mac},v1={mac}", f"v1={mac},t={at}"]
    digits = [f"t=\xb2,v1={mac}", f"t={'9' * 5000},v1={mac}", f"t=-{at},v1={mac}", f"t={at}.0,v1={mac}"]
    for forged in (*odd, *digits, f"t={at},v1=\xe9", late, early, other, nearly):
        sent = {"content": body, "headers": {"x-simulator-signature": forged.encode("latin-1")}}
        await buyer.refused("POST", HOOK, 401, "webhook_signature_invalid", **sent)
    await buyer.refused("POST", HOOK, 401, "webhook_signature_invalid", content=body)
    await buyer.refused("POST", HOOK + "s", 401, "webhook_signature_invalid", content=body, headers=headers)
    heard = "select count(*) from payment_webhook_events where gateway_reference = $1"
    assert await sql.fetchval(heard, reference) == 0
    assert (await buyer.call("POST", HOOK, content=body, headers=headers)).status_code == 204
    assert await sql.fetchval(heard, reference) == 1
