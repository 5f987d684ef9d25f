"""Puts a period report together: sections of lists and sums, in the order its duty asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MODEL
from halocline_governance.report.period import duty as duties
from halocline_governance.report.period.made import Fields
from halocline_governance.report.period.question import Question
from halocline_governance.report.period.rows import STATEMENTS
from halocline_governance.report.period.sums import ALERTS, CURATED, OUTPUTS, merged

JOURNAL = "journal"
Listed = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sum:
    """A table of counts: `source` is `journal`, or the table it is drawn from."""

    title: str
    columns: tuple[str, ...]
    source: str
    chart: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What one section shows, in order. Names are of `STATEMENTS` and `SUMS`."""

    title: str
    says: str
    sums: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


@dataclass(slots=True)
class Material:
    """All that a report is made from."""

    question: Question
    asked_by: Mapping[str, Any]
    installation: Mapping[str, Any]
    heads: Sequence[Mapping[str, Any]]
    observed: Mapping[str, Any]
    lists: Mapping[str, Listed]
    sums: Mapping[str, Sequence[Fields]]
    figures: Sequence[Mapping[str, Any]]
    flags: Mapping[str, Any]
    gaps: Iterable[str]


def content(material: Material) -> dict[str, Any]:
    """The report as plain JSON; everything people are shown is made from it."""
    period, duty = material.question.period, material.question.duty
    names = duties.sections(duty)
    return {
        "scope": {
            "from": period.start,
            "to": period.end,
            "duty": duty.value,
            "duty_title": duties.TITLES[duty],
            "asked_by": dict(material.asked_by),
        },
        "installation": dict(material.installation),
        "caution": duties.CAUTION,
        "evidence": duties.evidence(duty),
        "sections": [_section(name, material) for name in names],
        "figures": list(material.figures),
        "flags": dict(material.flags),
        "journal": {
            "heads": list(material.heads),
            "observed": dict(material.observed),
            "sums": [_sum("kinds", material)],
            "lists": [_list("rekeyed", material)],
        },
        "gaps": sorted(set(material.gaps)),
        "limits": limits(material.figures),
    }


def _section(name: str, material: Material) -> dict[str, Any]:
    section = SECTIONS[name]
    return {
        "id": name,
        "title": section.title,
        "says": section.says,
        "sums": [_sum(one, material) for one in section.sums],
        "lists": [_list(one, material) for one in section.lists],
    }


def _list(name: str, material: Material) -> dict[str, Any]:
    statement, told = STATEMENTS[name], material.lists[name]
    return {
        "name": name,
        "title": statement.title,
        "columns": list(statement.columns),
        "source": LISTED_FROM.get(name, JOURNAL),
        "total": told["total"],
        "rows": list(told["rows"]),
    }


def _sum(name: str, material: Material) -> dict[str, Any]:
    one = SUMS[name]
    own = one.source == JOURNAL
    rows = list(material.sums[name]) if own else drawn(name, material.figures)
    return {
        "name": name,
        "title": one.title,
        "columns": list(one.columns),
        "source": one.source,
        "chart": one.chart,
        "rows": rows,
    }


def drawn(name: str, figures: Iterable[Mapping[str, Any]]) -> list[Fields]:
    """A sum over all compartments, from the figures alone."""
    told = SUMS[name]
    return merged((one for one in figures if one["table"] == told.source), name, told.columns)


MLFLOW = (
    "MLflow's registry, which is outside the lake, was not looked at: halocline lineage check holds"
    " it to lineage and the journal, and its flags of MLflow are not among those here"
)


def limits(figures: Iterable[Mapping[str, Any]]) -> list[str]:
    """What no report looks at, and what the detectors that looked at texts say that they cannot
    find."""
    found = [one["residue"] for one in figures if "residue" in one]
    return sorted(
        {
            MLFLOW,
            *(
                f"Personal data left in curated texts that {one['detector']} cannot find:"
                f" {'; '.join(one['cannot_find'])}"
                for one in found
            ),
        }
    )


LISTED_FROM: Mapping[str, str] = {
    "datasets": DATASET,
    "deployments": DEPLOYMENT,
    "parents": MODEL,
    "differing": OUTPUTS,
    "residue": CURATED,
}
"""Lists whose rows a table tells; the others are the journal's."""

SUMS: Mapping[str, Sum] = {
    "kinds": Sum("Records of the period by kind", ("kind", "records"), JOURNAL),
    "days": Sum("Decisions by day", ("day", "allowed", "denied"), JOURNAL, "bars"),
    "gates": Sum("Decisions by gate", ("gate", "allowed", "denied"), JOURNAL),
    "reasons": Sum("Denials by gate and reason", ("gate", "reason", "denials"), JOURNAL),
    "flows": Sum(
        "Reads handed over and other decisions, by the caller's sides and the data's",
        ("gate", "caller", "data", "allowed", "denied"),
        JOURNAL,
    ),
    "endings": Sum(
        "Calls by outcome, as the journal has them", ("record", "outcome", "outputs"), JOURNAL
    ),
    "outcomes": Sum("Calls by outcome, as their table has them", ("outcome", "outputs"), OUTPUTS),
    "output_days": Sum(
        "Outputs by day and outcome", ("day", "outcome", "outputs"), OUTPUTS, "stack"
    ),
    "verdicts": Sum(
        "Outputs by detector and verdict", ("detector", "status", "outputs"), OUTPUTS, "rows"
    ),
    "by_model": Sum(
        "Outputs by endpoint and model", ("endpoint", "model", "outcome", "outputs"), OUTPUTS
    ),
    "sources": Sum(
        "Curated rows by source and licence",
        ("source", "licence", "rows", "rows_scrubbed", "pii_scrubbed"),
        CURATED,
    ),
    "alerts": Sum("Alerts", ("metric", "severity", "disposition", "alerts"), ALERTS),
}

SECTIONS: Mapping[str, Section] = {
    "access": Section(
        "Who may see what, and under which policy",
        "What each person or service was cleared for, what they asked, and the policy that"
        " answered. The directory narrows what a token says; who has no entry comes in as their"
        " token says, unless the directory is strict. A read is decided first by a look, which"
        " hands nothing over and is counted among the decisions.",
        ("gates",),
        ("revisions", "entries", "changes", "seen", "reads", "handed"),
    ),
    "walls": Section(
        "Walls, crossings and their use",
        "A wall lets nobody through who is not cleared for the other side, but by a crossing that"
        " others approved, for a purpose and a time. For each: who asked, who approved, who went"
        " across, and how often it was used.",
        ("flows", "reasons"),
        ("crossings", "insiders"),
    ),
    "conflicts": Section(
        "Conflict classes",
        "Whoever touches one of several competitors may touch no other of that class. Which"
        " companies compete, and which are restricted, are the firm's own lists.",
        (),
        ("touches", "firm"),
    ),
    "data": Section(
        "Data: licences and personal data",
        "What was let in, under which licence, what curation left of it, and the dataset versions"
        " that models were made from. Personal data scrubbed is what curation's detector found and"
        " replaced before a row was kept. What is left was measured when this was built: a detector"
        " looked at the texts of each version, at all of up to 10,000 rows, and at 10,000 of more,"
        " which the version's fingerprint chooses. 'With findings, at most' is then the upper end"
        " of a one-sided interval of 95 % (Clopper and Pearson, 1934); rows that could not be"
        " scanned count in it. A detector knows patterns: what it cannot find is among what could"
        " not be shown.",
        ("sources",),
        ("residue", "admitted", "curated", "datasets"),
    ),
    "models": Section(
        "Models, their evidence and approvals",
        "Each run, what was registered from it, the evidence that approvers signed, and each"
        " decision about an alias. Nobody approves what they asked for themselves.",
        (),
        ("runs", "models", "parents", "evidence", "approvals", "promotions", "deployments"),
    ),
    "outputs": Section(
        "Outputs by outcome and verdict",
        "What models were asked in the period, and what became of it: an answer was released, held"
        " back or cut off, or the call was denied before its model was asked anything. Detectors"
        " judge the very bytes that are released.",
        ("outcomes", "output_days", "verdicts", "by_model", "endings"),
        (),
    ),
    "incidents": Section(
        "Incidents",
        "Denials, outputs whose row is not what was recorded, outputs held back, answers and reads"
        " cut off, alerts, and logs that were not closed in order. A denial is the platform at"
        " work; many of them are a reason to look. A log that was not closed was left by a process"
        " that was killed, or by a machine that stopped: its records stand, and the next process"
        " opened it again.",
        ("days", "alerts"),
        ("denials", "differing", "held", "aborts", "ended", "alarms", "crashes"),
    ),
    "erasures": Section(
        "Erasures",
        "What was ordered to go, by whose decision, and what was done about it.",
        (),
        ("erasures",),
    ),
}
