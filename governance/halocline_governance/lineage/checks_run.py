"""One run, and one dataset version, held against what the guard handed out and the gates allowed.

Gives triples: the check's name, what is wrong, the ids of the records that say so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from halocline_governance.errors import MalformedLabel
from halocline_governance.label import join, parse
from halocline_governance.lineage.checks_told import Object, Record, Told
from halocline_governance.lineage.keyed import Row
from halocline_governance.refs import DatasetRef

Found = Iterator[tuple[str, str, tuple[str, ...]]]
_ROWS = ("label_ids", "num_rows", "fingerprint")
_IDENTITY = ("table", "compartment", "version", *_ROWS)


def reference(row: Mapping[str, Any]) -> DatasetRef:
    """A dataset version as it is declared or recorded."""
    fields = {name: row[name] for name in _IDENTITY}
    fields["label_ids"] = tuple(row["label_ids"])
    return DatasetRef(**fields, decision_id=row["decision_id"])


def label_id(value: object) -> str | None:
    """Of a label in a record; None when it is none."""
    try:
        return parse(value).label_id
    except MalformedLabel:
        return None


def handed(row: Mapping[str, Any], heard: Told, subject: str | None = None) -> Found:
    """What is wrong with a declared dataset version, by what the guard recorded for its decision.

    Args:
        row: table, compartment, version, label_ids, num_rows, fingerprint, decision_id.
        heard: what the journal tells.
        subject: who must have read it; anybody when left out.
    """
    place = f"{row['compartment']}:{row['table']} version {row['version']}"
    reads = [
        read for read in heard.reads.get(row["decision_id"], ())
        if subject in (None, read.subject)
    ]  # fmt: skip
    if not reads:
        yield "no_read_record", f"{place}: the guard handed nothing out for training under its"\
            f" decision {row['decision_id']}", ()  # fmt: skip
        return
    records = tuple(read.event_id for read in reads)
    where = [read for read in reads if _is_at(read.what, row)]
    if not where:
        had = reads[0].what
        yield "inputs", f"declared {place}, but the guard handed out"\
            f" {had['compartment']}:{had['table']} version {had['version']}", records  # fmt: skip
        return
    if not any(_granted(read.what, row["label_ids"]) for read in where):
        yield "labels", f"{place}: it names labels that were not granted", records
    named = [one for one in heard.named.get(row["decision_id"], ()) if _is_at(one.what, row)]
    if not named:
        yield "rows", f"{place}: no record of which rows were handed out", records
        return
    if not any(_same(one.what, row, _ROWS) for one in named):
        last = named[-1].what
        differ = ", ".join(n.replace("_", " ") for n in _ROWS if not _same(last, row, (n,)))
        yield "rows", f"{place}: the guard handed out other rows ({differ})",\
            tuple(one.event_id for one in named)  # fmt: skip


def run(run_id: str, rows: Sequence[Row], mixture: Row | None, heard: Told) -> Found:
    """What is wrong with a recorded run."""
    if run_id not in heard.begun:
        yield "no_train_record", "no record of its beginning", ()
        return
    begun = heard.begun[run_id][-1]
    declared = {one["dsv_id"]: one for one in begun.what["inputs"]}
    recorded = {row["dsv_id"] for row in rows}
    for dsv_id in sorted(recorded ^ declared.keys()):
        told = "in lineage and not among its declared inputs" if dsv_id in recorded else (
            "declared as an input and not in lineage")  # fmt: skip
        yield "inputs", f"dataset version {dsv_id} is {told}", (begun.event_id,)
    for dsv_id, one in sorted(declared.items()):
        if reference(one).dsv_id != dsv_id:
            yield "inputs", f"declared {dsv_id}, which is not the hash of what it declares",\
                (begun.event_id,)  # fmt: skip
        for name, what, records in handed(one, heard, begun.subject):
            yield name, what, (begun.event_id, *records)
    yield from _admitted(begun, declared, heard)
    yield from _mixed(run_id, rows, mixture, heard)
    yield from _consumed(run_id, rows, heard)


def _admitted(begun: Record, declared: Mapping[str, Object], heard: Told) -> Found:
    """The train gate allowed exactly these inputs, and the label is their join."""
    decisions = heard.decisions.get(str(begun.what.get("decision_id")), [])
    allowed = [one for one in decisions if one.what["answer"].get("allow") is True]
    if not allowed:
        yield "no_train_decision", "no decision of the train gate allowed it", (begun.event_id,)
        return
    asked = allowed[-1].what["input"]["resource"]
    records = (begun.event_id, allowed[-1].event_id)
    asked_for = sorted((i["compartment"], i["table"], i["version"], tuple(sorted(i["labels"])))
                       for i in asked["inputs"])  # fmt: skip
    named = sorted((i["compartment"], i["table"], i["version"], tuple(sorted(i["label_ids"])))
                   for i in declared.values())  # fmt: skip
    if asked_for != named:
        yield "inputs", "the train gate was asked about other inputs", records
    ids = {one for source in declared.values() for one in source["label_ids"]}
    if not ids <= heard.labels.keys():
        yield "label", "it declares labels that the train gate never saw", records
        return
    whole = join(heard.labels[one] for one in ids).label_id
    if not whole == label_id(begun.what.get("label")) == label_id(asked.get("label")):
        yield "label", "its label is not the join of its inputs' labels", records


def _mixed(run_id: str, rows: Sequence[Row], mixture: Row | None, heard: Told) -> Found:
    mixed, sha = heard.mixed.get(run_id, []), rows[0]["mix_sha"]
    if not mixed or mixed[-1].what["mixture_sha256"] != sha:
        told = mixed[-1].what["mixture_sha256"] if mixed else "none"
        records = tuple(one.event_id for one in mixed[-1:])
        yield "mixture", f"lineage says mixture {sha}, its record says {told}", records
    if len({row["mix_sha"] for row in rows}) > 1:
        yield "mixture", "lineage names several mixtures for it", ()
    if mixture is None:
        yield "mixture", f"mixture {sha} is not on record", ()
        return
    shares = {source["dsv_id"]: source["weight"] for source in mixture["sources"]}
    if shares.keys() != {row["dsv_id"] for row in rows} or any(
        not math.isclose(shares[row["dsv_id"]], row["weight"]) for row in rows
    ):
        yield "mixture", "its sources and weights are not those of its mixture", ()
    elif not _says(mixture["mixture"], shares):
        yield "mixture", "the mixture's sources are not those of its canonical JSON", ()


def _says(canonical: str, shares: Mapping[str, float]) -> bool:
    """Whether a mixture's own words give these shares; one that names no sources says nothing."""
    try:
        sources = json.loads(canonical).get("sources", [])
    except ValueError:
        return False
    total = sum(source["weight"] for source in sources)
    said = {source["dsv_id"]: source["weight"] / total for source in sources}
    return not said or (
        said.keys() == shares.keys()
        and all(math.isclose(said[dsv_id], share) for dsv_id, share in shares.items())
    )


def _consumed(run_id: str, rows: Sequence[Row], heard: Told) -> Found:
    ended = heard.ended.get(run_id)
    if not ended:
        yield "no_end_record", "no record of what it consumed", ()
        return
    said = {
        one["dsv_id"]: (one["num_sequences"], one["num_consumed"])
        for one in ended[-1].what["consumed"]
    }
    if said != {row["dsv_id"]: (row["num_sequences"], row["num_consumed"]) for row in rows}:
        yield "consumed", "lineage counts other sequences than its record", (ended[-1].event_id,)


def _is_at(what: Object, row: Mapping[str, Any]) -> bool:
    return all(what[name] == row[name] for name in ("table", "compartment", "version"))


def _granted(grant: Object, label_ids: Sequence[str]) -> bool:
    """Of a grant of very many labels the record has a hash alone; the train gate saw each."""
    return set(label_ids) <= set(grant["label_ids"]) or not grant["label_ids"]


def _same(what: Object, row: Mapping[str, Any], names: Sequence[str]) -> bool:
    return all(
        list(what[name]) == list(row[name]) if name == "label_ids" else what[name] == row[name]
        for name in names
    )
