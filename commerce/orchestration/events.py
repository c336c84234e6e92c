"""Messages to agents and their answers. `<agent>.commands` asks an agent to act, `<agent>.queries` asks it something.

Both are answered by AgentAnswered with the id they came with. Their text is a question of the house's own systems and
holds no personal data; what an agent says stays in its run.
"""

from uuid import UUID

from kernel.events import Event


class AgentCommand(Event):
    topic = "commands"
    aggregate = "command_id"

    command_id: UUID
    agent: str
    text: str
    requested_by: str = "system"

    @property
    def destination(self) -> str:
        return f"{self.agent}.commands"


class AgentQuery(Event):
    """Only tools that read are offered for its answer."""

    topic = "queries"
    aggregate = "query_id"

    query_id: UUID
    agent: str
    text: str
    requested_by: str = "system"

    @property
    def destination(self) -> str:
        return f"{self.agent}.queries"


class AgentAnswered(Event):
    """`cause_id` is the command's or query's own id; `status` is done or failed."""

    topic = "agent"
    aggregate = "cause_id"

    cause_id: UUID
    run_id: UUID
    agent: str
    status: str
    outcome: str
