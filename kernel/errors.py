"""The one error tree. A context declares its errors in `errors.py`; an edge maps the `kind`, never the class.

AgoraError
├── Invalid          the request contradicts itself or the rules of its fields
├── Unauthenticated  nobody, or not the one they claim
├── Forbidden        known, but not allowed
├── NotFound         missing, or not visible to the caller (foreign rows are missing rows)
├── Conflict         right form, but the state does not allow it
├── TooMany          a limit in time: try again after `retry_after` seconds
└── Unavailable      a part we depend on is down: nothing happened, try again
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


Fact = str | int | bool | None | list[str]


class AgoraError(Exception):
    """A fact a caller can act on: a stable `code`, a sentence, and the facts behind it.

    `message` is a template over the facts and is written for the person who sees it, so it holds no internals.
    """

    kind: ClassVar[Kind]
    code: ClassVar[str]
    message: ClassVar[str]

    def __init__(self, **facts: Fact) -> None:
        super().__init__(self.code)
        self.facts = facts

    def __str__(self) -> str:
        return self.message.format(**self.facts)


class Invalid(AgoraError):
    kind = Kind.INVALID
    code = "invalid"
    message = "The request is not valid: {reason}"


class Unauthenticated(AgoraError):
    kind = Kind.UNAUTHENTICATED
    code = "unauthenticated"
    message = "Sign in first."


class Forbidden(AgoraError):
    kind = Kind.FORBIDDEN
    code = "forbidden"
    message = "Your account may not do this ({permission})."


class NotFound(AgoraError):
    kind = Kind.NOT_FOUND
    code = "not_found"
    message = "There is no such {what}."


class Conflict(AgoraError):
    kind = Kind.CONFLICT
    code = "conflict"
    message = "The current state does not allow this."


class TooMany(AgoraError):
    kind = Kind.TOO_MANY
    code = "too_many_requests"
    message = "Too many requests: try again in {retry_after} seconds."


class Unavailable(AgoraError):
    kind = Kind.UNAVAILABLE
    code = "unavailable"
    message = "{what} is not available right now. Nothing was changed; please try again."
