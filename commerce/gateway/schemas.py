"""Views of the gateway."""

from kernel.schemas import View


class CallerView(View):
    """Requests of one caller; `subject` is a name without personal data."""

    subject: str
    requests: int


class UsageView(View):
    """Who called most in the last `minutes` minutes, of `requests` in all; `unanswered` keys were claimed more than a
    minute ago and have no kept answer: their process died, or their work still runs."""

    minutes: int
    requests: int
    callers: list[CallerView]
    unanswered: int
