"""Ids: sorted by creation, unique, typed by their prefix outside."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from kernel.ids import OrderId, first_id_at, new_id, parse, public


def test_ids_of_one_process_are_unique_sorted_uuid7() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


def test_an_id_bears_its_instant() -> None:
    before = datetime.now(UTC)
    assert first_id_at(before) <= new_id()


def test_a_public_id_reads_back_and_another_kind_does_not() -> None:
    one = new_id()
    assert parse("ord", public("ord", one)) == one
    adapter: TypeAdapter[UUID] = TypeAdapter(OrderId)
    assert adapter.validate_python(public("ord", one)) == one
    for wrong in (public("cus", one), str(one), "ord_1", "", 7, None):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
