"""Facts a payment can refuse with."""

from kernel.errors import Conflict, Invalid, NotFound, Unauthenticated


class NoRiskCheck(NotFound):
    code = "risk_check_unknown"
    message = "There is no such purchase, or nobody looked at its risk."


class UnknownPaymentMethod(NotFound):
    code = "payment_method_unknown"
    message = "There is no such payment method."


class PaymentTokenRefused(Invalid):
    code = "payment_token_invalid"
    message = "That payment token is not valid. Never send a card number."


class GiftCardTooLow(Conflict):
    code = "gift_card_insufficient"
    message = "The gift card does not cover the amount."


class UnknownGiftCard(NotFound):
    code = "gift_card_unknown"
    message = "There is no gift card with that code in this currency."


class NotCancellable(Conflict):
    code = "payment_not_cancellable"
    message = "The payment is in state {status} and cannot be given back now."


class BadSignature(Unauthenticated):
    code = "webhook_signature_invalid"
    message = "The signature of the webhook does not fit its body, or is too old."
