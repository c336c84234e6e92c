"""Approval: what agents want done, the limits on it, and who said yes. Low in the order: every context may propose."""

from commerce.approval.schemas import Accepted, Draft, Kind, Policy, ProposalView, Proposed
from commerce.approval.service import ApprovalService

__all__ = ["Accepted", "ApprovalService", "Draft", "Kind", "Policy", "ProposalView", "Proposed"]
