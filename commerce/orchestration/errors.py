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
