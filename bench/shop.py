"""A running Agora to measure: its own data folder, its own port, the demo shop with plenty of stock."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

ROOT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
RESTING = 1.5
"""Seconds with less than a tenth of a core's time: then the shop has started."""


@dataclass
class Shop:
    base_url: str
    database_url: str
    sql: asyncpg.Connection
    variants: list[UUID]
    process: "subprocess.Popen[bytes]"
    postgres: int
    """Process id of the embedded server."""

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator["Shop"]:
        port = _free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "AGORA_DATA_DIR": str(folder),
            "AGORA_PORT": str(port),
            "AGORA_DEMO": "1",
            "AGORA_RATE_LIMIT": "100000000",
            "AGORA_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "cli.main"]
        process = subprocess.Popen([*command, "up"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            base_url = f"http://127.0.0.1:{port}"
            await _ready(base_url)
            url = subprocess.run(
                [*command, "db", "url"], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
            )
            sql = await asyncpg.connect(url.stdout.strip())
            await sql.execute("create extension if not exists pg_stat_statements")
            await _plenty(sql)
            rows = await sql.fetch(
                "select v.id from product_variants v join products p on p.id = v.product_id "
                "join merchants m on m.id = p.merchant_id where m.slug = 'northlight' order by v.id"
            )
            postgres = int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
            shop = cls(base_url, url.stdout.strip(), sql, [row["id"] for row in rows], process, postgres)
            await shop.rest()
            yield shop
            await sql.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)

    def cpu_seconds(self) -> float:
        """CPU time so far, user and system, of the clients, the shop and its database; not of the machine's others."""
        return _cpu_seconds({os.getpid(), self.process.pid, self.postgres})

    async def rest(self) -> None:
        """Waits until the start is through: the agents are loaded in the background."""
        before = self.cpu_seconds()
        while True:
            await asyncio.sleep(RESTING)
            now = self.cpu_seconds()
            if now - before < 0.1 * RESTING:
                return
            before = now

    async def statements(self) -> int:
        """Statements this database has run, without transaction control."""
        found: int = await self.sql.fetchval(
            "select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_database d on d.oid = s.dbid "
            "where d.datname = current_database() and query !~* '^(begin|commit|rollback|set |select set_config|select \\$1)'"
        )
        return found

    async def done(self) -> int:
        """Purchases that are told: confirmed, captured, picked, in the history and in the mail."""
        found: int = await self.sql.fetchval(
            "select count(*) from email_messages where subject like 'Your order%confirmed'"
        )
        return found


def _cpu_seconds(roots: set[int]) -> float:
    """CPU time so far of these processes and all below them, with what their ended children took along."""
    spent, children = {}, defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it ended meanwhile: its parent has its time
            continue
        pid = int(stat.parent.name)
        spent[pid] = sum(int(field) for field in fields[11:15]) / TICKS
        children[int(fields[1])].append(pid)
    total, found = 0.0, [root for root in roots if root in spent]
    while found:
        pid = found.pop()
        total += spent[pid]
        found += [child for child in children[pid] if child not in roots]
    return total


async def _plenty(sql: asyncpg.Connection) -> None:
    await sql.execute(
        "with more as (update inventory_levels set on_hand = on_hand + 10000000 returning id) "
        "insert into inventory_movements (id, level_id, kind, on_hand, reserved, allocated, at) "
        "select uuidv7(), id, 'receive', 10000000, 0, 0, now() from more"
    )


async def _ready(base_url: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(400):
            try:
                if (await client.get(f"{base_url}/health/ready")).is_success:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
    raise SystemExit("the shop did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
