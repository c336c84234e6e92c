"""Facts a merchant can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownMerchant(NotFound):
    code = "merchant_unknown"
    message = "There is no such merchant."


class IllegalMerchantMove(Conflict):
    code = "merchant_state"
    message = "A merchant that is {status} cannot become {wanted}."


class SlugTaken(Conflict):
    code = "merchant_slug_taken"
    message = "There is already a merchant called {slug}."
