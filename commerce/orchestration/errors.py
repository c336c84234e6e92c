"""Facts the inspector can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownSaga(NotFound):
    code = "saga_unknown"
    message = "There is no such saga."


class SagaNotStuck(Conflict):
    code = "saga_not_stuck"
    message = "The saga is {status}: only a stuck one can be retried by hand."


class UnknownDeadLetter(NotFound):
    code = "dead_letter_unknown"
    message = "There is no such message among those put aside."


class AgentSwitchedOff(Conflict):
    code = "agent_switched_off"
    message = "The {agent} agent is switched off at the moment."


class BudgetUsedUp(Conflict):
    code = "agent_budget_used_up"
    message = "The {agent} agent has used up its budget for today."


class UnknownAgent(NotFound):
    code = "agent_unknown"
    message = "There is no such agent."


class UnknownRun(NotFound):
    code = "agent_run_unknown"
    message = "There is no such run of an agent."


class UnknownErrand(NotFound):
    code = "agent_errand_unknown"
    message = "There is no such command or query, or its message is still on its way."
