"""The embedded server: started, attached to, stopped, and back after a kill -9 with everything it promised."""

import os
import signal
from pathlib import Path

import asyncpg

from kernel.embedded_postgres import EmbeddedPostgres


async def test_start_attach_kill_and_start_again(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path)
    url = await first.start()
    connection = await asyncpg.connect(url)
    await connection.execute("create table kept (n int); insert into kept values (1)")
    second = EmbeddedPostgres(tmp_path)
    assert await second.start() == url
    assert second.attached
    pid = first.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    third = EmbeddedPostgres(tmp_path)
    assert await third.start() == url
    assert not third.attached
    again = await asyncpg.connect(url)
    assert await again.fetchval("select n from kept") == 1
    assert (await again.fetchval("show server_version")).startswith("18")
    await again.close()
    await third.stop()
    assert third.pid is None
    assert oct((tmp_path / "postgres" / "password").stat().st_mode)[-3:] == "600"
