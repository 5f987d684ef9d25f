"""Deployments held against promotions: who let an alias mean a version, from when, until when.

The journal's promotions, in the order of the ledger, say which intervals there must be. A row of
the ledger that was journaled, and then not written because its process was killed, has a later one
with its number: that one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from halocline_governance.lineage.checks_told import Record, Told
from halocline_governance.lineage.keyed import Row

Found = Iterator[tuple[str, str, str, tuple[str, ...]]]
"""What it is about, as a node of a trace, the finding's kind, what, the records that say so."""


@dataclass(slots=True)
class _Wanted:
    """An interval that the journal tells of."""

    record: Record
    ends: str | None = None


def deployments(rows: Iterable[Row], heard: Told) -> Found:
    """What is wrong with recorded deployments, and which promotions have none."""
    wanted = {at: _intervals(records) for at, records in _promotions(heard).items()}
    recorded: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        recorded[row["endpoint"]].append(row)
    for endpoint in sorted(recorded.keys() | wanted.keys()):
        mine = sorted(recorded[endpoint], key=lambda row: (row["from_ts"], row["to_ts"] or "~"))
        yield from _of_endpoint(endpoint, mine, wanted.get(endpoint, {}))


def _promotions(heard: Told) -> Mapping[str, list[Record]]:
    """What the ledger has, by endpoint, in its order."""
    found: dict[str, list[Record]] = defaultdict(list)
    for records in heard.promoted.values():
        for record in records:
            newest = heard.ledger.get(record.what["seq"], record)
            if newest.event_id == record.event_id and record.what["decision"]["allow"] is True:
                found[f"{record.what['model']}@{record.what['alias']}"].append(record)
    for records in found.values():
        records.sort(key=lambda one: (one.what["seq"], one.what["ts"]))
    return found


def _intervals(records: Sequence[Record]) -> dict[str, _Wanted]:
    """By decision. Promoting what an alias means already begins nothing."""
    found: dict[str, _Wanted] = {}
    current: _Wanted | None = None
    for record in records:
        if current is not None and _model(current.record.what) == _model(record.what):
            continue
        if current is not None:
            current.ends = record.what["ts"]
        current = found[record.what["decision"]["id"]] = _Wanted(record)
    return found


def _of_endpoint(endpoint: str, rows: Sequence[Row], wanted: Mapping[str, _Wanted]) -> Found:
    deployed: set[str] = set()
    for n, row in enumerate(rows):
        about = f"deployment:{endpoint}/{row['from_ts']}"
        known = wanted.get(row["decision_id"])
        if n and (rows[n - 1]["to_ts"] is None or rows[n - 1]["to_ts"] > row["from_ts"]):
            what = f"{endpoint}: the deployment before it had not ended"
            yield about, "deployment_overlap", what, ()
        deployed.add(row["decision_id"])
        if known is None:
            what = f"{endpoint}: no record of such a promotion"
            yield about, "deployment_not_promoted", what, ()
            continue
        if _model(known.record.what) != _model(row):
            what = f"{endpoint}: it was promoted with another version"
            yield about, "deployment_not_promoted", what, (known.record.event_id,)
            continue
        yield from ((about, *one) for one in _times(endpoint, row, known))
    for decision_id, one in wanted.items():
        if decision_id not in deployed:
            what = f"{endpoint}: it was promoted, and lineage has no such deployment"
            about = f"model:{_model(one.record.what)}"
            yield about, "promotion_not_deployed", what, (one.record.event_id,)


def _times(endpoint: str, row: Row, known: _Wanted) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    kind, records, then = "deployment_times", (known.record.event_id,), known.record.what["ts"]
    if row["from_ts"] != then:
        yield (
            kind,
            f"{endpoint}: it begins at {row['from_ts']}, the promotion was at {then}",
            records,
        )
    if row["to_ts"] != known.ends:
        until = known.ends or "nobody promoted another version since"
        yield kind, f"{endpoint}: it ends at {row['to_ts'] or 'no time'}, by the journal: {until}",\
            records  # fmt: skip


def _model(what: Mapping[str, object]) -> str:
    return f"{what['model']}/{what['version']}"
