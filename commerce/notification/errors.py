"""Facts notification can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownNotification(NotFound):
    code = "notification_unknown"
    message = "There is no such notification."


class ParcelInOrder(Conflict):
    code = "parcel_in_order"
    message = "Nothing is wrong with this parcel."


class NoParcel(NotFound):
    code = "parcel_none"
    message = "Nothing of this order was sent yet."


class ParcelOfGuest(Conflict):
    code = "parcel_of_guest"
    message = "This purchase was a guest's: there is no account to put a gift card in."


class GestureMade(Conflict):
    code = "parcel_gesture_made"
    message = "There was a gift card for this parcel already."
