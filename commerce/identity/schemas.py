"""Commands and views of identity."""

from typing import Annotated

from pydantic import StringConstraints

from kernel.ids import CustomerId, MerchantId, UserId
from kernel.schemas import Command, Email, Text, View

Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]


class Register(Command):
    email: Email
    password: Password
    name: Text


class Refresh(Command):
    refresh_token: Annotated[str, StringConstraints(min_length=20, max_length=200)]


class TokensView(View):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105  # the scheme's name, not a secret
    expires_in: int


class MeView(View):
    id: UserId
    email: str
    name: str
    roles: list[str]
    customer_id: CustomerId | None
    merchant_ids: list[MerchantId]
