"""Facts a price or a channel can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class UnknownChannel(NotFound):
    code = "channel_unknown"
    message = "There is no channel {channel}."


class ChannelTaken(Conflict):
    code = "channel_code_taken"
    message = "There is already a channel {channel}."


class ReductionIsNone(Invalid):
    code = "compare_at_too_low"
    message = "The struck-through price must lie above the price."


class UnknownCurrency(Invalid):
    code = "currency_unknown"
    message = "This shop does not sell in {currency}."


class CurrencyOfListDiffers(Conflict):
    code = "currency_mismatch"
    message = "The price list is in {list_currency}, not in {currency}."
