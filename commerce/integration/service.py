"""Imports: records of another system become ours, a batch a transaction, each record whole or not at all."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError

from commerce.integration.bringing import Bringing
from commerce.integration.errors import UnknownImport
from commerce.integration.permissions import IMPORT
from commerce.integration.schemas import RECORD, ImportView, RefusedView, Target
from kernel.db import Database, Work
from kernel.errors import AgoraError
from kernel.ids import new_id
from kernel.tables import Json

BATCH = 100
"""Records of one transaction: what a job that is cut off does again at the most."""
SHOWN_MOST = 20

_OPEN = """
insert into integration_import_jobs as j (id, source, digest, channel_id, merchant_id, status, position, taken, known,
                                          refused, actor, created_at, updated_at)
values ($1, $2, $3, $4, $5, 'running', 0, 0, 0, 0, $6, $7, $7)
on conflict (source, digest) do update set updated_at = excluded.updated_at returning id, position
"""

# $1 job, $2 position, $3 taken, $4 known, $5 refused, $6 whether it is the end, $7 now, $8 where it stood
_STEP = """
update integration_import_jobs set position = $2, taken = taken + $3, known = known + $4, refused = refused + $5,
       status = case when $6 then 'done' else status end, updated_at = $7
where id = $1 and position = $8
"""


class JobMoved(RuntimeError):
    """Somebody else runs the same job: this batch is undone."""


class ImportService:
    """`database` gives every batch its own transaction: an import is a job, not a request."""

    def __init__(self, database: Database, bringing: Bringing) -> None:
        self._database = database
        self._bringing = bringing

    async def open(
        self, work: Work, source: str, digest: str, channel: str, merchant_id: UUID, location_id: UUID
    ) -> tuple[Target, int]:
        """The job of a file (known by its digest), new or found again, and the line behind which it goes on."""
        work.principal.require(IMPORT)
        channel_id = await self._bringing.channel_id(work, channel)
        row = await work.row(_OPEN, new_id(), source, digest, channel_id, merchant_id, work.principal.subject, work.now)
        assert row is not None, "an upsert answers"
        return Target(row["id"], source, channel, merchant_id, location_id), row["position"]

    async def run(self, work: Work, target: Target, lines: Sequence[Json], first: int, last: bool) -> int:
        """One batch: `lines` stand at `first` (from 1) and behind it; `last` ends the job. Returns how many were taken.

        A record that cannot be taken is noted with its line, and nothing of it is written."""
        work.principal.require(IMPORT)
        taken = known = 0
        refused: list[tuple[int, str | None, str, str]] = []
        for number, line in enumerate(lines, first):
            name = str(line["id"])[:200] if "id" in line else None
            try:
                record = RECORD.validate_python(line)
                if await self._bringing.known(work, target, record):
                    known += 1
                    continue
                async with work.attempt():
                    await self._bringing.take(work, target, record)
                taken += 1
            except ValidationError as bad:
                refused.append((number, name, "invalid", _problems(bad)))
            except AgoraError as error:
                refused.append((number, name, error.code, str(error)[:500]))
        await self._note(work, target.job_id, refused)
        done = (taken, known, len(refused))
        end = first + len(lines) - 1
        if not await work.run(_STEP, target.job_id, end, *done, last, work.now, first - 1):
            raise JobMoved()
        return taken

    async def _note(self, work: Work, job_id: UUID, refused: Sequence[tuple[int, str | None, str, str]]) -> None:
        if refused:
            await work.run(
                "insert into integration_import_errors (job_id, line, external_id, code, message) "
                "select $1, * from unnest($2::bigint[], $3::text[], $4::text[], $5::text[])",
                *(job_id, *[list(column) for column in zip(*refused, strict=True)]),
            )

    async def view(self, work: Work, job_id: UUID) -> ImportView:
        """How far a job came, with the first lines it could not take. Raises UnknownImport."""
        work.principal.require(IMPORT)
        row = await work.row("select * from integration_import_jobs where id = $1", job_id)
        if row is None:
            raise UnknownImport()
        errors = await work.rows(
            "select line, external_id, code, message from integration_import_errors where job_id = $1 order by line limit $2",
            *(job_id, SHOWN_MOST),
        )
        return ImportView(
            status=row["status"],
            lines=row["position"],
            taken=row["taken"],
            known=row["known"],
            refused=row["refused"],
            errors=[RefusedView.model_validate(dict(error)) for error in errors],
        )

    async def ours(self, work: Work, source: str, kind: str, external_id: str) -> UUID | None:
        """Our id for what `source` calls so."""
        work.principal.require(IMPORT)
        return await self._bringing.ours(work, source, kind, external_id)


def _problems(bad: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in bad.errors()[:5])[:500]
