"""The rows behind a saga: every write is fenced by the version its writer saw."""

from typing import Any
from uuid import UUID

from kernel.db import Record, Work
from kernel.saga import Saga
from kernel.tables import Json

StepRow = tuple[str, str, str, str, Json | None, Json | None]
"""(name, phase, status, key, request, result)"""

_INSERT = """
with saga as (
  insert into saga_instances (id, kind, definition, subject_id, status, step, data, error, version, owner,
                              due_at, deadline_at, trace, created_at, updated_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, clock_timestamp() + make_interval(secs => $10), $11, $12, $13, $13)
)
insert into saga_steps (saga_id, name, phase, status, key, request, result, at)
select $1, *, $13 from unnest($14::text[], $15::text[], $16::text[], $17::text[], $18::jsonb[], $19::jsonb[])
"""

_PROGRESS = """
with saga as (
  update saga_instances set status = $5, step = $6, data = $7, error = $8, cause = null, version = version + 1, attempts = $9,
         due_at = clock_timestamp() + make_interval(secs => $10), updated_at = $3
  where id = $1 and version = $2 and owner = $4
  returning id
), steps as (
  insert into saga_steps (saga_id, name, phase, status, key, request, result, at)
  select saga.id, s.*, $3 from saga,
    unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::jsonb[]) s
  on conflict (saga_id, name, phase) do update
    set status = excluded.status, result = excluded.result, at = excluded.at,
        request = coalesce(saga_steps.request, excluded.request)
)
select id from saga
"""

_CLAIM = """
update saga_instances set owner = $1, version = version + 1, attempts = attempts + 1,
       due_at = clock_timestamp() + make_interval(secs => $2)
where id in (
  select id from saga_instances
  where status in ('running', 'waiting', 'compensating') and due_at <= clock_timestamp() and kind = any($4)
  order by due_at limit $3 for update skip locked
)
returning *
"""


class Fenced(Exception):
    """Another worker holds this saga now: whatever this one still meant to write must not be written."""


def _columns(steps: list[StepRow]) -> list[list[Any]]:
    return [list(column) for column in zip(*steps, strict=True)] if steps else [[], [], [], [], [], []]


async def insert(work: Work, saga: Saga[Any], steps: list[StepRow], owner: UUID, lease: float) -> None:
    data = saga.state.model_dump(mode="json")
    due = saga.wait_seconds if saga.wait_seconds is not None else lease
    await work.run(
        _INSERT,
        *(saga.id, saga.kind, saga.definition, saga.subject_id, saga.status, saga.step, data, saga.error),
        *(owner, due, saga.deadline_at, saga.trace, work.now),
        *_columns(steps),
    )


async def progress(work: Work, saga: Saga[Any], steps: list[StepRow], owner: UUID, due: float) -> None:
    """Stores where the saga stands, its lease (`due` seconds from now) and its steps; raises Fenced."""
    data = saga.state.model_dump(mode="json")
    held = await work.value(
        _PROGRESS,
        *(saga.id, saga.version, work.now, owner, saga.status, saga.step, data, saga.error, saga.attempts, due),
        *_columns(steps),
    )
    if held is None:
        raise Fenced(str(saga.id))
    saga.version += 1


async def claim(work: Work, owner: UUID, lease: float, limit: int, kinds: list[str]) -> list[Record]:
    """Takes up to `limit` sagas that are due: new ones, waiting ones whose time came, and orphans."""
    return await work.rows(_CLAIM, owner, lease, limit, kinds)


async def steps_of(work: Work, saga_id: UUID) -> list[Record]:
    return await work.rows("select * from saga_steps where saga_id = $1", saga_id)


async def postpone(
    work: Work, saga: Saga[Any], owner: UUID, attempts: int, seconds: float, cause: str, stuck: bool
) -> bool:
    """Schedules another attempt without touching where the saga stands; False when it is no longer ours."""
    touched = await work.run(
        "update saga_instances set attempts = $4, due_at = clock_timestamp() + make_interval(secs => $5), cause = $6, "
        "status = case when $7 then 'stuck' else status end, version = version + 1, updated_at = $8 "
        "where id = $1 and version = $2 and owner = $3",
        *(saga.id, saga.version, owner, attempts, seconds, cause, stuck, work.now),
    )
    return touched == 1


async def renew(work: Work, saga: Saga[Any], owner: UUID, lease: float) -> bool:
    """The heartbeat of a long call: True while the saga is still ours."""
    touched = await work.run(
        "update saga_instances set due_at = clock_timestamp() + make_interval(secs => $4) "
        "where id = $1 and version = $2 and owner = $3",
        *(saga.id, saga.version, owner, lease),
    )
    return touched == 1


async def wake(work: Work, kind: str, subject_id: UUID) -> bool:
    """A signal: the waiting saga of this subject becomes due now."""
    touched = await work.run(
        "update saga_instances set due_at = clock_timestamp() "
        "where kind = $1 and subject_id = $2 and status = 'waiting'",
        *(kind, subject_id),
    )
    return touched == 1


async def is_open(work: Work, kind: str, subject_id: UUID) -> bool:
    """Whether a saga of this subject still has something to do."""
    return bool(
        await work.value(
            "select exists (select from saga_instances where kind = $1 and subject_id = $2 "
            "and status not in ('completed', 'compensated'))",
            *(kind, subject_id),
        )
    )
