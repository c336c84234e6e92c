"""A schema registry that speaks Confluent's API over HTTP, small enough to read: numbers, subjects, refusals."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryServer:
    """What it holds, and what it was asked. `refuse` names subjects it answers with 409, `slow` is a delay in seconds."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.subjects: dict[str, list[int]] = {}
        self.calls: list[tuple[str, str]] = []
        self.refuse: set[str] = set()
        self.slow = 0.0
        self.password = ""
        self.url = ""

    def register(self, subject: str, schema: str) -> tuple[int, Any]:
        if subject in self.refuse:
            return 409, {"error_code": 409, "message": "Schema being registered is incompatible"}
        if schema not in self.schemas:
            self.schemas.append(schema)
        number = self.schemas.index(schema) + 1
        self.subjects.setdefault(subject, []).append(number)
        return 200, {"id": number}

    def find(self, number: int) -> tuple[int, Any]:
        if number > len(self.schemas):
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"schema": self.schemas[number - 1]}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.calls.append((method, path))
        time.sleep(self.slow)
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if method == "POST" and parts[0] == "subjects" and parts[2:] == ["versions"]:
            return self.register(parts[1], body["schema"])
        if method == "GET" and parts[:2] == ["schemas", "ids"]:
            return self.find(int(parts[2]))
        if method == "GET" and parts == ["subjects"]:
            return 200, sorted(self.subjects)
        return 405, {"error_code": 405, "message": "not part of the API"}


@contextmanager
def registry() -> Iterator[RegistryServer]:
    state = RegistryServer()

    class Calls(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server asks for
            self._reply(None)

        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == MEDIA_TYPE
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: Any) -> None:
            wanted = "Basic " + base64.b64encode(f"agora:{state.password}".encode()).decode()
            if state.password and self.headers.get("Authorization") != wanted:
                status, found = 401, {"error_code": 401, "message": "who are you"}
            else:
                status, found = state.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", MEDIA_TYPE)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
