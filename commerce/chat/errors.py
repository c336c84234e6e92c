"""Facts a conversation can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class UnknownThread(NotFound):
    code = "chat_thread_unknown"
    message = "There is no such conversation."


class ThreadClosed(Conflict):
    code = "chat_thread_closed"
    message = "This conversation is closed. Please start a new one."


class ThreadBusy(Conflict):
    code = "chat_busy"
    message = "The last message of this conversation is still being answered."


class UnknownConfirmation(NotFound):
    code = "confirmation_unknown"
    message = "There is no such question in this conversation."


class ConfirmationOver(Conflict):
    code = "confirmation_over"
    message = "That question is {status}: nothing was changed. Please ask again."


class UnknownMessage(NotFound):
    code = "chat_message_unknown"
    message = "There is no such message in this conversation."


class UnknownFact(NotFound):
    code = "fact_unknown"
    message = "I remember nothing like that."


class NobodyToRemember(Conflict):
    code = "nobody_to_remember"
    message = "I can only remember things about somebody who is signed in."


class TooManyFacts(Conflict):
    code = "too_many_facts"
    message = "I already remember {most} things, and no more fit. Ask me to forget some first."


class OtherMessage(Invalid):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different message."
