"""Facts a customer's data can refuse with."""

from kernel.errors import NotFound


class UnknownCustomer(NotFound):
    code = "customer_unknown"
    message = "There is no such customer."


class UnknownAddress(NotFound):
    code = "address_unknown"
    message = "There is no such address."
