"""Prompts and policies are files. The loader is strict: a placeholder that is unknown or unbound fails at start, and so
does a policy file with anything but numbered rules in it."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, meta

HERE = Path(__file__).parent
KNOWN = frozenset({"purpose", "policies", "role", "agent", "cannot"})
"""Everything a prompt may ask for."""
NEEDED = {"shared/frame.md": frozenset({"purpose", "role", "agent"}), "agents": frozenset({"policies"})}
"""And what it must: an agent whose prompt leaves its rules out has none."""
ROLE = "{{ role }}"
"""Stays open until a conversation begins."""
_RULE = re.compile(r"^- ([A-Z]+)-([1-9]\d*): (\S.*)$")
# Prompts are plain text for a model: nothing is escaped.
_files = Environment(undefined=StrictUndefined, trim_blocks=True)  # noqa: S701


class BadPrompt(ValueError):
    """A prompt file that cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One agent's prompt; `version` changes with any of its files."""

    text: str
    version: str
    rules: dict[str, str]

    def render(self, role: str) -> str:
        return self.text.replace(ROLE, role)


@cache
def prompt(agent: str, purpose: str, cannot: str = "", folder: Path = HERE) -> Prompt:
    """Reads an agent's prompt, its policies and what all agents share. Raises BadPrompt, also when the prompt keeps silent
    about what the agent cannot do."""
    rules = policies(agent, folder)
    listed = "\n".join(f"- {name}: {rule}" for name, rule in rules.items())
    values = {"purpose": purpose, "policies": listed, "agent": agent, "role": ROLE, "cannot": cannot}
    parts = [_rendered(folder, f"shared/{name}.md", values) for name in ("frame", "safety")]
    own = _rendered(folder, f"agents/{agent}.md", values)
    if cannot and cannot not in own:
        raise BadPrompt(f"agents/{agent}.md: does not say what the agent cannot do")
    text = "\n\n".join((parts[0], own, parts[1]))
    if "{{" in text.replace(ROLE, ""):
        raise BadPrompt(f"agents/{agent}.md: a placeholder is left unbound")
    return Prompt(text, hashlib.sha256(text.encode()).hexdigest()[:12], rules)


def policies(agent: str, folder: Path = HERE) -> dict[str, str]:
    """The numbered rules of an agent by their names (ORDER-1), counted from 1 without gaps; evals and answers cite them.

    A line that goes on with a rule is indented. Raises BadPrompt for anything else in the file."""
    name = f"policies/{agent}.md"
    rules: dict[str, str] = {}
    for number, line in enumerate(_source(folder, name).splitlines(), 1):
        if match := _RULE.match(line):
            expected = f"{agent.upper()}-{len(rules) + 1}"
            if f"{match[1]}-{match[2]}" != expected:
                raise BadPrompt(f"{name}:{number}: {match[1]}-{match[2]} stands where {expected} should")
            rules[expected] = match[3].strip()
        elif rules and line.startswith("  ") and line.strip():
            rules[next(reversed(rules))] += f" {line.strip()}"
        elif line.strip() and not (number == 1 and line.startswith("# ")):
            raise BadPrompt(f"{name}:{number}: not a numbered rule")
    if not rules:
        raise BadPrompt(f"{name}: no numbered rules")
    return rules


def _rendered(folder: Path, name: str, values: dict[str, str]) -> str:
    source = _source(folder, name)
    try:
        wanted = meta.find_undeclared_variables(_files.parse(source))
    except TemplateSyntaxError as bad:
        raise BadPrompt(f"{name}:{bad.lineno}: {bad.message}") from None
    if unknown := wanted - KNOWN:
        raise BadPrompt(f"{name}: unknown placeholder {', '.join(sorted(unknown))}")
    needed = NEEDED.get(name) or NEEDED.get(name.partition("/")[0], frozenset())
    if absent := needed - wanted:
        raise BadPrompt(f"{name}: lacks the placeholder {', '.join(sorted(absent))}")
    return _files.from_string(source).render({key: values[key] for key in wanted}).strip()


def _source(folder: Path, name: str) -> str:
    path = folder / name
    if not path.is_file():
        raise BadPrompt(f"{name}: there is no such file")
    return path.read_text()
