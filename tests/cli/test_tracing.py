"""One purchase is one trace, through the request, the saga and the reactions to its events in another process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.cli.test_up import environment, running
from tests.factories.world import ADDRESS

WANTED = {
    "agora-api: POST /v1/carts/{cart_id}/checkout",
    "agora-api: saga.purchase.authorise",
    "agora-api: saga.purchase.capture",
    "agora-worker: consume.order.history",
    "agora-worker: consume.notification.tell",
}


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """An OTLP receiver on 127.0.0.1: its address, and every span it got with the service that sent it."""
    spans: list[tuple[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
                facts = {a.key: a.value.string_value for a in sent.resource.attributes}
                spans.extend((facts["service.name"], span) for scope in sent.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """The test says what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        server.server_close()


def buy(base: str, trace: str) -> None:
    """A guest's purchase; the checkout is part of the caller's trace."""
    with httpx.Client(base_url=base, timeout=30) as client:
        cart = client.post("/v1/carts", json={"email": "gil@demo.test"}).json()
        client.headers["X-Cart-Token"] = cart["cart_token"]
        (product,) = client.get("/v1/products", params={"size": 1}).json()["items"]
        client.post(f"/v1/carts/{cart['id']}/lines", json={"variant_id": product["variants"][0]["id"]})
        answer = client.post(
            f"/v1/carts/{cart['id']}/checkout",
            json={"shipping_address": ADDRESS, "payment_token": "tok_success"},
            headers={"Idempotency-Key": str(uuid4()), "traceparent": f"00-{trace}-{'1' * 16}-01"},
        )
    assert answer.json()["status"] == "confirmed"
    assert answer.headers["x-trace-id"] == trace


def test_one_purchase_is_one_trace_across_processes(tmp_path: Path) -> None:
    trace = uuid4().hex
    with collector() as (endpoint, spans):
        env = environment(
            tmp_path, AGORA_TRACE="1", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="100"
        )
        with running(env):
            buy(f"http://127.0.0.1:{env['AGORA_PORT']}", trace)
            until = time.monotonic() + 20
            while time.monotonic() < until and not {f"{s}: {x.name}" for s, x in spans} >= WANTED:
                time.sleep(0.1)
        mine = {f"{service}: {span.name}": span for service, span in spans if span.trace_id.hex() == trace}
        assert set(mine) >= WANTED
        ids = {span.span_id for _, span in spans}
        request = mine["agora-api: POST /v1/carts/{cart_id}/checkout"]
        assert request.parent_span_id.hex() == "1" * 16
        assert mine["agora-api: saga.purchase.authorise"].parent_span_id == request.span_id
        assert mine["agora-worker: consume.order.history"].parent_span_id in ids


def ask(base: str, trace: str) -> None:
    """A guest asks the chat for a product, and support something else; both are part of the caller's trace."""
    with httpx.Client(base_url=base, timeout=30, headers={"traceparent": f"00-{trace}-{'1' * 16}-01"}) as client:
        thread = client.post("/v1/chat/threads", json={}).json()
        client.headers["X-Cart-Token"] = thread["cart_token"]
        answer = client.post(f"/v1/chat/threads/{thread['id']}/messages", json={"text": "search for a lamp"})
        assert [action["tool"] for action in answer.json()["actions"]] == ["find_products"], answer.text
        ticket = {"subject": "Delivery", "body": "How long does it take?", "email": "gil@demo.test"}
        assert client.post("/v1/support/tickets", json=ticket).status_code == 201


def test_what_an_agent_does_belongs_to_the_trace_of_who_set_it_to_work(tmp_path: Path) -> None:
    trace = uuid4().hex
    wanted = {
        *("agora-api: agent.product", "agora-api: tool.find_products"),
        *("agora-worker: consume.orchestration.wake", "agora-worker: agent.support", "agora-worker: tool.get_ticket"),
    }
    with collector() as (endpoint, spans):
        env = environment(
            tmp_path, AGORA_TRACE="1", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="100"
        )
        with running(env):
            ask(f"http://127.0.0.1:{env['AGORA_PORT']}", trace)
            until = time.monotonic() + 30
            while time.monotonic() < until and not {f"{s}: {x.name}" for s, x in spans} >= wanted:
                time.sleep(0.1)
        mine = {f"{service}: {span.name}": span for service, span in spans if span.trace_id.hex() == trace}
        assert set(mine) >= wanted
        for tool, agent in (
            ("find_products", "agora-api: agent.product"),
            ("get_ticket", "agora-worker: agent.support"),
        ):
            (call,) = [span for name, span in mine.items() if name.endswith(f"tool.{tool}")]
            assert call.parent_span_id == mine[agent].span_id


def test_nothing_is_traced_unless_asked_for(tmp_path: Path) -> None:
    with collector() as (endpoint, spans):
        env = environment(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="100")
        with running(env):
            buy(f"http://127.0.0.1:{env['AGORA_PORT']}", uuid4().hex)
        assert spans == []
