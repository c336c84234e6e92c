"""Marks: how far each partition of a transport was acknowledged, so that a broker which lost records is found out.

A log only grows. When its end, or the place a new record got, lies before the mark, what was between is gone: the
outbox still has it, and the relay hands it over again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.db import Work
from kernel.transport import Loss

_ADVANCE = """
with given as (
  select * from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) as g(topic, partition, first, next)
)
insert into transport_marks as m (topic, partition, next_offset)
select topic, partition, next from given order by topic, partition
on conflict (topic, partition) do update set
  lost_from = case when m.next_offset > (select first from given g where (g.topic, g.partition) = (m.topic, m.partition))
    then least(m.lost_from, (select first from given g where (g.topic, g.partition) = (m.topic, m.partition)))
    else m.lost_from end,
  next_offset = excluded.next_offset
returning lost_from
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one partition: the offset after the last acknowledged record; `lost_from` where an earlier one was given out."""

    topic: str
    partition: int
    next_offset: int
    lost_from: int | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What one publication got in one partition: its first offset and the one after its last."""

    topic: str
    partition: int
    first: int
    next: int


async def advance(work: Work, found: Sequence[Acknowledged]) -> bool:
    """Moves the marks on; False when a record was put where an acknowledged one had been."""
    rows = await work.rows(
        _ADVANCE,
        *([a.topic for a in found], [a.partition for a in found]),
        *([a.first for a in found], [a.next for a in found]),
    )
    return all(row["lost_from"] is None for row in rows)


async def read(work: Work) -> list[Mark]:
    rows = await work.rows("select topic, partition, next_offset, lost_from from transport_marks")
    return [Mark(*row.values()) for row in rows]


async def settle(work: Work, loss: Loss) -> bool:
    """Forgets the mark of a loss that is being made good; False when somebody else did."""
    return bool(
        await work.run(
            "delete from transport_marks where topic = $1 and partition = $2 and next_offset = $3",
            *(loss.topic, loss.partition, loss.next_offset),
        )
    )
