"""Permissions of chat and who has them by default: everybody may talk, in their own threads."""

TALK = "chat:talk"

GRANTS = {role: frozenset({TALK}) for role in ("guest", "customer", "merchant", "support", "admin")}
