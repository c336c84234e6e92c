"""The first grader: what a case changed in the database is what it says, row by row, and nothing else."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from evals.case import Case
from evals.ground import Changed
from evals.worlds.build import World

JOURNAL = (
    *("agent_runs", "agent_model_calls", "agent_tool_calls", "agent_usage", "chat_", "outbox_", "inbox_", "transport_"),
    *("saga_", "audit_log", "refresh_tokens", "sign_in_attempts", "gateway_", "event_schemas", "schedules"),
)
"""Beginnings of the names of tables that note what happens: their rows are no effect."""
Row = dict[str, Any]


def effects(difference: list[Changed]) -> list[Changed]:
    """The difference without the journal."""
    return [changed for changed in difference if not changed.table.startswith(JOURNAL)]


def grade_state(case: Case, difference: list[Changed], world: World) -> list[str]:
    """What is wrong with the difference, in words; empty when nothing is."""
    allowed = {table for name in case.also for table in _tables(name)}
    changed: dict[str, list[Row]] = {}
    for one in effects(difference):
        changed.setdefault(one.table, []).append(_shown(one))
    wrong = [
        f"{table} changed and must not: {_short(rows)}"
        for table, rows in sorted(changed.items())
        if table not in case.state and table not in allowed
    ]
    for table, wanted in case.state.items():
        wrong += _grade_table(table, world.filled(wanted), changed.get(table, []))
    return wrong


def _grade_table(table: str, wanted: list[Row], rows: list[Row]) -> list[str]:
    left, missing = list(rows), []
    for row in wanted:
        found = next((one for one in left if fits(row, one)), None)
        if found is None:
            missing.append(row)
        else:
            left.remove(found)
    problems = [f"{table}: no row became {row}" for row in missing]
    return problems + ([f"{table}: {len(left)} more changed: {_short(left)}"] if left else [])


def fits(wanted: Any, found: Any) -> bool:
    """Whether `found` has everything that is named in `wanted`."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(fits(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(fits, wanted, found))
    return bool(wanted == found) or str(wanted) == str(found)


def _shown(one: Changed) -> Row:
    """The row as it is now; one that is gone as it was, and `removed`."""
    return one.after if one.after is not None else {**(one.before or {}), "removed": True}


def _short(rows: list[Row]) -> str:
    text = "; ".join(", ".join(f"{name}={value}" for name, value in row.items() if value is not None) for row in rows)
    return text[:300]


@cache
def _groups() -> dict[str, frozenset[str]]:
    found = yaml.safe_load(Path(__file__).with_name("effects.yaml").read_text())
    return {
        name: frozenset(table for part in parts for table in (part if isinstance(part, list) else [part]))
        for name, parts in found.items()
    }


def _tables(name: str) -> frozenset[str]:
    return _groups()[name]
