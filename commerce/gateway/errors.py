"""Facts the gateway can refuse with."""

from kernel.errors import Conflict, Invalid


class IdempotencyKeyRequired(Invalid):
    code = "idempotency_key_required"
    message = "Send an Idempotency-Key header (1 to 200 characters), a new one for each new intention."


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different request."


class RequestInFlight(Conflict):
    code = "request_in_flight"
    message = "The first request with this Idempotency-Key is still being worked on: try again in a moment."
