"""A prompt or a policy that could not be meant so stops the start; what stands in them is known by name and version."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from agents.roster import AGENTS
from prompts.load import HERE, BadPrompt, policies, prompt

ORDER = "# Rules of the order agent\n\n- ORDER-1: Only own orders.\n- ORDER-2: Nothing\n  without a yes.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("agents", "policies", "shared"):
        shutil.copytree(HERE / name, tmp_path / name)
    (tmp_path / "policies" / "order.md").write_text(ORDER)
    return tmp_path


@pytest.mark.parametrize("agent", sorted(AGENTS))
def test_every_agent_has_numbered_rules_in_its_prompt(agent: str) -> None:
    made = prompt(agent, AGENTS[agent].purpose, AGENTS[agent].cannot)
    assert list(made.rules) == [f"{agent.upper()}-{n}" for n in range(1, len(made.rules) + 1)]
    for name, rule in made.rules.items():
        assert f"- {name}: {rule}" in made.text
    assert "{{" not in made.render("customer")
    assert "You talk with a customer." in made.render("customer")


def test_a_rule_may_go_on_in_the_next_line(folder: Path) -> None:
    assert policies("order", folder) == {"ORDER-1": "Only own orders.", "ORDER-2": "Nothing without a yes."}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# Rules\n", "no numbered rules"),
        (ORDER + "- No number here.\n", "order.md:6: not a numbered rule"),
        (ORDER + "ORDER-3: no bullet\n", "order.md:6: not a numbered rule"),
        (ORDER + "- ORDER-4: a gap\n", "ORDER-4 stands where ORDER-3 should"),
        (ORDER + "- ORDER-2: twice\n", "ORDER-2 stands where ORDER-3 should"),
        (ORDER + "- REFUND-3: another agent's\n", "REFUND-3 stands where ORDER-3 should"),
        (ORDER + "- ORDER-3:   \n", "order.md:6: not a numbered rule"),
        (ORDER + "- ORDER-3: see {{ secret }}\n", "left unbound"),
    ],
)
def test_a_policy_holds_numbered_rules_and_nothing_else(folder: Path, text: str, complaint: str) -> None:
    (folder / "policies" / "order.md").write_text(text)
    with pytest.raises(BadPrompt, match=complaint):
        prompt("order", "p", folder=folder)


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("agents/order.md", "{{ policies }} for {{ customer }}", "agents/order.md: unknown placeholder customer"),
        ("agents/order.md", "No rules.", "agents/order.md: lacks the placeholder policies"),
        ("agents/order.md", "{{ policies", "agents/order.md:1"),
        ("agents/order.md", "{{ policies }} {{ role | upper }}", "left unbound"),
        ("agents/order.md", "{{ policies }} {{ '{{ x }}' }}", "left unbound"),
        ("shared/frame.md", "You talk with {{ role }}.", "shared/frame.md: lacks the placeholder agent, purpose"),
    ],
)
def test_a_prompt_asks_for_what_there_is_and_gets_all_of_it(folder: Path, file: str, text: str, complaint: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(BadPrompt, match=complaint):
        prompt("order", "p", folder=folder)


@pytest.mark.parametrize("file", ["agents/order.md", "policies/order.md", "shared/safety.md"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(BadPrompt, match=f"{file}: there is no such file"):
        prompt("order", "p", folder=folder)


@pytest.mark.parametrize("file", ["agents/order.md", "policies/order.md", "shared/frame.md", "shared/safety.md"])
def test_the_version_changes_with_every_file(folder: Path, tmp_path_factory: Any, file: str) -> None:
    before = prompt("order", "p", folder=folder).version
    other = tmp_path_factory.mktemp("changed")
    shutil.copytree(folder, other, dirs_exist_ok=True)
    path = other / file
    path.write_text(path.read_text().rstrip("\n").replace("own", "their own").replace("a yes", "the yes") + ".\n"
                    if file.startswith("policies") else path.read_text() + "\nOne more line.\n")  # fmt: skip
    assert prompt("order", "p", folder=other).version != before
    assert prompt("order", "another purpose", folder=folder).version != before
