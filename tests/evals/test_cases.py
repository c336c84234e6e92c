"""The cases are sound: enough of them, about tools and tables that exist, and gates that nobody touched."""

import hashlib
from collections import Counter
from pathlib import Path

import asyncpg
import pytest
import yaml

from agents.intents import examples
from agents.roster import AGENTS
from agents.slots import masked
from evals import gate, rehearsal
from evals.case import Call, Case, cases
from evals.graders.state import JOURNAL
from evals.routing import utterances
from evals.worlds.build import FILE
from tests.conftest import ROOT
from tools.spec import TOOLS

AGENTS_OF_CASES = ("order", "product", "inventory", "payment", "customer", "support", "chat", "shipping")
INVENTED = "refund_everything"
"""A tool that only a model believes in."""


def test_every_agent_has_ten_cases_and_all_have_seventy() -> None:
    count = Counter(case.agent for case in cases())
    assert {agent: count[agent] >= 10 for agent in AGENTS_OF_CASES} == dict.fromkeys(AGENTS_OF_CASES, True)
    assert sum(count.values()) >= 70


def test_cases_say_no_yes_and_somebody_else() -> None:
    turns = [turn for case in cases() for turn in case.turns]
    assert sum(turn.confirm is False for turn in turns) >= 5
    assert sum(turn.confirm is True for turn in turns) >= 15
    assert any(turn.who for turn in turns)
    assert {case.who for case in cases()} >= {"ann", "cara", "guest", "north", "south", "support"}
    assert sum(case.errand is not None for case in cases()) >= 5


def calls_of(case: Case) -> list[Call]:
    parts = [*case.turns, *([case.errand] if case.errand else [])]
    return [call for part in parts for call in (*part.calls, *(part.script or [])) if isinstance(call, Call)]


def test_cases_speak_of_tools_that_exist_with_arguments_they_take() -> None:
    named = {call.tool for case in cases() for call in calls_of(case)} | {
        name for case in cases() for name in case.never
    }
    assert named - set(TOOLS) == {gate.PERSON, INVENTED}
    for case in cases():
        for call in calls_of(case):
            if call.tool in TOOLS:
                assert set(call.args) <= set(TOOLS[call.tool].command.model_fields), case.id


async def test_cases_speak_of_tables_that_exist(sql: asyncpg.Connection) -> None:
    tables = {row[0] for row in await sql.fetch("select relname from pg_class where relkind in ('r', 'p')")}
    groups = yaml.safe_load((ROOT / "evals" / "graders" / "effects.yaml").read_text())
    effects = {table for part in groups.values() for row in part for table in (row if isinstance(row, list) else [row])}
    stated = {table for case in cases() for table in case.state}
    assert (effects | stated) - tables == set()
    assert {name for case in cases() for name in case.also} <= set(groups)
    assert [name for name in JOURNAL if not any(table.startswith(name) for table in tables)] == []


def test_two_hundred_utterances_are_labelled_with_agents() -> None:
    said = utterances()
    assert len(said) >= 200
    assert {agent for _, agent, _ in said} <= set(AGENTS)
    assert len({(who, text) for who, _, text in said}) == len(said)


def test_the_gates_are_those_that_were_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [len(gate.items(name)) for name in ("one", "two")] == [170, 170]
    text = "- {say: hello, role: guest, want: [], or: none}\n"
    (tmp_path / "mine.yaml").write_text(text)
    (tmp_path / "FROZEN").write_text(f"{hashlib.sha256(text.encode()).hexdigest()}  mine.yaml\n")
    monkeypatch.setattr(gate, "GATES", tmp_path)
    monkeypatch.setattr(gate, "FROZEN", tmp_path / "FROZEN")
    assert [item.say for item in gate.items("mine")] == ["hello"]
    (tmp_path / "mine.yaml").write_text(text + text)
    with pytest.raises(gate.Thawed):
        gate.items("mine")


def test_every_canary_names_people_of_the_world() -> None:
    facts = yaml.safe_load(FILE.read_text())
    people = {*facts["customers"], *facts["merchants"]}
    assert len(facts["canaries"]) >= 8
    assert all(set(canary["of"]) <= people for canary in facts["canaries"])


def test_the_rehearsal_has_two_halves_of_sentences_that_are_no_examples() -> None:
    halves = rehearsal.items()
    said = [masked(item.say).casefold() for items in halves.values() for item in items]
    assert {half: len(items) >= 250 for half, items in halves.items()} == {"tuned": True, "measured": True}
    assert all(sum(item.instead != "act" for item in items) >= 60 for items in halves.values())
    assert set(said) & {example.text.casefold() for example in examples()} == set()
    assert {tool for items in halves.values() for item in items for tool in item.want} <= set(TOOLS)
