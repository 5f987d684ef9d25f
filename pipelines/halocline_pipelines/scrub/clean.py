"""What becomes of documents that passed every filter: their text without what was found in it.

What comes out is clean by the same detectors, but for what the recipe keeps, or it does not come
out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halocline_governance.scrub import Scrubber
from halocline_governance.scrub.scrubber import TOO_MANY

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

RULE = "scrub@1"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One document's end: kept with its new text, dropped for too many findings, or quarantined."""

    outcome: str
    reason: str
    text: str = field(default="", repr=False)
    num_pii: int = 0


def clean_batch(
    scrubber: Scrubber, texts: Texts, verdicts: Sequence[BatchVerdict], rows: Collection[int]
) -> dict[int, Cleaned]:
    """These rows of a batch, scrubbed together.

    Args:
        scrubber: of the compartment.
        texts: the batch.
        verdicts: of the scrubber's detectors about it, in their order.
        rows: which of them are wanted; nothing is done to the others.

    Raises:
        StorageUnavailable: the vault did not keep what was to be sealed; nothing may be written.
    """
    scrubbed = scrubber.scrub_batch(texts, verdicts, rows)
    told: dict[int, Cleaned] = {}
    for row in rows:
        if row in scrubbed.withheld:
            told[row] = Cleaned("quarantined", "cannot be scrubbed")
            continue
        one = scrubbed.row(row)
        kept = Cleaned("kept", "passed every filter", one.text, one.count)
        told[row] = Cleaned("dropped", TOO_MANY) if one.dropped else kept
    return told
