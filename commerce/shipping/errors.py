"""Facts shipping can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound, Unauthenticated


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


class LabelTwice(Conflict):
    code = "label_twice"
    message = "This package has its label already."


class UnknownLabel(NotFound):
    code = "label_unknown"
    message = "There is no such label."


class LabelNotThere(Conflict):
    code = "label_not_there"
    message = "The label is {status}: there is nothing to print."


class LabelNotVoidable(Conflict):
    code = "label_not_voidable"
    message = "The label is {status}, or its parcel has left: it cannot be given back."


class PackageNotLabelled(Conflict):
    code = "package_not_labelled"
    message = "This package has no label yet, or the carrier has not answered for it."


class QuoteGone(Conflict):
    code = "quote_gone"
    message = "This offer is not good any more: ask for a new one."


class ManifestClosed(Conflict):
    code = "manifest_closed"
    message = "The parcels of this day were handed over already."


class ManifestEmpty(Conflict):
    code = "manifest_empty"
    message = "No parcel waits to be handed over."


class UnknownManifest(NotFound):
    code = "manifest_unknown"
    message = "There is no such manifest."
