"""What an operator sees: JSON logs with trace ids, Prometheus metrics, OpenTelemetry spans when asked for."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

STATEMENTS = Counter("agora_sql_statements_total", "SQL statements sent, without BEGIN and COMMIT")
TRANSACTIONS = Counter("agora_transactions_total", "Units of work opened")
REQUESTS = Histogram("agora_request_seconds", "HTTP requests", ["method", "route", "status"])
SAGAS = Counter("agora_sagas_total", "Sagas that reached an end", ["kind", "status"])
EVENTS = Counter("agora_events_handled_total", "Events whose effect is committed", ["consumer", "type"])
DEAD_LETTERS = Counter("agora_dead_letters_total", "Messages put aside", ["consumer"])
READERS_REBUILT = Counter(
    "agora_readers_rebuilt_total", "Readers that had stopped silently and were replaced", ["group"]
)
BACKLOG = Gauge("agora_outbox_backlog", "Outbox rows not yet handed to the transport")
AGENT_RUNS = Counter("agora_agent_runs_total", "Agent runs", ["agent", "status"])

trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""32 hex digits, one for everything a request sets in motion (W3C trace context)."""

_tracer: Any = None


def new_trace() -> str:
    value = token_hex(16)
    trace_id.set(value)
    return value


def traceparent() -> str:
    return f"00-{trace_id.get() or '0' * 32}-{token_hex(8)}-01"


def adopt(header: str | None) -> str:
    """Continues the trace of a `traceparent` header or starts a new one; returns the trace id."""
    parts = (header or "").split("-")
    if len(parts) == 4 and len(parts[1]) == 32 and all(c in "0123456789abcdef" for c in parts[1]):
        trace_id.set(parts[1])
        return parts[1]
    return new_trace()


def _with_trace(_: Any, __: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if current := trace_id.get():
        entry["trace_id"] = current
    return entry


def configure_logging(level: str = "info") -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it repeats as text what our own entries say as JSON
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def log(name: str) -> Any:
    return structlog.get_logger(source=name)


def configure_tracing(service: str) -> None:
    """Turns spans on: they go by OTLP over HTTP to the endpoint in OTEL_EXPORTER_OTLP_ENDPOINT."""
    global _tracer
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("agora")


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """A span of the current trace; nothing at all while tracing is off."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name, context=_parent(), attributes=attributes):
        yield


def _parent() -> Any:
    from opentelemetry import trace

    if trace.get_current_span().get_span_context().is_valid or not trace_id.get():
        return None
    remote = trace.SpanContext(int(trace_id.get(), 16), int(token_hex(8), 16), True, trace.TraceFlags(1))
    return trace.set_span_in_context(trace.NonRecordingSpan(remote))
