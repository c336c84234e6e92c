"""Facts shipping can refuse with."""

from kernel.errors import Invalid


class ShippingMethodUnavailable(Invalid):
    code = "shipping_method_unavailable"
    message = "{method} is not available to {country} for this weight."
