"""Arguments without personal data: what the record of a tool call keeps."""

from typing import Any

from kernel.schemas import PERSONAL, Command

MOST = 500
"""Characters of a text that a record keeps."""
HIDDEN = "[personal]"


def redacted(command: type[Command], given: Command | dict[str, Any]) -> dict[str, Any]:
    """The arguments with every field that is marked personal hidden; of unknown fields only the names remain."""
    plain = given.model_dump(mode="json", exclude_none=True) if isinstance(given, Command) else given
    kept: dict[str, Any] = {}
    for name, value in plain.items():
        field = command.model_fields.get(name)
        if field is None:
            kept[name[:80]] = "[unknown field]"
        elif PERSONAL in field.metadata or _holds_person(field.annotation):
            kept[name] = HIDDEN
        else:
            kept[name] = value[:MOST] if isinstance(value, str) else value
    return kept


def _holds_person(annotation: Any) -> bool:
    """Whether a field is a model with personal fields, such as an address."""
    kinds = [annotation, *getattr(annotation, "__args__", ())]
    return any(
        PERSONAL in field.metadata
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, Command)
        for field in kind.model_fields.values()
    )
