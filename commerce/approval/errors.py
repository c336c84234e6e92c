"""Facts a proposal or a decision can be refused with."""

from kernel.errors import Conflict, Forbidden, NotFound


class UnknownProposal(NotFound):
    code = "proposal_unknown"
    message = "There is no such proposal."


class UnknownKind(NotFound):
    code = "proposal_kind_unknown"
    message = "Nothing of the kind {name} can be proposed."


class ForeignProposal(Forbidden):
    code = "proposal_foreign"
    message = "Only what is your own can be proposed."


class OwnProposal(Forbidden):
    code = "proposal_own"
    message = "Whoever proposed this cannot decide it."


class PersonNeeded(Forbidden):
    code = "decision_needs_person"
    message = "Only a person decides, and only for themselves."


class ProposalOver(Conflict):
    code = "proposal_decided"
    message = "This proposal is {status}: nothing was changed."


class ProposalLapsed(Conflict):
    code = "proposal_expired"
    message = "This proposal was not decided in time: nothing was changed."


class ContraryDecision(Conflict):
    code = "decision_contrary"
    message = "You have already decided otherwise: nothing was changed."


class ProposalChanged(Conflict):
    code = "proposal_hash_mismatch"
    message = "This is not the proposal that was shown: nothing was changed."
