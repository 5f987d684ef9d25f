"""A gate's answer, and the only way to make one out of an engine's raw result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from halocline_governance.errors import PolicyUnavailable

PUBLIC_CODES = ("unauthenticated", "malformed", "denied", "held_back", "unavailable")


@dataclass(frozen=True, slots=True)
class Decision:
    """`reasons` are for purpose `audit`; a caller gets a public code and `id`."""

    allow: bool
    reasons: tuple[str, ...]
    obligations: Mapping[str, Any] = field(default_factory=dict[str, Any])
    revision: str = ""
    id: str = ""

    def as_json(self) -> dict[str, Any]:
        """The documented answer shape."""
        return {
            "allow": self.allow,
            "reasons": list(self.reasons),
            "obligations": dict(self.obligations),
            "revision": self.revision,
            "id": self.id,
        }


def from_result(result: object, *, revision: str, decision_id: str) -> Decision:
    """Check a policy's raw result. An answer of any other shape is no answer.

    Raises:
        PolicyUnavailable: undefined, or not `{allow: bool, reasons: [str], obligations: {}}`.
    """
    if not isinstance(result, Mapping):
        raise PolicyUnavailable("the policy gave no decision: undefined is a denial")
    fields = cast("Mapping[str, Any]", result)
    allow, reasons = fields.get("allow"), fields.get("reasons")
    obligations = fields.get("obligations")
    if not isinstance(allow, bool) or set(fields) != {"allow", "reasons", "obligations"}:
        raise PolicyUnavailable("the policy's decision is not of the agreed shape")
    if not isinstance(reasons, list) or not isinstance(obligations, Mapping):
        raise PolicyUnavailable("the policy's decision is not of the agreed shape")
    texts = cast("list[object]", reasons)
    if not all(isinstance(text, str) for text in texts):
        raise PolicyUnavailable("the policy's reasons are not text")
    return Decision(
        allow=allow,
        reasons=tuple(sorted(cast("list[str]", texts))),
        obligations=cast("Mapping[str, Any]", obligations) if allow else {},
        revision=revision,
        id=decision_id,
    )
