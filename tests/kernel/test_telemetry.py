"""A trace goes on only from a well-formed header; everything else begins a new one."""

import re

import pytest

from kernel import telemetry

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_traceparent_is_continued() -> None:
    assert telemetry.adopt(f"00-{TRACE}-{SPAN}-01") == TRACE
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", telemetry.traceparent())


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "x",
        f"00-{TRACE}",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
    ],
)
def test_anything_else_begins_a_trace(header: str | None) -> None:
    found = telemetry.adopt(header)
    assert re.fullmatch("[0-9a-f]{32}", found)
    assert found not in (TRACE, "0" * 32)
    assert telemetry.trace_id.get() == found
