"""What an operator sees: JSON logs with trace ids, Prometheus metrics, OpenTelemetry spans when asked for."""

import logging
import sys
from collections.abc import Iterator, Sequence
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

_parent_id: ContextVar[str] = ContextVar("parent_id", default="")
"""16 hex digits: the span, perhaps of another process, that set this in motion; empty at the beginning of a trace."""
_NO_TRACE, _HEX = "0" * 32, frozenset("0123456789abcdef")
_tracer: Any = None


def continue_trace(value: str, parent: str = "") -> str:
    """What follows belongs to the trace `value`, or to a new one where there is none; returns the trace id."""
    value = value or token_hex(16)
    trace_id.set(value)
    _parent_id.set(parent)
    return value


def traceparent() -> str:
    """The current trace and span as a `traceparent` header, for whoever goes on with it."""
    return f"00-{trace_id.get() or _NO_TRACE}-{_current_span() or token_hex(8)}-01"


def adopt(header: str | None) -> str:
    """Continues the trace of a `traceparent` header or starts a new one; returns the trace id."""
    return continue_trace(*(_read(header) or ("",)))


def _read(header: str | None) -> tuple[str, str] | None:
    """Trace and span of a `traceparent` header; None for what is not one (W3C trace context, level 1)."""
    match (header or "").split("-"):
        case [_, trace, span, _] if (len(trace), len(span)) == (32, 16) and _HEX.issuperset(trace + span):
            return (trace, span) if trace != _NO_TRACE else None
    return None


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
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """A trace that begins here has the id that the logs and the answer's `x-trace-id` bear."""

        def generate_trace_id(self) -> int:
            return int(trace_id.get(), 16) if trace_id.get() else super().generate_trace_id()

    provider = TracerProvider(resource=Resource.create({"service.name": service}), id_generator=Ids())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("agora")


@contextmanager
def span(name: str, also: Sequence[str | None] = (), **attributes: str | int) -> Iterator[None]:
    """A span of the current trace; nothing at all while tracing is off.

    `also` are the `traceparent` headers of the other traces that a batch works for: they become links."""
    if _tracer is None:
        yield
        return
    from opentelemetry import trace

    links = [trace.Link(_remote(*known)) for header in dict.fromkeys(also) if (known := _read(header))]
    with _tracer.start_as_current_span(name, context=_parent(), links=links, attributes=attributes):
        yield


def describe(name: str, **attributes: str | int) -> None:
    """Says of the current span what is known only at its end."""
    if _tracer is not None:
        from opentelemetry import trace

        current = trace.get_current_span()
        current.update_name(name)
        current.set_attributes(attributes)


def _current_span() -> str:
    """The current span's id as 16 hex digits; empty while tracing is off."""
    if _tracer is None:
        return ""
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return f"{context.span_id:016x}" if context.is_valid else ""


def _parent() -> Any:
    """The context a new span hangs in: the running span's, else the remote one's, else none (a root)."""
    from opentelemetry import trace

    if _current_span() or not (trace_id.get() and _parent_id.get()):
        return None
    return trace.set_span_in_context(trace.NonRecordingSpan(_remote(trace_id.get(), _parent_id.get())))


def _remote(trace_hex: str, span_hex: str) -> Any:
    from opentelemetry import trace

    return trace.SpanContext(int(trace_hex, 16), int(span_hex, 16), True, trace.TraceFlags(1))
