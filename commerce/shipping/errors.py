"""Facts shipping can refuse with."""

from kernel.errors import Invalid, NotFound, Unauthenticated


class DaysReversed(Invalid):
    code = "shipping_days_reversed"
    message = "The latest day of delivery must not lie before the earliest."


class RateTwice(Invalid):
    code = "shipping_rate_twice"
    message = "Two rates are for the same country, currency and weight."


class ShippingMethodUnavailable(Invalid):
    code = "shipping_method_unavailable"
    message = "{method} is not available to {country} for this weight."


class BadCarrierSignature(Unauthenticated):
    code = "carrier_signature_invalid"
    message = "The signature of this notice is not valid."


class UnknownCarrier(NotFound):
    code = "carrier_unknown"
    message = "There is no such carrier."


class MerchantNeeded(Invalid):
    code = "shipping_merchant_needed"
    message = "Say which merchant sends."


class UnknownTimezone(Invalid):
    code = "timezone_unknown"
    message = "{timezone} is no time zone."


class UnknownParcel(NotFound):
    code = "parcel_unknown"
    message = "There is no such parcel."


class UnknownSeller(NotFound):
    code = "shipping_merchant_unknown"
    message = "There is no such merchant."


class UnreadableNotice(Invalid):
    code = "carrier_notice_unreadable"
    message = "This notice cannot be read."
