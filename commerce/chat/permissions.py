"""Permissions of chat and who has them by default: everybody may talk, in their own threads; who is
signed in may be remembered."""

TALK = "chat:talk"
OWN_FACTS = "chat:facts"
KEEP_HOUSE = "chat:keep-house"
"""For the schedule alone: no role has it, the system has all."""

GRANTS = {role: frozenset({TALK}) for role in ("guest", "support", "admin")} | {
    role: frozenset({TALK, OWN_FACTS}) for role in ("customer", "merchant")
}
