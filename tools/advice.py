"""The one map from errors to what a model is told: a code, a sentence for people, and what to do about it."""

from typing import Any

from kernel.errors import AgoraError, Kind

ADVICE = {
    Kind.INVALID: "ask",
    Kind.UNAUTHENTICATED: "stop",
    Kind.FORBIDDEN: "stop",
    Kind.NOT_FOUND: "ask",
    Kind.CONFLICT: "stop",
    Kind.TOO_MANY: "stop",
    Kind.UNAVAILABLE: "retry",
}
"""ask: the person has to say it differently; retry: the same call may work in a moment; stop: it will not work."""


def advice(error: AgoraError) -> dict[str, Any]:
    return {"error": error.code, "advice": ADVICE[error.kind], "message": str(error)}


def opaque(_: Exception) -> dict[str, Any]:
    """Of what nobody expected a model learns nothing: the text of an exception may hold anything."""
    return {"error": "internal_error", "advice": "stop", "message": "This did not work. It has been noted."}
