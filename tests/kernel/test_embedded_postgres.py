"""The embedded server: started, attached to, stopped, and back after a kill -9 with everything it promised."""

import os
import signal
from pathlib import Path

import asyncpg

from kernel.db import connect, nearest
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


async def test_its_own_processes_come_by_the_socket_and_others_by_tcp(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = await server.start()
    assert await nearest(url) == {"host": str(tmp_path / "postgres"), "port": server.port}
    database = await connect(url, role=None)
    assert await database.pool.fetchval("select inet_server_addr() is null")
    await database.pool.execute("create role weak login password 'weak'")
    weak = f"postgresql://weak:weak@127.0.0.1:{server.port}/postgres"
    assert await nearest(weak) == {}, "who may not know where the socket lies goes by TCP"
    other = await connect(weak, role=None)
    assert await other.pool.fetchval("select host(inet_server_addr())") == "127.0.0.1"
    await other.close()
    await database.close()
    await server.stop()


def test_a_folder_too_deep_for_a_socket_has_none(tmp_path: Path) -> None:
    assert EmbeddedPostgres(tmp_path / ("deep" * 20))._sockets == ""
    assert EmbeddedPostgres(tmp_path / "with space")._sockets == ""
