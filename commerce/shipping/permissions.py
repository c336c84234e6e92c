"""Permissions of shipping and who has them by default."""

WRITE_RATES = "shipping:rates"
QUOTE = "shipping:quote"
SEND_PARCELS = "shipping:send"
SET_CARRIERS = "shipping:carriers"
TRACK_PARCELS = "shipping:track"
"""To say what became of any parcel: carriers do, by signed notices; people only of what they sent."""

GRANTS = {
    "merchant": frozenset({QUOTE, SEND_PARCELS}),
    "support": frozenset({QUOTE, SEND_PARCELS}),
    "admin": frozenset({WRITE_RATES, QUOTE, SEND_PARCELS, SET_CARRIERS}),
}
