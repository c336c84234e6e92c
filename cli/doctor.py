"""`agora doctor`: looks at the environment and says, line by line, what is there and what to do about what is not."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import click
import httpx

from cli.runtime import Trouble, data_folder, require_free_port, secret, server, settings
from kernel.settings import Settings
from migrations import upgrade as migrations

GIGABYTE = 1_000_000_000
DISK_LEAST = 1
CONNECT_SECONDS = 3.0
LACKS = """
select string_agg(what, ', ') from (values
  (not has_database_privilege(current_database(), 'create'), 'create on the database'),
  (not has_schema_privilege('public', 'create'), 'create on schema public'),
  (not (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) and not exists
   (select from pg_roles r where rolname = 'agora_app' and pg_has_role(r.oid, 'member')), 'membership of a role agora_app')
) as needs(missing, what) where missing
"""
"""What a database user cannot do that a first migration must."""
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
    for look in (python, folder, port, database, mail, kafka, registry, model, tracing, signing):
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
        if await _is_agora(found):
            return Finding(True, f"Agora is running at {found.base_url}")
        return Finding(False, str(trouble))
    return Finding(True, f"port {found.port} is free")


async def database(found: Settings) -> Finding:
    kind = "DATABASE_URL" if found.database_url else "the embedded server"
    try:
        async with server(found) as url:
            at = await migrations.revision(url)
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
            version, lacks = await connection.fetchval("show server_version"), await connection.fetchval(LACKS)
            await connection.close()
    except (OSError, ValueError, asyncpg.PostgresError) as refused:
        cause = str(refused) or type(refused).__name__
        return Finding(
            False, f"cannot use {kind}: {cause}. Start that server, or unset DATABASE_URL for the embedded one"
        )
    if int(version.split(".")[0]) < 16:
        return Finding(False, f"PostgreSQL {version} by {kind}: 16 or newer is needed")
    if at == migrations.head():
        return Finding(True, f"PostgreSQL {version} by {kind}, migrated")
    if lacks:
        return Finding(False, f"PostgreSQL {version} by {kind} is to be migrated, and its user lacks: {lacks}")
    return Finding(True, f"PostgreSQL {version} by {kind}, to be migrated: `agora up` or `agora db upgrade` does it")


async def mail(found: Settings) -> Finding:
    if not found.smtp_url:
        return Finding(None, f"no SMTP_URL: mails are written as files into {found.data_dir / 'mail'}")
    return await _answers("SMTP server", found.smtp_url, 25, "mails wait for it; unset SMTP_URL to write files instead")


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
    url = found.openai_base_url or "https://api.openai.com"
    return await _answers("model endpoint", url, 443, "chat falls back to the offline planner; check OPENAI_BASE_URL")


async def tracing(found: Settings) -> Finding:
    if not found.trace:
        return Finding(True, "spans are off (AGORA_TRACE=1 turns them on)")
    url = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    return await _answers("span collector", url, 4318, "spans are lost; check OTEL_EXPORTER_OTLP_ENDPOINT")


async def signing(found: Settings) -> Finding:
    if found.secret:
        return Finding(True, "tokens are signed with AGORA_SECRET")
    secret(found)
    return Finding(True, "tokens are signed with a secret kept in the data folder")


async def _is_agora(found: Settings) -> bool:
    try:
        async with httpx.AsyncClient(timeout=CONNECT_SECONDS) as client:
            answer = await client.get(f"http://{found.host}:{found.port}/health/live")
        return bool(answer.json() == {"status": "live"})
    except (httpx.HTTPError, ValueError):
        return False


async def _answers(name: str, url: str, default: int, otherwise: str) -> Finding:
    try:
        parts = urlsplit(url)
        host = parts.hostname or "127.0.0.1"
        number = parts.port or {"https": 443, "http": 80, "smtps": 465}.get(parts.scheme, default)
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, number)
        writer.close()
    except (OSError, ValueError, TimeoutError) as lost:
        return Finding(False, f"the {name} at {url} does not answer ({type(lost).__name__}): {otherwise}")
    return Finding(True, f"the {name} at {host}:{number} answers")
