"""Consent: what an agent does for somebody waits for that person's own yes to exactly this (ADR 0011).

A service that moves something asks here before it writes. For a person who calls it directly the call itself is the
wish. For an agent that acts for a person (`principal.act`) there must be a confirmation of the same action with the
same facts, given in the same conversation by the same person, unused and in time: it is used up in the transaction of
the effect. Without one the service refuses with what has to be asked, and nothing has changed.
"""

import hashlib
from typing import Any

import orjson

from kernel.db import Work
from kernel.errors import Conflict


class ConfirmationRequired(Conflict):
    """Raised by a service when an agent acts and nobody has said yes; `summary` is written by code for that person."""

    code = "confirmation_required"
    message = "{summary}"

    def __init__(self, action: str, digest: bytes, summary: str) -> None:
        super().__init__(summary=summary, action=action)
        self.action = action
        self.digest = digest
        self.summary = summary


def digest_of(action: str, subject: str, facts: dict[str, Any]) -> bytes:
    """SHA-256 over the canonical JSON of who does what with which facts."""
    content = {"action": action, "subject": subject, "facts": facts}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)).digest()


async def demand(work: Work, action: str, summary: str, **facts: Any) -> None:
    """Goes on only when the caller may do this now. Raises ConfirmationRequired.

    `facts` are everything the person agrees to: ids, quantities, amounts. Another amount is another digest."""
    who = work.principal
    if who.act is None:
        return
    digest = digest_of(action, who.subject, facts)
    if not await work.consents.use(work, digest):
        raise ConfirmationRequired(action, digest, summary)
