"""Permissions of orchestration and who has them by default."""

READ_SAGAS = "orchestration:read"
OPERATE = "orchestration:operate"
READ_AGENTS = "orchestration:agents"
ASK_AGENTS = "orchestration:ask"

GRANTS = {
    "support": frozenset({READ_SAGAS, READ_AGENTS, ASK_AGENTS}),
    "admin": frozenset({READ_SAGAS, OPERATE, READ_AGENTS, ASK_AGENTS}),
}
