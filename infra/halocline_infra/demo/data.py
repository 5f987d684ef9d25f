"""The demo's first half: sources come in, are curated, and are read as three people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from halocline_governance.errors import Denied
from halocline_governance.label import Label
from halocline_governance.principal import Principal, Purpose
from halocline_infra.demo.ledger import Result
from halocline_infra.demo.scene import Scene, refusal

CURATED = "curated.documents"


def ingest(scene: Scene) -> Result:
    """Every source asks the ingest gate; what it allows lands in its label's compartment."""
    from halocline_pipelines.ingest.run import ingest as run

    result = Result()
    accepted: Counter[str] = Counter()
    quarantined = 0
    for compartment in scene.compartments:
        scene.say(f"ingest into {compartment}")
        clearance = scene.clearance_of(compartment)
        service = scene.cast.service("ingest", clearance)
        sources = [s for s in scene.sources if _place(s.label) == compartment]
        job = replace(scene.job("ingest", service), progress=_writing(scene))
        report = run(job, sources)
        accepted.update(report.accepted)
        accepted.update(report.present)
        quarantined += len(report.quarantined)
        for refused in report.refused:
            result.denied.append(
                {
                    "gate": "ingest",
                    "who": service.subject,
                    "what": f"source {refused.source}",
                    "why": "; ".join(refused.reasons),
                    "decision": refused.decision_id,
                }
            )
    result.facts.append(f"{len(scene.sources)} sources asked, {len(result.denied)} refused")
    result.facts.append("rows: " + ", ".join(f"{c} {n}" for c, n in sorted(accepted.items())))
    if quarantined:
        result.facts.append(f"{quarantined} documents quarantined")
    result.denied.sort(key=lambda entry: not entry["what"].startswith("source generated:"))
    result.notes["rows"] = dict(accepted)
    result.notes["refused"] = sorted(entry["what"] for entry in result.denied)
    result.artefacts["raw documents"] = str(scene.platform.environment.lake)
    return result


def curate(scene: Scene) -> Result:
    """Signals, a decision for every row, and one scrubbed rewrite, compartment by compartment."""
    from halocline_pipelines.curate import curate as run
    from halocline_pipelines.recipes.curation import english, long_documents

    result = Result()
    told: dict[str, Any] = {}
    for compartment in scene.platform.lake.holding("raw.documents"):
        scene.say(f"curate {compartment}")
        service = scene.cast.service("curate", scene.clearance_of(compartment))
        # Bounds made for web pages would drop most of what firms keep as documents.
        recipe = long_documents() if compartment == scene.own_compartment else english()
        report = run(scene.job("curate", service), compartment, recipe)
        told[compartment] = asdict(report)
        result.facts.append(
            f"{compartment}: {report.kept} kept, {sum(report.dropped.values())} dropped,"
            f" {sum(report.quarantined.values())} quarantined, {report.num_pii} PII values scrubbed"
        )
    result.notes["reports"] = told
    result.artefacts["why each row"] = f"{scene.platform.environment.lake}/*/curation/decisions"
    return result


def read(scene: Scene) -> Result:
    """An analyst, a banker and a compliance officer read the same table name."""
    cast = scene.cast
    result = Result()
    counts: dict[str, dict[str, int]] = {}
    for who, purpose in (
        (cast.analyst, Purpose.ANALYSIS),
        (cast.banker, Purpose.ANALYSIS),
        (cast.officer, Purpose.AUDIT),
    ):
        counts[who.subject] = _count(scene, who, purpose)
        seen = ", ".join(f"{c} {n}" for c, n in counts[who.subject].items())
        result.facts.append(f"{who.subject} reads {sum(counts[who.subject].values())}: {seen}")
    for who, table in ((cast.analyst, f"sell:{CURATED}"), (cast.banker, f"buy:{CURATED}")):
        try:
            scene.platform.guard.plan(who, Purpose.ANALYSIS, table)
        except Denied as error:
            result.denied.append(refusal(who, f"read {table}", error))
    _choose(scene, result)
    result.notes["counts"] = counts
    return result


def _choose(scene: Scene, result: Result) -> None:
    """An adviser cleared for two competing customers reads one, and is then denied the other."""
    lake, guard = scene.platform.lake, scene.platform.guard
    places = {place.partition(".")[2]: place for place in lake.compartments() if "." in place}
    for first, second in scene.platform.firm.facts().get("competitors", []):
        if first not in places or second not in places:
            continue
        labels = [lake.labels(places[tenant]) for tenant in (first, second)]
        adviser = scene.cast.adviser(label for some in labels for label in some.values())
        one, other = (f"{places[tenant]}:{CURATED}" for tenant in (first, second))
        plan = guard.plan(adviser, Purpose.ANALYSIS, one, ["row_uid", "label_id"])
        count = sum(ref.num_rows for ref in guard.refs(plan))
        result.facts.append(f"{adviser.subject} reads {count} of {first}, and so none of {second}")
        try:
            guard.plan(adviser, Purpose.ANALYSIS, other)
        except Denied as error:
            result.denied.append(refusal(adviser, f"read {other}", error))


def _count(scene: Scene, who: Principal, purpose: Purpose) -> dict[str, int]:
    plan = scene.platform.guard.plan(who, purpose, CURATED, ["row_uid", "label_id"])
    counted = scene.platform.guard.refs(plan)
    return {ref.compartment: ref.num_rows for ref in counted}


def _writing(scene: Scene) -> Callable[[str], None]:
    """Progress without a line for each of some two hundred sources."""
    return lambda text: None if text.startswith("asking") else scene.say(text)


def _place(label: Label | None) -> str:
    """An unlabelled source knocks at the public door, where the gate turns it away."""
    return "public" if label is None else label.compartment
