"""The fields of each kind of statement, made from the records it cites and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from halocline_governance.records import Kind
from halocline_governance.report.period.field import (
    about,
    allowed,
    at,
    body,
    counts,
    grants,
    items,
    label,
    reasons,
    resource,
    text,
    words,
)
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period

Fields = dict[str, Any]


def _when(entry: Entry) -> Fields:
    return {"ts": str(entry.event["ts"]), "subject": str(entry.event["subject"])}


def _why(entry: Entry) -> Fields:
    return {**_when(entry), "purpose": str(entry.event["purpose"])}


def revision(entries: Sequence[Entry], _: Period) -> Fields:
    first, last = entries
    told = {str(at(entry.object, "answer").get("revision", "")) for entry in entries}
    span = {"first": str(first.event["ts"]), "last": str(last.event["ts"])}
    return {"revision": " and ".join(sorted(told)) or "none", **span}


def entry(entries: Sequence[Entry], _: Period) -> Fields:
    after = at(entries[-1].object, "after")
    return {
        "subject": text(after.get("subject")),
        "roles": words(after.get("roles")),
        "clearance": label(after["clearance"]) if after.get("clearance") else "as the token says",
        "disabled": after.get("disabled") is True,
        "owner": text(after.get("owner")),
        "since": str(entries[-1].event["ts"]),
        "by": str(entries[-1].event["subject"]),
    }


def change(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    before, after = at(told, "before"), at(told, "after")
    names = sorted(n for n in {*before, *after} if before.get(n) != after.get(n))
    return {
        **_when(entries[0]),
        "outcome": text(told.get("outcome")),
        "of": text((after or before).get("subject")),
        "changed": ", ".join(names) if before and after else "removed" if before else "added",
    }


def seen(entries: Sequence[Entry], _: Period) -> Fields:
    who = at(entries[0].object, "input", "principal")
    return {
        "subject": str(entries[0].event["subject"]),
        "roles": words(who.get("roles")),
        "clearance": label(who.get("clearance")),
        "newest": str(entries[0].event["ts"]),
    }


def reads(entries: Sequence[Entry], _: Period) -> Fields:
    entry = entries[0]
    asked = resource(entry)
    table, compartment = asked.get("table"), text(asked.get("compartment"))
    if entry.kind == Kind.READ:
        table = at(entry.object, "plan").get("table")
        compartment = words([text(one.get("compartment")) for one in grants(entry)])
    return {
        "subject": str(entry.event["subject"]),
        "purpose": str(entry.event["purpose"]),
        "table": text(table),
        "compartment": compartment,
        "newest": str(entry.event["ts"]),
    }


def denied(entries: Sequence[Entry], _: Period) -> Fields:
    entry = entries[0]
    gate = text(entry.object.get("gate"))
    told = {"gate": gate, "about": about(entry), "reasons": ", ".join(reasons(entry))}
    return {**_why(entry), **told}


def touch(entries: Sequence[Entry], _: Period) -> Fields:
    obligations = at(entries[0].object, "answer", "obligations")
    gate = text(entries[0].object.get("gate"))
    touched = words(obligations.get("touches"))
    return {**_why(entries[0]), "gate": gate, "touches": touched, "about": about(entries[0])}


def firm(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    return {
        **_when(entries[0]),
        "step": text(told.get("step")),
        "names": words(told.get("names")),
        "facts_after": text(told.get("after")),
    }


def ingest(entries: Sequence[Entry], _: Period) -> Fields:
    asked = resource(entries[0])
    return {
        **_when(entries[0]),
        "source": text(asked.get("source")),
        "licence": text(at(asked, "licence").get("expression")),
        "compartment": text(asked.get("compartment")),
        "allowed": allowed(entries[0]),
        "reasons": ", ".join(reasons(entries[0])),
    }


def curated(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    names = {"run_id": "run_id", "compartment": "compartment", "kept": "kept"}
    names["pii_scrubbed"] = "num_pii"
    lost = {name: counts(told.get(name) or 0) for name in ("dropped", "quarantined")}
    said = {name: text(told.get(field)) for name, field in names.items()}
    return {**_when(entries[0]), **said, **lost}


def dataset(entries: Sequence[Entry], _: Period) -> Fields:
    decisions = [entry for entry in entries if entry.kind == Kind.DECISION]
    if not decisions:
        return {"ts": "", "subject": "not on record", "purpose": ""}
    return _why(decisions[0])


def residue(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    found = at(told, "residue")
    names = ("rows", "scanned", "unscanned", "with_findings", "at_most")
    place = f"{text(told.get('compartment'))}:{text(told.get('table'))}"
    of = text(found.get("dsv_id"))
    return {
        "what": f"{of or 'all that was read'}, {place} version {text(told.get('version'))}",
        **{name: found.get(name) for name in names},
        "kinds": counts(found.get("kinds")) or "none",
        "detector": text(found.get("detector")),
    }


def run(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    inputs = [
        f"{one.get('compartment')}:{one.get('table')} version {text(one.get('version'))},"
        f" {text(one.get('num_rows'))} rows"
        for one in items(told.get("inputs"))
    ]
    weighed = [
        f"{text(one.get('name'))} with weight {text(one.get('weight'))}"
        for one in items(at(told, "mixture").get("sources"))
    ]
    consumed = [
        f"{text(one.get('num_consumed'))} sequences of {text(one.get('dsv_id'))[:12]}"
        for one in items(told.get("consumed"))
    ]
    steps = {"begun from": inputs, "mixed": weighed, "consumed": consumed}
    says = "; ".join(f"{step} {', '.join(of)}" for step, of in steps.items() if of)
    more = {name: value for name, value in told.items() if name != "run_id"}
    return {**_when(entries[0]), "run_id": text(told.get("run_id")), "says": text(says or more)}


def model(entries: Sequence[Entry], _: Period) -> Fields:
    told = body(entries[0]) or entries[0].object
    names = ("model", "version", "weights_sha256", "run_id")
    said = {name: text(told.get(name)) for name in names}
    return {**_when(entries[0]), **said, "label": label(told.get("label"))}


def evidence(entries: Sequence[Entry], _: Period) -> Fields:
    told = body(entries[0])
    evidence = at(told, "evidence")
    evaluation, leak = at(evidence, "evaluation"), at(evidence, "leak")
    return {
        **_when(entries[0]),
        "request": text(told.get("request")),
        "perplexity": text(evaluation.get("perplexity")),
        "canaries_extracted": f"{text(leak.get('extracted'))} of {text(leak.get('canaries'))}",
        "licences": words(at(evidence, "licence").get("licences")),
        "toxic_rows": text(at(evidence, "scans").get("toxic_rows")),
        "evidence_sha256": text(told.get("evidence_sha256")),
    }


def approval(entries: Sequence[Entry], _: Period) -> Fields:
    told = body(entries[0]) or entries[0].object
    given = at(told, "approval")
    return {
        **_when(entries[0]),
        "request": text(told.get("request")),
        "roles": words(given.get("roles")),
        "evidence_sha256": text(given.get("evidence_sha256") or told.get("evidence_sha256")),
    }


def promotion(entries: Sequence[Entry], _: Period) -> Fields:
    asked = resource(entries[0])
    model = at(asked, "model")
    given = asked.get("approvals")
    approvals = cast("list[object]", given) if isinstance(given, list) else []
    return {
        "ts": str(entries[0].event["ts"]),
        "model": text(model.get("name")),
        "version": text(model.get("version")),
        "alias": text(asked.get("alias")),
        "requester": text(asked.get("requester")),
        "approvers": ", ".join(sorted(text(at(one).get("subject")) for one in approvals)),
        "allowed": allowed(entries[0]),
        "reasons": ", ".join(reasons(entries[0])),
        "weights_sha256": text(model.get("weights_sha256")),
    }


def deployment(entries: Sequence[Entry], _: Period) -> Fields:
    decisions = [entry for entry in entries if entry.kind == Kind.DECISION]
    return {"decided": str(decisions[0].event["ts"]) if decisions else "not on record"}


def nothing(entries: Sequence[Entry], _: Period) -> Fields:
    """A row that a table alone tells; what it cites is the table's fingerprint."""
    return {}


def answer(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    names = ("request_id", "endpoint", "model", "model_version", "outcome", "finish_reason")
    return {**_when(entries[0]), **{name: text(told.get(name)) for name in names}}


def differing(entries: Sequence[Entry], _: Period) -> Fields:
    """What was recorded of the output; in what its row differs, the table tells."""
    entry = next(one for one in entries if one.kind in (Kind.GENERATE, Kind.ABORT))
    told = entry.object
    names = ("request_id", "endpoint")
    model = f"{text(told.get('model'))} v{text(told.get('model_version'))}"
    return {
        **_when(entry),
        **{name: text(told.get(name)) for name in names},
        "recorded": f"{text(told.get('outcome'))}, {model}",
    }


def ended(entries: Sequence[Entry], _: Period) -> Fields:
    told = at(entries[0].object, "ended")
    names = {"table": text(told.get("table")), "code": text(told.get("code"))}
    return {**_why(entries[0]), **names, "reasons": words(told.get("reasons"))}


def crash(entries: Sequence[Entry], _: Period) -> Fields:
    last, opened = entries
    return {
        "log": opened.log,
        "last_record": f"{last.kind} at {last.event['ts']}",
        "opened_again": str(opened.event["ts"]),
    }


def alarm(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    names = {name: text(told.get(name)) for name in ("window_id", "compartment", "num_outputs")}
    return {"ts": str(entries[0].event["ts"]), **names, "alerts": words(told.get("alerts"))}


def erasure(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    order = at(told, "order")
    return {
        **_when(entries[0]),
        "step": text(told.get("step")),
        "order": text(order.get("id") if order else told.get("order")),
        "what": text(order.get("what")),
        "names": words(order.get("names")),
        "reason": text(order.get("reason")),
        "says": _erased(told),
    }


def _erased(told: Mapping[str, Any]) -> str:
    """What a step of an erasure tells besides its order."""
    rows = [
        f"{text(one.get('rows'))} rows of {text(one.get('compartment'))}:{text(one.get('table'))}"
        for one in items(told.get("rows"))
    ]
    reached = [
        f"{text(one.get('thing'))}: " + (", ".join(_reached(one)) or "nothing was made from it")
        for one in items(told.get("exposed"))
    ]
    shown_by = told.get("reports")
    parts = {
        "rows: ": ", ".join(rows),
        "reached ": "; ".join(reached),
        "shown by reports: ": words(shown_by) if shown_by else "",
    }
    return text("; ".join(name + part for name, part in parts.items() if part))


def _reached(one: Mapping[str, Any]) -> list[str]:
    """What was made from a thing, counted."""
    counted = {name: at(value) for name, value in sorted(one.items())}
    return [
        f"{text(told['num'])} {name.replace('_', ' ')}"
        for name, told in counted.items()
        if told.get("num")
    ]


def handed(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    hashes = {name: value for name, value in told.items() if name.endswith("sha256")}
    first = [name for name in ("json_sha256", "content_sha256") if name in hashes]
    rest = {name: value for name, value in told.items() if name not in hashes}
    hashed = {
        "json_sha256": "the JSON file",
        "content_sha256": "what it says, before it is written",
    }
    return {
        **_when(entries[0]),
        "what": _report(rest),
        "hash_of": hashed[first[0]] if first else "",
        "sha256": text(hashes.get(first[0])) if first else "",
    }


def _report(told: Mapping[str, Any]) -> str:
    """Which report or export was handed over."""
    for name, what in (("period", "report of a period"), ("crossings", "register of crossings")):
        if span := at(told, name):
            duty = f", {text(told['duty'])}" if "duty" in told else ""
            return f"{what}, {text(span.get('from'))} up to {text(span.get('to'))}{duty}"
    if "request_id" in told:
        return f"report of output {text(told['request_id'])}"
    return counts(told)


def rekeyed(entries: Sequence[Entry], _: Period) -> Fields:
    told = entries[0].object
    return {
        "ts": str(entries[0].event["ts"]),
        "log": entries[0].log,
        "by": text(told.get("by")),
        "key": text(told.get("key")),
    }
