"""Replays a file of tasks, writes a line for each, and says how many came to what they expect."""

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from evals.retail.convert import load, minor
from evals.retail.replay import Played, Stage, stage
from kernel.settings import Settings

Json = dict[str, Any]
SHOWN = 160


async def run(
    server: str, settings: Settings, data: Path, tasks: Path, out: Path | None, only: Sequence[str] = ()
) -> int:
    """All tasks of a file, or those named; 1 when one of them is not equal. Tasks without `expected` are only played."""
    chosen = [task for task in _read(tasks) if not only or task["id"] in only]
    began = time.perf_counter()
    async with stage(server, settings, data, {task["user_id"] for task in chosen}) as ready:
        click.echo(f"the world came in within {time.perf_counter() - began:.1f} s")
        differs = await whole(ready, data)
        for one in differs[:5]:
            click.echo(f"not as it came in: {one}"[:SHOWN])
        equal, played = 0, []
        began = time.perf_counter()
        for task in chosen:
            done = await ready.play(task)
            played.append(done)
            unlike = difference(task, done) if "expected" in task else None
            equal += unlike is None
            if unlike:
                click.echo(f"{task['id']}: {unlike}"[:SHOWN])
        seconds = time.perf_counter() - began
    if out:
        _write(out, played)
    resets = [done.reset * 1000 for done in played]
    click.echo(
        f"{equal} of {len(chosen)} tasks equal, {sum(len(done.calls) for done in played)} calls, {seconds:.1f} s"
    )
    if resets:
        click.echo(f"put back in {statistics.median(resets):.0f} ms (at most {max(resets):.0f} ms)")
    return 1 if equal < len(chosen) or differs else 0


def _read(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _write(path: Path, played: Sequence[Played]) -> None:
    path.write_text("".join(json.dumps(done.line) + "\n" for done in played))


async def whole(ready: Stage, data: Path) -> list[str]:
    """Compares everybody and everything with the file it came from: ids of what is not equal."""
    users, orders = await ready.remember()
    world = load(data)
    kinds = ((world["users"], users), (world["orders"], orders))
    return [name for theirs, ours in kinds for name, one in theirs.items() if not same(one, ours.get(name))]


def difference(task: Json, done: Played) -> str | None:
    """The first thing that is not as expected, None when all is."""
    for number, (call, made) in enumerate(zip(task["calls"], done.calls, strict=True)):
        if call["accepted"] != made.accepted:
            said = "accepted" if made.accepted else f"refused ({made.code})"
            return f"call {number} {call['name']} was {said}"
    for kind, ours in (("users", done.users), ("orders", done.orders)):
        theirs = task["expected"][kind]
        for name in sorted({*theirs, *ours}):
            wanted, found = theirs.get(name, {}), ours.get(name, {})
            for key in sorted({*wanted, *found}):
                if not same(wanted.get(key), found.get(key)):
                    return f"{name}.{key} is {found.get(key)!r}, expected {wanted.get(key)!r}"
    return None


def same(one: Any, other: Any) -> bool:
    """Equal as the benchmark counts: money in cents, absent is null, lists keep their order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(one.get(key), other.get(key)) for key in {*one, *other})
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if _number(one) and _number(other):
        return minor(one) == minor(other)
    return bool(one == other)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
