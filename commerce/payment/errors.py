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


class RefundTooHigh(Conflict):
    code = "refund_too_high"
    message = "More than was paid and not yet given back cannot go back."


class RefundDestination(Conflict):
    code = "refund_destination_refused"
    message = "This shop does not give money back there. Choose the way it was paid."


class PaymentNotSettled(Conflict):
    code = "payment_not_settled"
    message = "The payment of this order is not completed yet, so it cannot be changed now."


class SamePaymentMethod(Conflict):
    code = "payment_method_same"
    message = "The order is paid that way already. Choose another method."


class SeveralPayments(Conflict):
    code = "payment_not_single"
    message = "Only an order with exactly one payment, of which nothing was given back, can be paid another way."


class UnknownGiftCard(NotFound):
    code = "gift_card_unknown"
    message = "There is no gift card with that code in this currency."


class NotCancellable(Conflict):
    code = "payment_not_cancellable"
    message = "The payment is in state {status} and cannot be given back now."


class BadSignature(Unauthenticated):
    code = "webhook_signature_invalid"
    message = "The signature of the webhook does not fit its body, or is too old."
