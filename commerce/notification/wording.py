"""What is told as text: one template per event, its first line the subject."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def written(kind: str, **facts: object) -> tuple[str, str]:
    """Subject and text of a mail about an event of this kind."""
    subject, _, text = _template(kind).render(**facts).partition("\n")
    return subject, text


def day(instant: datetime) -> str:
    return f"{instant.day} {instant:%B %Y}"


@cache
def _templates() -> "Environment":
    """Plain text only: nothing here is ever shown as HTML, so nothing is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # costs the start of an API that writes no mail

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    made = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True)  # noqa: S701
    made.filters["day"] = day
    return made


@cache
def _template(kind: str) -> "Template":
    return _templates().get_template(f"{kind}.txt")
