"""One rewrite of a text: every finding of every detector becomes its keyed pseudonym.

What comes out is clean by the same detectors, or it does not come out.
"""

from __future__ import annotations

from collections.abc import Sequence

from halocline_governance.detect import Detector, Verdict
from halocline_governance.detect.pseudonym import PseudonymKey, scrub_clean
from halocline_governance.errors import Refused

_MAX_ROUNDS = 4


def clean(
    text: str, detectors: Sequence[Detector], first: Sequence[Verdict], key: PseudonymKey
) -> tuple[str, int]:
    """The text that all detectors find clean, and how many values were replaced.

    Args:
        text: what was scanned.
        detectors: in the order in which they rewrite.
        first: their verdicts about `text`, so that a clean one is not scanned again.
        key: of the compartment.

    Raises:
        Refused: a detector could not scan, or they undo each other's work.
    """
    if all(verdict.status == "clean" for verdict in first):
        return text, 0
    total = 0
    for _ in range(_MAX_ROUNDS):
        before = text
        for detector in detectors:
            text, count = scrub_clean(detector, text, key)
            total += count
        if text == before:
            return text, total
    raise Refused("scrub: the detectors do not agree on a clean text; quarantine it")
