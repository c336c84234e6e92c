"""Passages are stable and whole; people do not survive in a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.recall.rules import PASSAGE_MOST, PASSAGES_MOST, passages, snippet, without_people


def test_a_text_becomes_its_title_and_its_paragraphs_under_it() -> None:
    assert passages("Returns", "Within 14 days.\n\nMoney goes\nback.") == (
        "Returns", "Returns. Within 14 days.", "Returns. Money goes back.",
    )  # fmt: skip
    assert snippet("Returns", "Within 14 days.\n\nMoney goes\nback.", 2) == "Money goes back."
    assert snippet("Returns", "Within 14 days.", 7) == "Within 14 days."
    assert snippet("Returns", "", 0) == "Returns"


@given(st.text(max_size=4000), st.text(min_size=1, max_size=100))
def test_no_passage_is_too_long_and_none_is_empty(body: str, title: str) -> None:
    found = passages(title, body)
    assert len(found) <= PASSAGES_MOST
    assert all(0 < len(part) <= PASSAGE_MOST + len(title) + 2 for part in found)
    assert found == passages(title, body)


@given(st.lists(st.sampled_from(["One.", "Two words here.", "A longer sentence about a lamp!"]), max_size=60))
def test_every_sentence_is_in_some_passage(sentences: list[str]) -> None:
    body = " ".join(sentences)
    assert " ".join(part.removeprefix("T. ") for part in passages("T", body)[1:]) == body


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Write to ann.smith+x@demo.test please", "Write to [e-mail] please"),
        ("call +49 170 1234567 or 030/123456", "call [number] or [number]"),
        ("order A100123 and T-1001", "order [number] and [number]"),
        ("Dear Jane Doe, it is sent", "Dear [name], it is sent"),
        ("my name is Jörg Müller-Lüdenscheid", "my name is [name]"),
        ("to Lindenstraße 12 in Berlin", "to [address] in Berlin"),
        ("look at https://x.test/a?b=1 now", "look at [link] now"),
        ("ANN told us, and so did Smith", "[name] told us, and so did [name]"),
        ("The lamp costs 20 euros and needs 2 bulbs", "The lamp costs 20 euros and needs 2 bulbs"),
    ],
)
def test_people_are_taken_out(text: str, clean: str) -> None:
    assert without_people(text, "Ann Smith", "ann@demo.test") == clean
