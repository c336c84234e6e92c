"""Starting the parts: everything (`up`), the API alone, workers alone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
import uvicorn

from api.app import create_app
from cli.database import ensure
from cli.runtime import Trouble, commerce, data_folder, owned, require_free_port, server, settings, sync
from commerce.app import Commerce
from kernel import garbage, telemetry
from kernel.settings import Settings

STOP_SECONDS = 10


async def up(demo: bool) -> None:
    """Database, demo shop, API and workers; ends with Ctrl-C."""
    began = time.monotonic()
    found = settings()
    require_free_port(found)
    folder = data_folder(found)
    with owned(folder):
        async with server(found, owner=True) as url:
            await ensure(url)
            async with commerce(found, url) as shop:
                await sync(shop)
                users = await _demo(shop, found) if demo else ""
                workers = _spawn_workers(url)
                warm = found.model_copy(update={"chat_warm": True})
                try:
                    ready = f"{found.base_url} is ready after {{:.1f}} s. Stop it with Ctrl-C.\n{users}"
                    await _serve(shop, warm, lambda: click.echo(ready.format(time.monotonic() - began)))
                finally:
                    _stop(workers)


async def api() -> None:
    found = settings()
    require_free_port(found)
    async with server(found) as url:
        await ensure(url)
        async with commerce(found, url) as shop:
            await sync(shop)
            await _serve(shop, found, lambda: click.echo(f"{found.base_url} is ready"))


async def worker(roles: tuple[str, ...]) -> None:
    """Runs until SIGTERM or Ctrl-C; as a child of `up` also until that is gone."""
    from kernel.transport import transport
    from workers.run import ROLES, run

    found = settings()
    if unknown := [role for role in roles if role not in ROLES]:
        raise Trouble(f"unknown role {unknown[0]}: choose from {', '.join(ROLES)}")
    _observe(found, "agora-worker")
    async with server(found) as url, commerce(found, url) as shop:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, task.cancel)
        orphan = asyncio.create_task(_with_parent(task))
        carrier = transport(shop.database, found)
        with suppress(asyncio.CancelledError):
            await run(shop, carrier, found, roles or ROLES)
        await carrier.close()
        orphan.cancel()


async def _with_parent(task: "asyncio.Task[Any]") -> None:
    """A worker that `up` started does not outlive it."""
    parent = os.environ.get("AGORA_PARENT")
    while parent and os.getppid() == int(parent):
        await asyncio.sleep(1)
    if parent:
        task.cancel()


async def _demo(shop: Commerce, found: Settings) -> str:
    from cli.demo.shop import demo_shop

    return await demo_shop(shop, found)


def _spawn_workers(url: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DATABASE_URL": url, "AGORA_PARENT": str(os.getpid())}
    return subprocess.Popen([sys.executable, "-m", "cli.main", "worker"], env=environment, start_new_session=False)


def _stop(workers: "subprocess.Popen[bytes]") -> None:
    workers.terminate()
    try:
        workers.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        workers.kill()


class _Server(uvicorn.Server):
    """Says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Any) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM ends the serving and no more: raised once more, as uvicorn does, it would end this process before the
        database and the workers that it started."""
        with super().capture_signals():
            yield
            self._captured_signals = [one for one in self._captured_signals if one != signal.SIGTERM]

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            garbage.spare()
            self._ready()


def _observe(found: Settings, service: str) -> None:
    telemetry.configure_logging(found.log_level)
    if found.trace:
        telemetry.configure_tracing(service)


async def _serve(shop: Commerce, found: Settings, ready: Any) -> None:
    _observe(found, "agora-api")
    config = uvicorn.Config(
        create_app(shop, found),
        host=found.host,
        port=found.port,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    await _Server(config, ready).serve()
