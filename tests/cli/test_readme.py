"""The README is true: its commands run as they stand, its settings are all there are, its decisions exist."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from kernel.settings import Settings
from tests.cli.test_up import environment, running
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def row(name: str, field: FieldInfo) -> str:
    """The line of the README's table for one setting."""
    variable = str(field.validation_alias or f"AGORA_{name.upper()}")
    default = "" if field.default is None else str(field.default)
    return f"| `{variable}` | {f'`{default}`' if default else ''} | {field.description or ''} |"


def test_the_readme_names_every_setting_with_its_default() -> None:
    assert [row(name, field) for name, field in Settings.model_fields.items() if row(name, field) not in README] == []
    assert all(field.description for field in Settings.model_fields.values())


def block(name: str) -> str:
    """The shell commands that follow a marker."""
    found = re.search(rf"<!-- {name}: [^>]*-->\n```bash\n(.*?)```", README, re.S)
    assert found, name
    return found[1]


def test_the_first_purchase_runs_word_by_word(tmp_path: Path) -> None:
    env = environment(tmp_path)
    shell = {**os.environ, "AGORA": f"http://127.0.0.1:{env['AGORA_PORT']}"}
    with running(env):
        parts = [block(name) for name in ("first purchase", "first account", "first chat")]
        script = "set -euo pipefail\n" + "\necho; echo ---\n".join(parts)
        done = subprocess.run(["bash", "-c", script], env=shell, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    guest, account, chat = done.stdout.split("---\n")
    lines = guest.splitlines()
    assert "'total': {'amount': 19900, 'currency': 'EUR'}" in lines[0]
    assert lines[1:3] == ["confirmed", "captured"]
    assert "OrderConfirmed" in lines[3]
    discount, challenge = account.splitlines()[:2]
    assert discount == "{'amount': 1990, 'currency': 'EUR'}"
    assert challenge.startswith(f"{shell['AGORA']}/simulator/3ds/")
    assert "Desk Lamp, 89.90 EUR" in chat
    assert "Have 1 × Desk Lamp (White) in your cart, at 89.90 EUR each?" in chat
    assert "Order 1 × Desk Lamp (White) for 94.80 EUR" in chat
    assert "is confirmed" in chat
    assert "It goes to You, Lindenstrasse 1, 10969 Berlin" in chat


def decisions() -> set[str]:
    return {path.name[:4] for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}


def test_every_decision_the_code_names_is_written_down() -> None:
    folders = (
        "kernel",
        "commerce",
        "memory",
        "tools",
        "agents",
        "graphs",
        "api",
        "workers",
        "cli",
        "migrations",
        "docs",
    )
    texts = [
        path.read_text()
        for name in folders
        for path in (ROOT / name).rglob("*")
        if path.suffix in {".py", ".md", ".sql"}
    ]
    named = set(re.findall(r"ADR (\d{4})", "\n".join(texts)))
    assert {"0003", "0004", "0005", "0009"} <= named
    assert named - decisions() == set()


def test_the_index_lists_every_decision_by_its_title() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    for path in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        first = path.read_text().splitlines()[0]
        title = first.removeprefix(f"# ADR {path.name[:4]}: ")
        assert title != first
        assert f"| [{path.name[:4]}]({path.name}) | {title} |" in index


@pytest.mark.parametrize("command", re.findall(r"^\| `make (\w+)` \|", README, re.M))
def test_every_make_target_of_the_readme_exists(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.M)
