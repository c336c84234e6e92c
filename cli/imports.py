"""`agora import`: another shop's records through an import job, on the database in use."""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.runtime import commerce, server, settings, sync
from commerce.integration.schemas import ImportView
from kernel.auth import SYSTEM

Json = dict[str, Any]


async def retail(folder: Path, channel: str) -> int:
    """The benchmark's shop of a folder as a channel of its own."""
    from evals.retail.world import Terms, bring_in

    found = settings()
    async with server(found) as url, commerce(found, url) as shop:
        await sync(shop)
        return _told(await bring_in(shop, folder, Terms.read(channel)))


async def records(path: Path, source: str, channel: str, merchant: str, location: str) -> int:
    """A file of records in the general form (docs/import.md), into a channel and a merchant's location that exist."""
    found = settings()
    lines = list(_csv(path) if path.suffix == ".csv" else _jsonl(path))
    async with server(found) as url, commerce(found, url) as shop:
        async with shop.database.work(SYSTEM) as work:
            row = await work.row(
                "select m.id as merchant, l.id as location from merchants m join inventory_locations l "
                "on l.merchant_id = m.id where m.slug = $1 and l.code = $2",
                *(merchant, location),
            )
            if row is None:
                raise click.UsageError(f"there is no merchant {merchant} with a location {location}")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            target, position = await shop.imports.open(work, source, digest, channel, row["merchant"], row["location"])
        await shop.imports.bring(SYSTEM, target, position, lines)
        async with shop.database.work(SYSTEM) as work:
            return _told(await shop.imports.view(work, target.job_id))


def _told(view: ImportView) -> int:
    click.echo(f"{view.lines} lines: {view.taken} taken, {view.known} known before, {view.refused} refused")
    for error in view.errors:
        click.echo(f"line {error.line} ({error.external_id or 'no id'}): {error.code}: {error.message}")
    return 1 if view.refused else 0


def _jsonl(path: Path) -> Iterator[Json]:
    with path.open() as lines:
        for number, line in enumerate(lines, 1):
            try:
                found = json.loads(line)
            except ValueError:
                found = None
            yield found if isinstance(found, dict) else {"type": f"no JSON object in line {number}"}


def _csv(path: Path) -> Iterator[Json]:
    """One record a row: a column `address.city` is a field of a field, a cell in brackets or braces is JSON, an empty one
    is left out."""
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            record: Json = {}
            for column, cell in row.items():
                if not isinstance(column, str) or not isinstance(cell, str) or not cell.strip():
                    continue
                *outer, name = column.split(".")
                inside = record
                for part in outer:
                    inside = inside.setdefault(part, {})
                inside[name] = _cell(cell)
            yield record


def _cell(text: str) -> Any:
    if text[:1] not in "[{":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
