"""Facts shipping can refuse with."""

from kernel.errors import Invalid


class DaysReversed(Invalid):
    code = "shipping_days_reversed"
    message = "The latest day of delivery must not lie before the earliest."


class RateTwice(Invalid):
    code = "shipping_rate_twice"
    message = "Two rates are for the same country, currency and weight."


class ShippingMethodUnavailable(Invalid):
    code = "shipping_method_unavailable"
    message = "{method} is not available to {country} for this weight."
