"""What was made from what must go, and what may have been, where lineage cannot tell.

A version of a table that cannot be read any more, such as one from which another order removed a
row, may have held these rows too. A record of lineage that the journal contradicts may hide a way.
What came of either cannot be excluded, and is listed as that: no certificate says less than is so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.erasure.order import Order, What
from halocline_governance.errors import Refused
from halocline_governance.lineage import around, checks, checks_told, selection
from halocline_governance.lineage.impact import Impact
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, Lineage
from halocline_governance.lineage.selection import Version

# How many things in all may be listed in one record, so that it stays below a frame's bound.
_MAX_LISTED = 10_000
_MAX_DOUBTS = 1_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Where it is looked.

    Args:
        lineage: what was made from what.
        journal_dir: what lineage is held against.
        known: compartments that can be read.
    """

    lineage: Lineage
    journal_dir: Path
    known: Collection[str]


def told(seen: Seen, order: Order, compartments: Collection[str]) -> dict[str, Any]:
    """What was made from each thing (`exposed`), and what may have been besides (`unsure`).

    Args:
        seen: where it is looked.
        order: what must go.
        compartments: that hold what a subject's key names: no other has the same key. Of what is
            not there at all, any may have been the one.

    Raises:
        JournalCorrupt: a record that cannot be read.
    """
    things = [] if order.what is What.OUTPUT else [f"{order.what.value}:{n}" for n in order.names]
    found = list(_impacts(seen.lineage, things))
    limit = _MAX_LISTED // len(order.names)
    gaps = {gap for one in found for gap in one.gaps}
    lost = [
        f"dataset:{one.dsv_id}" for one in (_unread(seen, gaps) if things else ())
        if order.what is What.SOURCE or not compartments or one.compartment in compartments
    ]  # fmt: skip
    unsure = _unsure(seen, found, list(_impacts(seen.lineage, lost)))
    exposed = [one.as_json(limit) for one in found]
    return {"exposed": exposed, "unsure": {"gaps": sorted(gaps)[:_MAX_DOUBTS], **unsure}}


def _impacts(lineage: Lineage, things: Sequence[str]) -> Iterator[Impact]:
    for thing in things:
        try:
            yield lineage.impact(thing)
        except Refused:
            continue  # lineage knows nothing of it


def _unread(seen: Seen, gaps: Collection[str]) -> Iterator[Version]:
    """Recorded versions of which it could not be told whether they held it."""
    for row in seen.lineage.rows(DATASET):
        labels = frozenset[str](row["label_ids"])
        place = (row["compartment"], row["table"], row["version"])
        version = Version(row["dsv_id"], *place, labels)
        if selection.gap(version) in gaps or version.compartment not in seen.known:
            yield version


def _unsure(seen: Seen, found: Sequence[Impact], lost: Sequence[Impact]) -> dict[str, Any]:
    """What is flagged on the way, and the models to which the journal or what is lost leads."""
    if not found and not lost:
        return {"flags": _some([]), "models": _some([]), "endpoints_now": _some([])}
    lineage, heard = seen.lineage, checks_told.heard(seen.journal_dir)
    about = {id_ for one in (*found, *lost) for id_ in around.ahead(lineage, heard, one)}
    flags = checks.check(lineage, heard, about=about).flags
    ids = sorted(id_ for id_ in about if id_.startswith("model:"))
    models = {id_.partition(":")[2] for id_ in ids}
    for one in _impacts(lineage, ids):
        models |= {*one.models, *one.descendants}
    models -= {name for one in found for name in (*one.models, *one.descendants)}
    endpoints = {
        row["endpoint"]
        for row in lineage.rows(DEPLOYMENT)
        if row["to_ts"] is None and f"{row['model']}/{row['version']}" in models
    }
    return {
        "flags": _some([f"{one.about}: {one.kind}: {one.what}" for one in flags]),
        "models": _some(sorted(models)),
        "endpoints_now": _some(sorted(endpoints)),
    }


def _some(whole: Sequence[str]) -> Mapping[str, Any]:
    return {"num": len(whole), "first": list(whole[:_MAX_DOUBTS])}
