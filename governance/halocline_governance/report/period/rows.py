"""Each kind of statement a period report lists: its columns, and how a record gives its fields.

A row is made from the records it cites by a function of nothing else, so whoever holds the records
can make it again: that is what `verify` does. Fields that a record does not tell (sums, or what a
table says) are named as `drawn`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from halocline_governance.report.period import crossed, made
from halocline_governance.report.period.made import Fields
from halocline_governance.report.period.sums import OUTPUTS
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period

Make = Callable[[Sequence[Entry], Period], Fields]


@dataclass(frozen=True, slots=True)
class Statement:
    """One kind of row.

    Args:
        title: what a list of them is called.
        columns: in the order they are shown; all of a row but its proofs.
        make: the fields that the cited records tell.
        drawn: the columns that they do not.
        dated: whether the last record cited lies in the period.
    """

    title: str
    columns: tuple[str, ...]
    make: Make
    drawn: tuple[str, ...] = ()
    dated: bool = True


def row(name: str, entries: Sequence[Entry], period: Period, **drawn: Any) -> Fields:
    """One row of this kind, with its proofs."""
    told = STATEMENTS[name].make(entries, period)
    return {**told, **drawn, "proofs": [entry.proof() for entry in entries]}


def _plain(title: str, make: Make, columns: str, drawn: str = "", dated: bool = True) -> Statement:
    return Statement(title, tuple(columns.split()), make, tuple(drawn.split()), dated)


STATEMENTS: Mapping[str, Statement] = {
    "entries": _plain(
        "The directory at the end of the period", made.entry,
        "subject roles clearance disabled owner since by", dated=False,
    ),
    "changes": _plain("Changes of the directory", made.change, "ts subject outcome of changed"),
    "seen": _plain(
        "Who asked, with the clearance they came with", made.seen,
        "subject roles clearance newest allowed denied", "allowed denied",
    ),
    "reads": _plain(
        "Reads handed over, and reads denied", made.reads,
        "subject purpose table compartment newest allowed denied", "allowed denied",
    ),
    "revisions": _plain(
        "Policy revisions, and when each decided", made.revision,
        "revision first last decisions", "decisions",
    ),
    "handed": _plain(
        "Reports and exports handed over", made.handed, "ts subject what hash_of sha256"
    ),
    "crossings": _plain(
        "Crossings", crossed.crossing,
        "id requester subjects sides tenants purpose reason approvers from until standing steps"
        " told allowed used denied",
        "told allowed used denied", dated=False,
    ),
    "insiders": _plain(
        "Who was let across, from when until when", crossed.insider,
        "subjects inside reason obtained ceased crossing", dated=False,
    ),
    "touches": _plain(
        "First touches of a conflict class", made.touch, "ts subject purpose gate touches about"
    ),
    "firm": _plain("Changes of the firm's lists", made.firm, "ts subject step names facts_after"),
    "admitted": _plain(
        "Sources let in or refused, refusals before others when not all are shown", made.ingest,
        "ts subject source licence compartment allowed reasons",
    ),
    "curated": _plain(
        "Curation runs", made.curated,
        "ts subject run_id compartment kept dropped quarantined pii_scrubbed",
    ),
    "datasets": _plain(
        "Dataset versions that runs read", made.dataset,
        "ts subject purpose table dsv_id version num_rows label fingerprint",
        "table dsv_id version num_rows label fingerprint", dated=False,
    ),
    "residue": _plain(
        "Personal data that a detector finds in curated texts", made.residue,
        "what rows scanned unscanned with_findings at_most kinds detector",
        dated=False,
    ),
    "runs": _plain("Training runs", made.run, "ts subject run_id says"),
    "models": _plain(
        "Models registered", made.model, "ts subject model version weights_sha256 label run_id"
    ),
    "parents": _plain(
        "What models were made from", made.nothing,
        "model version kind parent run_id label", "model version kind parent run_id label",
        dated=False,
    ),
    "evidence": _plain(
        "Evidence handed in", made.evidence,
        "ts subject request perplexity canaries_extracted licences toxic_rows evidence_sha256",
    ),
    "approvals": _plain("Approvals", made.approval, "ts subject request roles evidence_sha256"),
    "promotions": _plain(
        "Promotions decided", made.promotion,
        "ts model version alias requester approvers allowed reasons weights_sha256",
    ),
    "deployments": _plain(
        "What endpoints answered with", made.deployment,
        "endpoint model version from until decided", "endpoint model version from until",
        dated=False,
    ),
    "denials": _plain(
        "Denials, alike ones together, with the newest of each", made.denied,
        "ts subject purpose gate about reasons times", "times",
    ),
    "differing": _plain(
        f"Rows of {OUTPUTS} that are not what was recorded", made.differing,
        "ts subject request_id endpoint recorded differs", "differs", dated=False,
    ),
    "held": _plain(
        "Outputs that were not released", made.answer,
        "ts subject request_id endpoint model model_version outcome finish_reason",
    ),
    "aborts": _plain(
        "Answers cut off by a crash", made.answer,
        "ts subject request_id endpoint model model_version outcome finish_reason",
    ),
    "ended": _plain(
        "Reads ended before their end", made.ended, "ts subject purpose table code reasons"
    ),
    "crashes": _plain(
        "Logs that were opened again without having been closed", made.crash,
        "log last_record opened_again",
    ),
    "alarms": _plain(
        "Windows that raised alerts", made.alarm, "ts window_id compartment num_outputs alerts"
    ),
    "erasures": _plain("Erasures", made.erasure, "ts subject step order what names reason says"),
    "rekeyed": _plain("Changes of the journal's key", made.rekeyed, "ts log by key"),
}  # fmt: skip
