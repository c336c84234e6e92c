"""Facts a price or a channel can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound


class UnknownChannel(NotFound):
    code = "channel_unknown"
    message = "There is no channel {channel}."


class UnknownCurrency(Invalid):
    code = "currency_unknown"
    message = "This shop does not sell in {currency}."


class CurrencyOfListDiffers(Conflict):
    code = "currency_mismatch"
    message = "The price list is in {list_currency}, not in {currency}."
