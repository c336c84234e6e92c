"""Permissions of shipping and who has them by default."""

WRITE_RATES = "shipping:rates"
QUOTE = "shipping:quote"
SEND_PARCELS = "shipping:send"
SET_CARRIERS = "shipping:carriers"
TRACK_PARCELS = "shipping:track"
"""To say what became of any parcel: carriers do, by signed notices; people only of what they sent."""
CARE = "shipping:care"
"""To tell people of a parcel that is in trouble, and to propose what makes up for it."""

GRANTS = {
    "merchant": frozenset({QUOTE, SEND_PARCELS}),
    "support": frozenset({QUOTE, SEND_PARCELS, CARE}),
    "admin": frozenset({WRITE_RATES, QUOTE, SEND_PARCELS, SET_CARRIERS, CARE}),
}
