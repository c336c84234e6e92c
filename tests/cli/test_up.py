"""`agora up` as a person meets it: one command, a working shop, a clean stop, one clear line when it cannot."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import ROOT

AGORA = [sys.executable, "-m", "cli.main"]


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("AGORA_") and name != "DATABASE_URL"
    }
    return {**kept, "AGORA_DATA_DIR": str(folder), "AGORA_PORT": str(free_port()), **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(env: dict[str, str], command: str = "up", lines: int = 2) -> Iterator[tuple[Any, str]]:
    """The process and its first lines, once it says that it is ready."""
    process = subprocess.Popen([*AGORA, command], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, "".join(process.stdout.readline() for _ in range(lines))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def test_up_serves_the_demo_shop_and_stops_cleanly(tmp_path: Path) -> None:
    env = environment(tmp_path, AGORA_DEMO="1")
    base = f"http://127.0.0.1:{env['AGORA_PORT']}"
    with running(env) as (process, said):
        assert f"{base} is ready" in said
        assert "demo-password" in said
        items = httpx.get(f"{base}/v1/products", params={"q": "headphones"}).json()["items"]
        assert items[0]["name"] == "Arc Wireless Headphones"
        form = {"username": "customer@demo.test", "password": "demo-password"}
        assert httpx.post(f"{base}/v1/auth/token", data=form).status_code == 200
        picture = httpx.get(base + items[0]["media"][0]["url"])
        assert picture.headers["content-type"] == "image/svg+xml"
        again = subprocess.run(
            [*AGORA, "up"], env={**env, "AGORA_PORT": str(free_port())}, cwd=ROOT, capture_output=True, text=True
        )
        assert again.returncode == 1
        assert re.fullmatch(r"agora: another Agora runs on .*\n", again.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, 130)
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert str(tmp_path) not in left, "the database and the workers have stopped too"
    with running(env) as (process, said):
        assert "is ready" in said
        assert httpx.get(f"{base}/health/ready").json() == {"status": "ready"}
        process.send_signal(signal.SIGTERM)  # as a service manager or a container stops it
        assert process.wait(30) == 0
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert str(tmp_path) not in left


def refusal(env: dict[str, str]) -> str:
    done = subprocess.run([*AGORA, "up"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_a_person_can_mend_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} is taken" in refusal(environment(tmp_path) | {"AGORA_PORT": port})
    assert "bad setting AGORA_PORT" in refusal(environment(tmp_path) | {"AGORA_PORT": "http"})
    assert "AGORA_SECRET must be set" in refusal(environment(tmp_path, AGORA_ENVIRONMENT="production"))
    assert "cannot use the database" in refusal(environment(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:9/x"))
    assert "cannot write to the data folder" in refusal(environment(Path("/proc/agora")))


HELP_SECONDS = 0.5
LIBRARIES = "import asyncpg, fastapi, sqlalchemy.dialects.postgresql.asyncpg, sqlalchemy.orm, structlog, uvicorn"
READY_MOST = 2.0
"""What the API may cost until it is ready, in CPU time of importing its libraries alone: 3 s where those take 1.5."""
HEAVY = ("langchain", "langchain_core", "langchain_openai", "langgraph", "openai", "chromadb", "onnxruntime")
"""Libraries that take seconds to import; only chat needs them."""


def loaded(module: str, *names: str) -> list[str]:
    """Which of `names` are there once `module` is imported."""
    code = f"import sys, {module}; print([m for m in sys.modules if m.split('.')[0] in {names}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name.strip(" '") for name in done.stdout.strip()[1:-1].split(",") if name]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process: what a start costs, whatever else the machine is doing."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_help_answers_at_once() -> None:
    took = []
    for _ in range(5):
        began = time.monotonic()
        done = subprocess.run([*AGORA, "--help"], cwd=ROOT, capture_output=True, text=True)
        took.append(time.monotonic() - began)
        assert "Everything on this machine" in done.stdout
    assert min(took) < HELP_SECONDS
    slow = ("fastapi", "sqlalchemy", "asyncpg", *HEAVY)
    assert loaded("cli.main", *slow) == [], "what makes a start slow is imported by the command that needs it"


def test_the_api_alone_is_ready_at_once_and_knows_no_language_model_library(tmp_path: Path) -> None:
    env = environment(tmp_path)
    subprocess.run([*AGORA, "db", "upgrade"], env=env, cwd=ROOT, check=True, capture_output=True, timeout=60)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    libraries = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    used = []
    for _ in range(3):
        with running(env, "api", lines=1) as (process, said):
            used.append(cpu_seconds(process.pid))
            assert "is ready" in said
            ready = httpx.get(f"http://127.0.0.1:{env['AGORA_PORT']}/health/ready")
            assert ready.json() == {"status": "ready"}
        if used[-1] < READY_MOST * libraries:
            break
    assert min(used) < READY_MOST * libraries
    routes = [f"api.routes.{path.stem}" for path in (ROOT / "api" / "routes").glob("[a-z]*.py")]
    assert len(routes) > 20
    assert loaded(", ".join(["cli.up", "api.app", *routes]), *HEAVY) == [], "nor do its routes, which it loads last"
