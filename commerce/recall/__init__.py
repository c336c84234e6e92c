"""Recall: what can be found by its meaning, and what of it changed."""

from commerce.recall.schemas import Change, Document, Found, Index, Revision
from commerce.recall.service import RecallService, near_of

__all__ = ["Change", "Document", "Found", "Index", "RecallService", "Revision", "near_of"]
