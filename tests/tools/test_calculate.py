"""The calculator: exact, and nothing but a calculator."""

from typing import Any

import pytest
from pydantic import ValidationError

from tools.chat import Expression, NoCalculation, calculate


async def result(expression: str) -> str:
    call: Any = None
    found: Any = await calculate(call, Expression(expression=expression))
    return str(found.result)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("0.1 + 0.2", "0.30"), ("(1.5 + 2) * 3", "10.50"), ("-2 - -3", "1.00"), ("1 / 8", "0.12"), ("7 // 2", "3.00"),
        (" 3131.1 + 4777.75 + 367.38 ", "8276.23"), ("2 ** 10", "1024.00"),
    ],
)  # fmt: skip
async def test_a_sum_is_exact_and_told_in_cents(expression: str, wanted: str) -> None:
    assert await result(expression) == wanted


@pytest.mark.parametrize("expression", ["1 / 0", "1 +", "()", "2 (3)", "9 ** 9 ** 9", "5 5", "(.)"])
async def test_what_is_no_calculation_is_refused(expression: str) -> None:
    with pytest.raises(NoCalculation):
        await result(expression)


@pytest.mark.parametrize("expression", ["__import__('os')", "1 + a", "1,2", ""])
async def test_other_characters_do_not_come_in(expression: str) -> None:
    with pytest.raises(ValidationError):
        await result(expression)
