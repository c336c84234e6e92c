"""The rehearsal: the gate's measure on sentences that may be looked at, to develop the planner with.

They come in two halves: what was chosen by looking (thresholds, examples, rules) was chosen on `tuned`; `measured` says
what that is worth. The gates are never looked at.
"""

import yaml

from evals.case import HERE
from evals.gate import Item, measure
from kernel.settings import Settings

FILE = HERE / "planner" / "dev.yaml"
INSTEAD = ("none", "person", "clarify")
"""What a group may begin with where acting is not the point; the tools follow."""


async def run(halves: tuple[str, ...], wrong: bool, server: str, settings: Settings) -> int:
    """Measures the halves, all where none is named; `wrong` lists what went wrong."""
    known = items()
    return await measure({half: known[half] for half in halves or tuple(known)}, server, settings, wrong)


def items() -> dict[str, list[Item]]:
    """The sentences by half, as the items of a gate are."""
    found: dict[str, dict[str, dict[str, list[str]]]] = yaml.safe_load(FILE.read_text())
    return {
        half: [
            _item(role, group, said)
            for role, groups in roles.items()
            for group, says in groups.items()
            for said in says
        ]
        for half, roles in found.items()
    }


def _item(role: str, group: str, said: str) -> Item:
    first, *rest = group.split()
    instead, want = (first, rest) if first in INSTEAD else ("act", [first, *rest])
    return Item.model_validate({"say": said, "role": role, "want": want, "or": instead})
