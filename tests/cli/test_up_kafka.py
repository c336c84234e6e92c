"""`agora up` with KAFKA_BOOTSTRAP_SERVERS: the reactions of a purchase come through the broker."""

import asyncio
from pathlib import Path

import httpx

from kernel.kafka_cluster import Cluster, Options
from tests.cli.test_up import environment, running
from tests.factories.api import guest
from tests.factories.carriers import KAFKAS, broker


async def test_up_uses_kafka_where_it_is_told_to(tmp_path: Path) -> None:
    server = broker(KAFKAS[0])
    try:
        await server.start()
        env = environment(tmp_path, AGORA_DEMO="1", KAFKA_BOOTSTRAP_SERVERS=server.servers, KAFKA_TOPIC_PREFIX="up.")
        await asyncio.to_thread(buys, env, tmp_path)
        _, topics = await Cluster(Options(server.servers, "up.")).topics()
        assert {"up.order", "up.payment", "up.warehouse"} <= set(topics)
    finally:
        await server.remove()


def buys(env: dict[str, str], folder: Path) -> None:
    with running(env):
        asyncio.run(buy(f"http://127.0.0.1:{env['AGORA_PORT']}", folder / "mail"))


async def buy(base: str, mails: Path) -> None:
    async with httpx.AsyncClient(base_url=base, timeout=30) as http:
        buyer = guest(http)
        items = (await buyer.get("/v1/products", params={"q": "headphones"}))["items"]
        made = await buyer.post("/v1/carts", {"email": "gil@demo.test"})
        buyer.headers["X-Cart-Token"] = made["cart_token"]
        await buyer.post(f"/v1/carts/{made['id']}/lines", {"variant_id": items[0]["variants"][0]["id"], "quantity": 1})
        placed = await buyer.checkout(made["id"])
        assert placed["payment"]["status"] == "captured"
        number = placed["orders"][0]["number"]
        async with asyncio.timeout(20):
            while not any(number in mail.read_text() for mail in mails.glob("*.eml")):
                await asyncio.sleep(0.1)
