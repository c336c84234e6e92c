"""Prompts and policies are files. The loader is strict: a placeholder that is unknown or unbound fails at start."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta

HERE = Path(__file__).parent
KNOWN = frozenset({"purpose", "policies", "role", "agent", "cannot"})
"""Everything a prompt may ask for."""
_RULE = re.compile(r"^- ([A-Z]+-\d+): (.+)$", re.MULTILINE)
# Prompts are plain text for a model: nothing is escaped.
_files = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True)  # noqa: S701


class BadPrompt(ValueError):
    """A prompt file that cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One agent's prompt; `version` changes with any of its files."""

    text: str
    version: str
    rules: dict[str, str]

    def render(self, role: str) -> str:
        return self.text.replace("{{ role }}", role)


@cache
def prompt(agent: str, purpose: str, cannot: str = "") -> Prompt:
    """Reads an agent's prompt, its policies and what all agents share. Raises BadPrompt, also when the prompt keeps silent
    about what the agent cannot do."""
    rules = policies(agent)
    listed = "\n".join(f"- {name}: {rule}" for name, rule in rules.items())
    values = {"purpose": purpose, "policies": listed, "agent": agent, "role": "{{ role }}", "cannot": cannot}
    own = _rendered(f"agents/{agent}.md", values)
    if cannot and cannot not in own:
        raise BadPrompt(f"agents/{agent}.md: does not say what the agent cannot do")
    text = "\n\n".join((_rendered("shared/frame.md", values), own, _rendered("shared/safety.md", values)))
    return Prompt(text, hashlib.sha256(text.encode()).hexdigest()[:12], rules)


def policies(agent: str) -> dict[str, str]:
    """The numbered rules of an agent, by their name (ORDER-1); evals cite them."""
    path = HERE / "policies" / f"{agent}.md"
    rules = dict(_RULE.findall(path.read_text()))
    if not rules:
        raise BadPrompt(f"{path.name}: no numbered rules")
    return rules


def _rendered(name: str, values: dict[str, str]) -> str:
    source = (HERE / name).read_text()
    wanted = meta.find_undeclared_variables(_files.parse(source))
    if unknown := wanted - KNOWN:
        raise BadPrompt(f"{name}: unknown placeholder {', '.join(sorted(unknown))}")
    return _files.from_string(source).render({key: values[key] for key in wanted}).strip()
