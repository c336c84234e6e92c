"""`make bench`: the whole purchase journey, and one hot SKU, beside the same SQL as bare transactions on the same server.

Everything runs on this machine: clients in this process, the API with its workers in two more, Postgres. Rounds take
turns, so that a noisy neighbour meets both sides. CPU is user + system time of all of these processes, from /proc.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from bench.bare import Bare
from bench.hot import hot_sku
from bench.journey import journeys
from bench.shop import Shop

TARGETS = (
    "Targets: >= 100 journeys/s, p95 < 200 ms, <= 12 CPU ms, <= 40 statements a journey; one hot SKU >= 300 orders/s "
    "placed, 0 oversold."
)


async def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="rounds of each side, in turn")
    options.add_argument("--seconds", type=float, default=8.0, help="length of a round")
    options.add_argument("--clients", type=int, default=8)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="agora-bench-") as folder:
        async with Shop.open(Path(folder)) as shop:
            print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {asked.clients} clients")
            bare = await Bare.open(shop, asked.clients)
            await journeys(shop, bare, asked.rounds, asked.seconds, asked.clients)
            await hot_sku(shop, bare, asked.rounds, int(asked.seconds * 100), asked.clients)
            await bare.close()
    print(TARGETS)


asyncio.run(main())
