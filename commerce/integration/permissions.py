"""Permissions of integration and who has them by default."""

IMPORT = "integration:import"

GRANTS = {"admin": frozenset({IMPORT})}
