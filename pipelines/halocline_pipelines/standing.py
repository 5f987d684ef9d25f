"""What earlier runs left of a curation under this recipe: ids only, as its writer sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from halocline_governance.lake import Lake
from halocline_pipelines import tables
from halocline_pipelines.dedup import exact
from halocline_pipelines.recipes.curation import CurationRecipe

SIGNALS, CURATED, LEDGER = "curation.signals", "curated.documents", "curation.decisions"


@dataclass(frozen=True, slots=True)
class Standing:
    """Row ids by what has been written of them.

    Args:
        decided: in the ledger, with any outcome.
        kept: in the ledger as kept.
        curated: in the curated documents.
        measured: in the signals.
        is_foreign: the curated documents are another recipe's.
        versions: of the three tables, from before they were looked at.
    """

    decided: frozenset[int]
    kept: frozenset[int]
    curated: frozenset[int]
    measured: frozenset[int]
    is_foreign: bool
    versions: Mapping[str, int]

    @property
    def done(self) -> frozenset[int]:
        """Rows that need nothing more: decided, and if kept, there."""
        return self.decided - (self.kept - self.curated)

    @property
    def staying(self) -> frozenset[int]:
        """Rows that were handed out, or promised: no later duplicate drives them out."""
        return self.kept | self.curated


def standing(lake: Lake, compartment: str, recipe: CurationRecipe) -> Standing:
    """Read it. The caller holds the leases."""
    signals, documents, decisions = (
        lake.location(compartment, table) for table in (SIGNALS, CURATED, LEDGER)
    )
    versions = {
        SIGNALS: tables.version(signals),
        CURATED: tables.version(documents),
        LEDGER: tables.version(decisions),
    }
    ledger = tables.rows(decisions, ["row_uid", "outcome"], {"recipe": recipe.id})
    outcomes = dict(zip(ledger["row_uid"].to_pylist(), ledger["outcome"].to_pylist(), strict=True))
    curated = tables.rows(documents, ["row_uid"], {"recipe": recipe.id})
    wanted = {"recipe": recipe.signals_id, "rule": exact.RULE}
    measured = tables.rows(signals, ["row_uid"], wanted)
    return Standing(
        decided=frozenset(outcomes),
        kept=frozenset(uid for uid, outcome in outcomes.items() if outcome == "kept"),
        curated=frozenset(curated["row_uid"].to_pylist()),
        measured=frozenset(measured["row_uid"].to_pylist()),
        is_foreign=tables.count(documents) > curated.num_rows,
        versions=versions,
    )
