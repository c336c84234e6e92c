"""What approval tells others. The key is the proposal; `object` is the public id of what it is about."""

from uuid import UUID

from kernel.events import Event


class ProposalEvent(Event):
    topic = "approval"
    aggregate = "proposal_id"

    proposal_id: UUID
    agent: str
    kind: str
    object: str


class ProposalMade(ProposalEvent):
    """It waits for `needed` people; what a rule decides at once is not told as made."""

    needed: int
    amount: int | None = None
    currency: str | None = None


class ProposalAccepted(ProposalEvent):
    """It was carried out in this transaction. `by` is `rule` or `person`."""

    by: str


class ProposalRejected(ProposalEvent):
    """`rule` names the limit when a rule said no."""

    by: str
    rule: str | None = None


class ProposalFailed(ProposalEvent):
    """Accepted, but the state had moved on: nothing was changed; `code` is the refusal's."""

    code: str


class ProposalExpired(ProposalEvent):
    """Nobody decided in time."""


class ProposalConflict(ProposalEvent):
    """Two open proposals wanted different things of one object: `proposal_id` gave way to `winner_id`."""

    winner_id: UUID
