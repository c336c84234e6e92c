"""Base classes of everything that crosses an edge: commands in, views out, and the page they come in."""

from typing import Annotated, Generic, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from kernel.money import Money

T = TypeVar("T")


class _Personal:
    """Marks a field that is about a person: records keep it hidden."""


PERSONAL = _Personal()

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Minor = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
"""An amount in minor units, as far as a column and a sum of many can hold it."""
Quantity = Annotated[int, Field(ge=1, le=9999, strict=True)]


def _email(text: str) -> str:
    """Syntax only: whether the mailbox exists shows when it is written to. Names reserved for tests are names too."""
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as bad:
        raise PydanticCustomError("email", "not a valid e-mail address: {reason}", {"reason": str(bad)}) from None


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email), PERSONAL]


class Command(BaseModel):
    """Input of one use case: unknown fields are refused, values are final."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What a caller is shown."""

    model_config = ConfigDict(frozen=True)


class MoneyView(View):
    amount: int = Field(description="integer minor units")
    currency: str

    @classmethod
    def of(cls, money: Money) -> "MoneyView":
        return cls(amount=money.minor, currency=money.currency)


def money(minor: int, currency: str) -> MoneyView:
    return MoneyView.model_construct(amount=minor, currency=currency)


class Page(View, Generic[T]):
    """One keyset page: `next` is the cursor of the following page, null on the last."""

    items: list[T]
    next: str | None = None


class Address(Command):
    """A postal address, copied wherever it is used: a later change of the original changes no order."""

    name: Annotated[Text, PERSONAL]
    line1: Annotated[Text, PERSONAL]
    line2: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), PERSONAL] = ""
    city: Annotated[Text, PERSONAL]
    region: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    postal_code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=16), PERSONAL]
    country: Country

    @property
    def one_line(self) -> str:
        """As a person reads it in a sentence."""
        parts = (self.name, self.line1, self.line2, f"{self.postal_code} {self.city}", self.region, self.country)
        return ", ".join(part for part in parts if part)
