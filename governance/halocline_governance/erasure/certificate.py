"""What an order removed, and what no order can remove: from the journal's own records of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from halocline_governance.erasure.order import Placed, Standing, What, plain

FORMAT = "halocline-erasure@1"
_KEPT: Mapping[What, Sequence[str]] = {
    What.SUBJECT: (
        "weights of models that were trained on the rows: retire or train them anew",
        "what such models answered, and answers that quote the person",
        "raw text of other documents that mention the person in clear: halocline erase find lists"
        " their rows, and their source or their own subject key can be ordered",
        "mentions of the person in other documents' curated text: those that the detectors found"
        " are pseudonyms, which the pseudonym key alone can join; any other, such as a plain name,"
        " stands there in clear",
        "the subject key and this order in the journal, as proof that it was carried out",
    ),
    What.SOURCE: (
        "weights of models that were trained on the rows: retire or train them anew",
        "what such models answered",
        "copies of the same texts that came in from other sources",
    ),
    What.OUTPUT: (
        "that the call was made: who, when, which model, which decisions, and commitments that"
        " nobody can open without the key that went with the row",
        "counts and histograms of monitoring windows that it was counted in",
        "reports that show it, named below if there are any: remove them when their term ends",
    ),
}
_ALWAYS = (
    "fingerprints of texts in the memory of services that have run since before: start them again",
    "backups and copies outside this home: rows in them are as they were",
    "names of staff in the journal, kept for the legal term of the record",
)


def certificate(standing: Standing) -> dict[str, Any]:
    """The certificate of an order as plain JSON; `state` says whether it is done."""
    order, done = standing.order, standing.of("done")
    finished: Mapping[str, Any] = done[-1][2]["object"] if done else {}
    exposed = _exposed(standing.of("begin"))
    return {
        "format": FORMAT,
        "state": standing.state,
        "order": order.as_json(),
        "steps": [_step(placed) for placed in standing.steps],
        "removed": list(finished.get("rows", [])),
        "exposed": exposed,
        "retrain_or_retire": _models(exposed),
        "end_endpoints": _endpoints(exposed),
        **_unsure(standing.of("begin")),
        "reports": list(finished.get("reports", [])),
        "not_erased": [*_KEPT[order.what], *_ALWAYS],
        "check": f"halocline audit search --kind erase --text {order.id}",
    }


def text(told: Mapping[str, Any]) -> str:
    """The same for people. No line of it is an order's own words."""
    order: Mapping[str, Any] = told["order"]
    lines = [
        f"Erasure {order['id']}: {told['state']}",
        f"  {order['what']}: {', '.join(order['names'])}",
        f"  why: {order['reason']}",
    ]
    lines += [f"  {s['step']}: {s['subject']}, {s['ts']} ({s['place']})" for s in told["steps"]]
    lines.append("Removed:")
    lines += [
        f"  {row['compartment']}:{row['table']}: {row['rows']} rows" for row in told["removed"]
    ] or ["  nothing"]
    for title, name in (
        ("Models made from it, to be trained anew or retired:", "retrain_or_retire"),
        ("Endpoints that answer with one of them now:", "end_endpoints"),
        ("Could not be told, because its rows cannot be read any more:", "gaps"),
        ("Flagged: the journal contradicts lineage (halocline lineage check):", "flags"),
        ("Models that cannot be excluded: train them anew or retire them too:", "not_excluded"),
        ("Endpoints that answer with one of those now:", "endpoints_not_excluded"),
        ("Reports that show it:", "reports"),
        ("Not erased:", "not_erased"),
    ):
        if told[name]:
            lines += [title, *(f"  {one}" for one in told[name])]
            num = told["more"].get(name, 0)
            lines += [f"  ... and {num} more: halocline lineage check"] if num else []
    if told["end_endpoints"]:
        lines.append("To end an endpoint, stop its process: halocline serve run.")
    return "\n".join(plain(line) for line in [*lines, f"Check: {told['check']}"])


def _step(placed: Placed) -> dict[str, Any]:
    log, seq, event = placed
    return {
        "step": event["object"]["step"],
        "subject": event["subject"],
        "ts": event["ts"],
        "place": f"{log}/{seq}",
        "event_id": event["event_id"],
    }


def _exposed(begun: Sequence[Placed]) -> list[Mapping[str, Any]]:
    """What was made from each thing, as the first beginning knew it: later ones see less."""
    found: dict[str, Mapping[str, Any]] = {}
    for _, _, event in begun:
        for one in event["object"]["exposed"]:
            found.setdefault(str(one["thing"]), one)
    return [found[name] for name in sorted(found)]


def _models(exposed: Sequence[Mapping[str, Any]]) -> list[str]:
    kinds = ("models", "descendants")
    return sorted({str(m) for one in exposed for kind in kinds for m in one[kind]["first"]})


def _endpoints(exposed: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({str(e["endpoint"]) for one in exposed for e in one["endpoints_now"]["first"]})


def _unsure(begun: Sequence[Placed]) -> dict[str, Any]:
    """What could not be told, as the first beginning knew it: what was removed since is told."""
    first: Mapping[str, Any] = begun[0][2]["object"]["unsure"] if begun else {}
    named = {"flags": "flags", "not_excluded": "models", "endpoints_not_excluded": "endpoints_now"}
    bounded = {name: first.get(key, {"num": 0, "first": []}) for name, key in named.items()}
    more = {name: one["num"] - len(one["first"]) for name, one in bounded.items()}
    return {
        "gaps": list(first.get("gaps", [])),
        **{name: list(one["first"]) for name, one in bounded.items()},
        "more": {name: num for name, num in more.items() if num},
    }
