"""What every command stands on: settings, the database, and the services on it."""

import errno
import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from commerce.app import Commerce, wire
from commerce.payment.adapters.simulator import Simulator
from kernel import db
from kernel.auth import SYSTEM
from kernel.clock import Clock, system_clock
from kernel.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresUnavailable
from kernel.settings import Settings
from kernel.settings import settings as read_settings
from migrations.upgrade import create_database

DATABASE = "agora"


class Trouble(Exception):
    """Something a person can mend; the text is one line and says how."""


def settings() -> Settings:
    try:
        found = read_settings()
    except ValidationError as bad:
        first = bad.errors()[0]
        name = str(first["loc"][0])
        name = name if name.isupper() else f"AGORA_{name.upper()}"
        raise Trouble(f"bad setting {name}: {first['msg']}") from None
    if found.environment == "production" and not found.secret:
        raise Trouble("AGORA_SECRET must be set in production")
    return found


def data_folder(found: Settings) -> Path:
    folder = found.data_dir.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as refused:
        raise Trouble(f"cannot write to the data folder {folder}: {refused.strerror} (set AGORA_DATA_DIR)") from None
    return folder


def secret(found: Settings) -> str:
    """The secret that signs tokens: a setting, or for local use one that is made once and kept in the data folder."""
    if found.secret:
        return found.secret.get_secret_value()
    path = data_folder(found) / "secret"
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def require_free_port(found: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((found.host, found.port))
        except OSError as refused:
            if refused.errno == errno.EADDRINUSE:
                raise Trouble(f"port {found.port} is taken: set AGORA_PORT to another one") from None
            raise Trouble(f"cannot listen on {found.host}:{found.port}: {refused.strerror}") from None


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Holds the data folder: one running shop per folder."""
    with (folder / "up.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Trouble(f"another Agora runs on {folder}: stop it, or set AGORA_DATA_DIR") from None
        handle.write(str(os.getpid()))
        handle.flush()
        yield


@asynccontextmanager
async def server(found: Settings, owner: bool = False) -> AsyncIterator[str]:
    """The URL of the database to use: DATABASE_URL, or a database of the embedded server, started when it is not up."""
    if found.database_url:
        yield found.database_url
        return
    postgres = EmbeddedPostgres(data_folder(found))
    try:
        url = await postgres.start()
        yield await create_database(url, DATABASE)
    except EmbeddedPostgresUnavailable as unavailable:
        raise Trouble(str(unavailable)) from None
    finally:
        if owner or not postgres.attached:
            await postgres.stop()


@asynccontextmanager
async def commerce(found: Settings, url: str, clock: Clock = system_clock) -> AsyncIterator[Commerce]:
    """The services of this process on the database at `url`."""
    database = await connect(found, url, clock)
    try:
        key = secret(found)
        yield wire(database, Simulator(database, found.base_url, key), key, found)
    finally:
        await database.close()


async def connect(found: Settings, url: str, clock: Clock = system_clock) -> db.Database:
    try:
        database = await db.connect(
            url,
            size=found.pool_size,
            statement_timeout=found.statement_timeout,
            lock_timeout=found.lock_timeout,
            clock=clock,
        )
    except (OSError, asyncpg.PostgresError) as refused:
        raise Trouble(f"cannot use the database: {type(refused).__name__}: {refused}") from None
    return database


async def sync(commerce: Commerce) -> None:
    """Writes what the code declares into the tables that hold it."""
    async with commerce.database.work(SYSTEM) as work:
        await commerce.identity.sync_roles(work)
