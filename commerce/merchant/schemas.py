"""Commands and views of merchants."""

from typing import Annotated

from pydantic import StringConstraints

from kernel.ids import MerchantId
from kernel.schemas import Command, Email, LongText, Text, View

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,60}$")]


class CreateMerchant(Command):
    slug: Slug
    name: Text
    legal_name: Text
    description: LongText
    support_email: Email


class MerchantView(View):
    id: MerchantId
    slug: str
    name: str
    description: str
    status: str
