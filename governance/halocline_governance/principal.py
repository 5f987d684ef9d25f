"""Who asks, and why: principals and purposes. Tokens are `identity`'s business."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from halocline_governance.label import Label


class Purpose(StrEnum):
    """Why something is done. Part of every decision."""

    CURATION = "curation"
    TRAINING = "training"
    EVALUATION = "evaluation"
    PROMOTION = "promotion"
    INFERENCE = "inference"
    ANALYSIS = "analysis"
    MONITORING = "monitoring"
    AUDIT = "audit"


ROLES = (
    "analyst",
    "application",
    "approver",
    "banker",
    "compliance",
    "data-engineer",
    "ml-engineer",
    "operator",
    "service",
)


SUBJECT = "a subject is 1 to 255 printable characters in composed form, no space at either end"


def is_subject(text: str) -> bool:
    """Whether this can name somebody: nothing that looks like another name, or like none.

    1 to 255 printable characters in Unicode's composed form (NFC), no space at either end. So
    neither an invisible character nor another spelling of the same letters makes a second person.
    """
    is_plain = text.isprintable() and text == text.strip()
    return is_plain and 0 < len(text) <= 255 and unicodedata.is_normalized("NFC", text)


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `clearance` is the label up to which it may see."""

    subject: str
    roles: tuple[str, ...]
    clearance: Label
    token_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What policies see of the caller."""
        return {
            "subject": self.subject,
            "roles": list(self.roles),
            "clearance": self.clearance.as_json(),
        }
