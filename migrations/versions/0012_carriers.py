"""Carriers, what they offer and what they saw of parcels; labels and manifests. The statements stand in the SQL file of the same name."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

SEPARATOR = ";\n\n"


def upgrade() -> None:
    text = Path(__file__).with_suffix(".sql").read_text()
    for statement in text.split(SEPARATOR):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
