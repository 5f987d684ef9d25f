"""What the journal says lies ahead of a thing, where a lineage table may have lost the link.

A question forward is answered from rows that are there; a row that was taken out ends it without a
word. The journal's own records of runs and registrations lead on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from halocline_governance.lineage.checks import Flag, check
from halocline_governance.lineage.checks_told import Told
from halocline_governance.lineage.impact import Impact
from halocline_governance.lineage.lineage import DATASET, Lineage

Sees = Callable[[str], bool]


def _all(_id: str) -> bool:
    return True


def flags_ahead(lineage: Lineage, heard: Told, found: Impact, sees: Sees = _all) -> list[Flag]:
    """What the checks flag of all that was found ahead of a thing, and of what the journal says
    was made from that.

    Args:
        lineage: as it is.
        heard: `checks_told.heard(directory)`.
        found: `impact` of the thing, as it is seen.
        sees: which nodes are; what is hidden leads nowhere.
    """
    return [*check(lineage, heard, about=ahead(lineage, heard, found, sees)).flags]


def ahead(lineage: Lineage, heard: Told, found: Impact, sees: Sees = _all) -> set[str]:
    """Ids of what was found, and of what the journal says was made from that."""
    datasets = {*found.datasets}
    runs, models = {*found.runs}, {*found.models, *found.descendants}
    kind, _, name = found.thing.partition(":")
    for own, names in (("dataset", datasets), ("run", runs), ("model", models)):
        if kind == own:
            names.add(name)
    known = {row["dsv_id"] for row in lineage.rows(DATASET)}
    for run_id, records in heard.begun.items():
        if not sees(f"run:{run_id}"):
            continue
        declared = records[-1].what["inputs"]
        # Rows may have been in a version of their table that lineage does not know any more.
        lost = [
            one["dsv_id"] for one in declared
            if one["dsv_id"] not in known and f"{one['compartment']}:{one['table']}" in found.rows
        ]  # fmt: skip
        if lost or any(one["dsv_id"] in datasets for one in declared):
            runs.add(run_id)
            datasets.update(lost)
    for model, records in heard.registered.items():
        if any(record.what["run_id"] in runs for record in records):
            models.add(model)
    return {
        *(f"dataset:{one}" for one in datasets),
        *(f"mixture:{one}" for one in found.mixtures),
        *(f"run:{one}" for one in runs),
        *(f"model:{one}" for one in models),
        *deployments(found),
    }


def deployments(found: Impact) -> Collection[str]:
    """Ids of the deployments among what was found."""
    now = [f"deployment:{name}/{since}" for name, since in found.endpoints_now]
    return [*now, *(f"deployment:{name}/{since}" for name, since, _ in found.endpoints_before)]
