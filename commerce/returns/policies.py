"""The rules of returns as data: which policy counts for what, and the reasons there are."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from commerce.pricing import PricingService
from commerce.product import ProductService
from commerce.returns import statements
from commerce.returns.permissions import WRITE_RETURN_POLICIES
from commerce.returns.rules import Policy
from commerce.returns.schemas import ReasonView, SetReason, SetReturnPolicy
from kernel.db import Record, Work, law
from kernel.errors import Invalid


class DaysReversed(Invalid):
    code = "return_days_reversed"
    message = "The days of a faulty thing must not be fewer than those of any other."


class Policies:
    def __init__(self, pricing: PricingService, product: ProductService) -> None:
        self._pricing = pricing
        self._product = product

    async def of(self, work: Work, channel_id: UUID, categories: Sequence[UUID]) -> dict[UUID, Policy]:
        """The policy of each category in a channel: the most particular row, else the defaults."""
        rows = await work.rows(statements.POLICIES, channel_id, list(categories))
        return {category: _best(rows, category) for category in categories}

    async def reasons(self, work: Work) -> list[ReasonView]:
        """The reasons a customer can give, in words."""
        rows = await work.rows("select code, text, fault from return_reasons where active order by fault, code")
        return [ReasonView.model_validate(dict(row)) for row in rows]

    async def set_policy(self, work: Work, command: SetReturnPolicy) -> None:
        """Writes the rules of a channel or all, and a category or all. Raises UnknownChannel, UnknownCategory."""
        work.principal.require(WRITE_RETURN_POLICIES)
        channel = await self._pricing.channel(work, command.channel) if command.channel else None
        category = await self._product.category(work, command.category) if command.category else None
        values = command.model_dump(exclude={"channel", "category"})
        with law("ck_return_policies_days", DaysReversed()):
            await work.run(statements.SET_POLICY, channel.id if channel else None, category, *values.values(), work.now)

    async def set_reason(self, work: Work, code: str, command: SetReason) -> None:
        work.principal.require(WRITE_RETURN_POLICIES)
        await work.run(statements.SET_REASON, code, command.text, command.fault, command.active)


def _best(rows: Sequence[Record], category: UUID) -> Policy:
    fitting = [row for row in rows if row["category_id"] in (None, category)]
    if not fitting:
        return Policy()
    best = max(fitting, key=lambda row: (row["category_id"] is not None, row["channel_id"] is not None))
    stored = {field.name: best[field.name] for field in fields(Policy)}
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    return Policy(**values)
