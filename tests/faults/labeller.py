"""A process that buys a label or gives one back, to be killed or frozen at a named point; and the carrier it asks, which
lives in the test's process and so knows what a killed one had done."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import httpx

from commerce.shipping.schemas import BuyLabel
from kernel import fault
from kernel.auth import SYSTEM
from tests.conftest import opened
from tests.shipping.carrier import Books


@dataclass(frozen=True)
class Errand:
    url: str
    carrier: str
    package: UUID
    label: UUID
    story: str
    point: str
    action: str
    lease: float


def main(errand: Errand) -> None:
    asyncio.run(_run(errand))


async def _run(errand: Errand) -> None:
    limits = {"statement_timeout": errand.lease / 2, "lock_timeout": errand.lease / 2, "saga_lease": errand.lease}
    async with opened(errand.url, carrier_url=errand.carrier, carrier_key="key", **limits) as shop:
        if errand.story == "buy":
            fault._armed[errand.point] = errand.action
        async with shop.database.work(SYSTEM) as work:
            wanted = BuyLabel(carrier="swift", service="Swift.Ground")
            run = await shop.parcels.labels.buy(work, errand.label, errand.package, wanted)
        await shop.engine.drive(run)
        if errand.story == "void":
            fault._armed[errand.point] = errand.action
            async with shop.database.work(SYSTEM) as work:
                run = await shop.parcels.labels.void(work, errand.label)
            await shop.engine.drive(run)


@contextmanager
def carrier(books: Books) -> Iterator[str]:
    """The carrier's API on a port of this machine; yields its URL."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self._answer("GET")

        def do_POST(self) -> None:  # the library's name
            self._answer("POST")

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.startswith("/labels/"):
                found = httpx.Response(200, content=b"%PDF-1.4 of the carrier")
            else:
                found = books.answer(httpx.Request(method, f"http://carrier{self.path}", content=body))
            self.send_response(found.status_code)
            self.send_header("content-length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        def log_message(self, *_: object) -> None:
            """The test's output is not the place."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        books.files = f"http://127.0.0.1:{server.server_address[1]}/labels"
        yield f"http://127.0.0.1:{server.server_address[1]}/v2"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
