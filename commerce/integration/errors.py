"""Facts an import can refuse with."""

from kernel.errors import Invalid, NotFound


class UnknownReference(Invalid):
    code = "import_reference_unknown"
    message = "There is no {kind} called {name} from {source}."


class UnknownImport(NotFound):
    code = "import_unknown"
    message = "There is no such import."
