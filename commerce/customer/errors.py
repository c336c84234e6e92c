"""Facts a customer's data can refuse with."""

from kernel.errors import Conflict, NotFound


class UnknownCustomer(NotFound):
    code = "customer_unknown"
    message = "There is no such customer."


class UnknownAddress(NotFound):
    code = "address_unknown"
    message = "There is no such address."


class CustomerKnown(Conflict):
    code = "customer_known"
    message = "There is a customer with this e-mail address already."
