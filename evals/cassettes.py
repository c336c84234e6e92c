"""What a model said in a case, kept as a file and said again: the journal of the run is the recording.

A cassette holds the model's turns alone: no request, no header, no key. Ids that differ from run to run are written as
names of the world. One that would hold a key or a planted secret is refused.
"""

import json
import re
from pathlib import Path
from typing import Any

from evals.case import Case
from evals.drive import Outcome, Played
from evals.endpoint import Line
from evals.worlds.build import World
from kernel.settings import Settings

KEY = re.compile(r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{8,}|\bBearer\s+\S{8,}|\beyJ[\w-]{10,}\.[\w-]{10,}")
"""What looks like a key or a token."""


class SecretSaid(Exception):
    """A model said something that must not be kept in a file."""


class Cassettes:
    """A folder of cassettes, one file per case: for each turn the list of a model's lines."""

    def __init__(self, folder: Path, world: World) -> None:
        self._folder = folder
        self._world = world

    def has(self, case: Case) -> bool:
        return self._path(case).exists()

    def lines(self, case: Case) -> list[list[Line]]:
        found: list[list[Line]] = json.loads(self._path(case).read_text())
        return found

    def keep(self, outcome: Outcome, settings: Settings) -> None:
        """Writes the cassette of a run. Raises SecretSaid, with nothing written."""
        text = self._world.named(json.dumps([_said(played) for played in outcome.turns], indent=1, ensure_ascii=False))
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
        mine = {text for text, whose in self._world.canaries.items() if outcome.case.who in whose}
        if KEY.search(text) or (key and key in text) or any(s in text for s in set(self._world.canaries) - mine):
            raise SecretSaid(outcome.case.id)
        path = self._path(outcome.case)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    def _path(self, case: Case) -> Path:
        return self._folder / case.agent / f"{case.case}.json"


def _said(played: Played) -> list[Any]:
    """The lines of one turn. Several calls at once are said one after the other."""
    lines: list[Any] = []
    for model in played.models:
        data = model["answer"]["data"]
        calls = [{"name": call["name"], "args": call["args"]} for call in data["tool_calls"]]
        lines += calls or [data["content"]]
    return lines
