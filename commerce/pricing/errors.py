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


class VariantUnpriced(Conflict):
    code = "variant_unpriced"
    message = "{sku} has no price in channel {channel} that could be changed."


class PriceUnchanged(Conflict):
    code = "price_unchanged"
    message = "That is the price of {sku} already."


class PriceMoved(Conflict):
    code = "price_moved"
    message = "The price is no longer the one that was looked at: nothing was changed."
