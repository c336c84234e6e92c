"""The rules of a ticket, without a database: every legal move, what it does to the clock, urgency, placeholders."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.support import clock, rules
from commerce.support.errors import IllegalTicketMove
from commerce.support.tables import KINDS, Ticket

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DUE = NOON + timedelta(hours=72)
STATES = sorted(rules.TRANSITIONS)


def fresh() -> Ticket:
    return Ticket(status="open", resolution_due_at=DUE, paused_at=None, solved_at=None)


def test_every_legal_move_says_what_the_clock_does() -> None:
    legal = {(was, wanted) for was, following in rules.TRANSITIONS.items() for wanted in following}
    assert set(rules.CLOCK) == legal
    assert {step for steps in rules.CLOCK.values() for step in steps} <= set(KINDS)


def test_an_owner_may_only_do_what_the_house_may_too() -> None:
    for was, following in rules.OWNER_TRANSITIONS.items():
        assert following <= rules.TRANSITIONS[was]


@given(
    st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from(["owner", "staff"]), st.integers(0, 5000)), max_size=30)
)
def test_any_walk_keeps_the_clock_honest(walk: list[tuple[str, str, int]]) -> None:
    """Whatever is tried: an illegal move changes nothing, and the target moves by exactly the time not counted."""
    ticket, now, uncounted, since = fresh(), NOON, timedelta(), NOON
    for wanted, side, minutes in walk:
        now += timedelta(minutes=minutes)
        was = (ticket.status, ticket.resolution_due_at, ticket.paused_at, ticket.solved_at)
        if not rules.may_become(side, ticket.status, wanted):
            with pytest.raises(IllegalTicketMove):
                clock.turn(ticket, wanted, side, now)
            assert (ticket.status, ticket.resolution_due_at, ticket.paused_at, ticket.solved_at) == was
            continue
        changes = clock.turn(ticket, wanted, side, now)
        if was[0] in ("pending", "solved") and wanted != "closed":
            uncounted += now - since
        if wanted != "closed":
            since = now
        assert ticket.resolution_due_at == DUE + uncounted
        assert (ticket.paused_at is not None) == (ticket.status == "pending")
        assert (ticket.solved_at is not None) == (ticket.status in ("solved", "closed"))
        told = [change.kind for change in changes if change.kind.startswith("clock_")]
        assert told == list(rules.CLOCK[was[0], wanted])
        assert changes[0].facts == {"from": was[0], "to": wanted}


@pytest.mark.parametrize(
    ("category", "wish", "side", "given_"),
    [
        ("other", None, "owner", "normal"),
        ("payment", None, "owner", "high"),
        ("account", None, "owner", "high"),
        ("payment", "low", "owner", "low"),
        ("other", "urgent", "owner", "high"),
        ("other", "urgent", "staff", "urgent"),
    ],
)
def test_only_the_house_calls_a_question_urgent(category: str, wish: str | None, side: str, given_: str) -> None:
    assert rules.priority(category, wish, side) == given_


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Hello {{ name }}, {{number}}", []),
        ("Hello {{ password }}", ["password"]),
        ("Hello { name }", ["{", "}"]),
        ("{{ name", ["{"]),
        ("{{ name.__class__ }}", ["{", "}"]),
    ],
)
def test_placeholders_are_strict(text: str, wrong: list[str]) -> None:
    assert rules.wrong_placeholders(text) == wrong


def test_a_fact_is_never_read_as_a_placeholder() -> None:
    facts = {"name": "{{ order }}", "number": "T-1", "order": "A1", "subject": None}
    assert rules.filled("{{ name }} {{ number }}", facts) == "{{ order }} T-1"
    assert rules.missing_facts("{{ subject }} {{ name }}", facts) == ["subject"]
