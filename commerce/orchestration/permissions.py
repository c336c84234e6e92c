"""Permissions of orchestration and who has them by default."""

READ_SAGAS = "orchestration:read"
OPERATE = "orchestration:operate"

GRANTS = {"support": frozenset({READ_SAGAS}), "admin": frozenset({READ_SAGAS, OPERATE})}
