"""`agora doctor`: looks at the environment and says, line by line, what is there and what to do about what is not."""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import click

from cli.runtime import Trouble, data_folder, require_free_port, secret, server, settings
from kernel.settings import Settings
from migrations import upgrade as migrations

GIGABYTE = 1_000_000_000
DISK_LEAST = 1
CONNECT_SECONDS = 3.0
KAFKA_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`good`: True (all well), False (must be mended), None (works, but know this)."""

    good: bool | None
    text: str


Look = Callable[[Settings], Awaitable[Finding]]


async def doctor() -> int:
    found = settings()
    findings = []
    for look in (python, folder, port, database, mail, kafka, registry, model, signing):
        try:
            finding = await look(found)
        except Trouble as trouble:
            finding = Finding(False, str(trouble))
        findings.append(finding)
        click.echo(f"{ {True: 'ok  ', None: 'note', False: 'FAIL'}[finding.good] } {finding.text}")
    return 1 if any(finding.good is False for finding in findings) else 0


async def python(_: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= (3, 11), f"Python {version}")


async def folder(found: Settings) -> Finding:
    path = data_folder(found)
    free = shutil.disk_usage(path).free // GIGABYTE
    return Finding(free >= DISK_LEAST, f"data folder {path}, {free} GB free")


async def port(found: Settings) -> Finding:
    try:
        require_free_port(found)
    except Trouble as trouble:
        return Finding(None, f"{trouble} (or Agora is running already)")
    return Finding(True, f"port {found.port} is free")


async def database(found: Settings) -> Finding:
    kind = "DATABASE_URL" if found.database_url else "the embedded server"
    try:
        async with server(found) as url:
            at = await migrations.revision(url)
            connection = await asyncpg.connect(url)
            version = await connection.fetchval("show server_version")
            await connection.close()
    except (OSError, asyncpg.PostgresError) as refused:
        return Finding(False, f"{kind} does not answer: {type(refused).__name__}")
    state = "migrated" if at == migrations.head() else "to be migrated: `agora up` or `agora db upgrade` does it"
    good = int(version.split(".")[0]) >= 16
    return Finding(good, f"PostgreSQL {version} by {kind}, {state}" + ("" if good else "; 16 or newer is needed"))


async def mail(found: Settings) -> Finding:
    if not found.smtp_url:
        return Finding(None, f"no SMTP_URL: mails are written as files into {found.data_dir / 'mail'}")
    return await _answers("SMTP server", found.smtp_url, 25)


async def kafka(found: Settings) -> Finding:
    if not found.kafka_bootstrap_servers:
        return Finding(True, "events travel through PostgreSQL (no KAFKA_BOOTSTRAP_SERVERS)")
    from aiokafka.errors import KafkaError

    from kernel.kafka_cluster import Cluster, Options

    try:
        async with asyncio.timeout(KAFKA_SECONDS):
            brokers, topics = await Cluster(Options.of(found)).topics()
    except (KafkaError, OSError, TimeoutError) as lost:
        return Finding(False, f"Kafka at {found.kafka_bootstrap_servers} does not answer ({type(lost).__name__})")
    copies = found.kafka_replication or min(3, brokers)
    note = "" if copies > 1 else "; one copy of each record only: the outbox has the second"
    return Finding(
        True if copies > 1 else None,
        f"Kafka at {found.kafka_bootstrap_servers}: {brokers} broker(s), {len(topics)} topics of ours{note}",
    )


async def registry(found: Settings) -> Finding:
    if not found.schema_registry_url:
        return Finding(True, "numbers of event schemas stand in the database (no SCHEMA_REGISTRY_URL)")
    from kernel.registry import HttpRegistry, RegistryUnavailable

    server = HttpRegistry(found.schema_registry_url)
    host = urlsplit(found.schema_registry_url).hostname
    try:
        return Finding(True, f"the schema registry at {host} knows {len(await server.subjects())} subjects")
    except RegistryUnavailable as lost:
        return Finding(False, f"the schema registry at {host} does not answer ({lost})")
    finally:
        await server.close()


async def model(found: Settings) -> Finding:
    if found.model == "offline" or not found.openai_api_key:
        return Finding(True, "chat answers by the offline planner (no OPENAI_API_KEY, or AGORA_MODEL=offline)")
    return await _answers("model endpoint", found.openai_base_url or "https://api.openai.com", 443)


async def signing(found: Settings) -> Finding:
    secret(found)
    return Finding(
        True, "tokens are signed with " + ("AGORA_SECRET" if found.secret else "a secret kept in the data folder")
    )


async def _answers(name: str, url: str, default: int) -> Finding:
    parts = urlsplit(url)
    host, number = parts.hostname or "127.0.0.1", parts.port or {"https": 443, "http": 80}.get(parts.scheme, default)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, number)
        writer.close()
    except (OSError, TimeoutError) as lost:
        return Finding(False, f"the {name} at {host}:{number} does not answer ({type(lost).__name__})")
    return Finding(True, f"the {name} at {host}:{number} answers")
