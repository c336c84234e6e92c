"""`agora doctor` names what must be mended, and how; `agora up` refuses the same in one line."""

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from migrations import upgrade as migrations
from tests.cli.test_up import AGORA, environment, refusal
from tests.conftest import ROOT, Ground

NOWHERE = "127.0.0.1:9"


def findings(env: dict[str, str], code: int) -> dict[str, list[str]]:
    """What the doctor says, by its first word."""
    done = subprocess.run([*AGORA, "doctor"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, "")
    said: dict[str, list[str]] = {"ok": [], "note": [], "FAIL": []}
    for line in done.stdout.splitlines():
        kind, text = line.split(maxsplit=1)
        said[kind].append(text)
    return said


def test_a_good_environment(tmp_path: Path) -> None:
    said = findings(environment(tmp_path), 0)
    assert said["FAIL"] == []
    assert any(
        re.match(r"PostgreSQL 1[68].* by the embedded server, to be migrated: `agora up`", line) for line in said["ok"]
    )
    assert [line.split(":")[0] for line in said["note"]] == ["no SMTP_URL"]


def test_whatever_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    said = findings(
        environment(
            tmp_path,
            DATABASE_URL=f"postgresql://u:p@{NOWHERE}/x",
            SMTP_URL=f"smtp://{NOWHERE}",
            OPENAI_API_KEY="key",
            OPENAI_BASE_URL=f"http://{NOWHERE}/v1",
            AGORA_TRACE="1",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{NOWHERE}",
        ),
        1,
    )
    for what, remedy in (
        ("cannot use DATABASE_URL", "unset DATABASE_URL"),
        ("the SMTP server", "unset SMTP_URL"),
        ("the model endpoint", "check OPENAI_BASE_URL"),
        ("the span collector", "check OTEL_EXPORTER_OTLP_ENDPOINT"),
    ):
        assert [remedy in line for line in said["FAIL"] if line.startswith(what)] == [True], what
    assert len(said["FAIL"]) == 4


@pytest.mark.parametrize("name", ["DATABASE_URL", "SMTP_URL", "OPENAI_BASE_URL", "AGORA_PUBLIC_URL"])
def test_an_address_of_the_wrong_kind_is_a_bad_setting(tmp_path: Path, name: str) -> None:
    assert f"bad setting {name}: " in refusal(environment(tmp_path) | {name: "gopher://x"})


@pytest.fixture
async def weak(ground: Ground) -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    """A database user without any right on an empty database, and a superuser who can give them."""
    url = await migrations.create_database(ground.server, "agora_weak")
    owner = await asyncpg.connect(url)
    await owner.execute("create role agora_weak login password 'weak'")
    parts = urlsplit(url)
    yield urlunsplit(parts._replace(netloc=f"agora_weak:weak@{parts.hostname}:{parts.port}")), owner
    await owner.close()
    await migrations.drop_database(ground.server, "agora_weak")
    server = await asyncpg.connect(ground.server)
    await server.execute("drop role agora_weak")
    await server.close()


async def test_a_missing_right_is_one_line_and_its_grant_is_enough(
    tmp_path: Path, weak: tuple[str, asyncpg.Connection]
) -> None:
    url, owner = weak
    env = environment(tmp_path, DATABASE_URL=url)
    (failed,) = findings(env, 1)["FAIL"]
    assert failed.endswith("lacks: create on the database, create on schema public, membership of a role agora_app")
    assert "permission denied for schema public" in refusal(env)
    await owner.execute("grant create on database agora_weak to agora_weak")
    await owner.execute("grant create on schema public to agora_weak")
    await owner.execute("grant agora_app to agora_weak")
    assert findings(env, 0)["FAIL"] == []
    done = subprocess.run([*AGORA, "db", "upgrade"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "migrated\n")
