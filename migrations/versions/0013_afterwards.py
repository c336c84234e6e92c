"""Refunds come out of every payment of a purchase, and never out of units that were cancelled.
The statements stand in the SQL file of the same name."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

SEPARATOR = ";\n\n"


def upgrade() -> None:
    text = Path(__file__).with_suffix(".sql").read_text()
    for statement in text.split(SEPARATOR):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
