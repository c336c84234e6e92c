"""What the Kafka transport remembers: how far each partition was acknowledged, and the numbers of event schemas."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    """
create table transport_marks (
  topic text not null,
  partition integer not null,
  next_offset bigint not null,
  lost_from bigint,
  constraint pk_transport_marks primary key (topic, partition)
)
""",
    """
create table event_schemas (
  id serial not null,
  subject text not null,
  schema text not null,
  digest bytea not null,
  created_at timestamp with time zone not null,
  constraint pk_event_schemas primary key (id),
  constraint uq_event_schemas_subject_digest unique (subject, digest)
)
""",
    "grant select, insert, update, delete on transport_marks, event_schemas to agora_app",
    "grant usage, select on sequence event_schemas_id_seq to agora_app",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
