"""A Chroma server of its own, from the same wheel as the library."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

START_SECONDS = 30


@contextmanager
def chroma(folder: Path) -> Iterator[str]:
    """The URL of a running server; its data goes with the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("chroma")
    command = [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _await(url: str) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(f"{url}/api/v2/heartbeat", timeout=2):
                return
        except (URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
