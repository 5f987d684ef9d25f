"""Serving's own errors, and how any deliberate error looks over HTTP.

HaloclineError
├── QueueFull               as many requests wait as may; try again later
├── ContextLengthExceeded   the prompt leaves no room for an answer
├── ModelNotFound           no model of that name is served here
└── GenerationFailed        the engine could not go on; nothing about why leaves the process
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.errors import Denied, HaloclineError

_STATUS = {
    "unauthenticated": 401,
    "denied": 403,
    "model_not_found": 404,
    "queue_full": 429,
    "malformed": 400,
    "context_length_exceeded": 400,
    "unavailable": 503,
}
_TYPE = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
    503: "service_unavailable",
}
# Codes whose message is written for the caller. Of the others it learns the code and no more.
_TOLD = ("unauthenticated", "malformed", "model_not_found", "queue_full", "context_length_exceeded")


class QueueFull(HaloclineError):
    """As many requests wait as may."""

    code = "queue_full"


class ContextLengthExceeded(HaloclineError):
    """The prompt does not fit into the model's context."""

    code = "context_length_exceeded"


class ModelNotFound(HaloclineError):
    """No model of that name is served here."""

    code = "model_not_found"


class GenerationFailed(HaloclineError):
    """The engine failed in the middle of a generation."""

    code = "unavailable"


@dataclass(frozen=True, slots=True)
class Answered:
    """An error as the caller gets it, in OpenAI's shape."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def answered(error: HaloclineError) -> Answered:
    """The response to a deliberate error: its public code, and nothing about the wall."""
    status = _STATUS.get(error.code, 500)
    decision_id = error.decision.id if isinstance(error, Denied) else None
    body = error_body(error.code, message(error), status, decision_id)
    return Answered(status, body, {"www-authenticate": "Bearer"} if status == 401 else {})


def error_body(code: str, text: str, status: int, decision_id: str | None) -> dict[str, Any]:
    """OpenAI's error object, with the decision beside it."""
    return {
        "error": {
            "message": text,
            "type": _TYPE.get(status, "server_error"),
            "code": code,
            "decision_id": decision_id,
        }
    }


def message(error: HaloclineError) -> str:
    """What the caller may read."""
    if error.code in _TOLD:
        return str(error)
    if error.code == "denied":
        return "denied; an auditor can look the decision up by its id"
    return "the service cannot answer now; try again later"
