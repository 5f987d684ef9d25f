"""Deployments held against promotions: who let an alias mean a version, from when, until when.

The journal's promotions, in the order of the ledger, say which intervals there must be. A row of
the ledger that was journaled, and then not written because its process was killed, has a later one
with its number: that one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from halocline_governance.lineage.checks_told import Record, Told
from halocline_governance.lineage.keyed import Row

Found = Iterator[tuple[str, str, str, tuple[str, ...]]]
"""What it is about, as a node of a trace, the finding's kind, what, the records that say so."""


def deployments(rows: Iterable[Row], heard: Told) -> Found:
    """What is wrong with recorded deployments, and which promotions have none."""
    wanted = {at: _beginnings(records) for at, records in _promotions(heard).items()}
    recorded: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        recorded[row["endpoint"]].append(row)
    for endpoint in sorted(recorded.keys() | wanted.keys()):
        mine = sorted(recorded[endpoint], key=lambda row: (row["from_ts"], row["to_ts"] or "~"))
        yield from _of_endpoint(endpoint, mine, wanted.get(endpoint, []))


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


def _beginnings(records: Iterable[Record]) -> list[Record]:
    """Promoting what an alias means already begins nothing."""
    found: list[Record] = []
    for record in records:
        if not found or _model(found[-1].what) != _model(record.what):
            found.append(record)
    return found


def _of_endpoint(endpoint: str, rows: Sequence[Row], wanted: Sequence[Record]) -> Found:
    deployed = {row["decision_id"] for row in rows}
    places = {_decision(record): n for n, record in enumerate(wanted)}
    for n, row in enumerate(rows):
        about = f"deployment:{endpoint}/{row['from_ts']}"
        if n and (rows[n - 1]["to_ts"] is None or rows[n - 1]["to_ts"] > row["from_ts"]):
            what = f"{endpoint}: the deployment before it had not ended"
            yield about, "deployment_overlap", what, ()
        at = places.get(row["decision_id"])
        if at is None:
            what = f"{endpoint}: no record of such a promotion"
            yield about, "deployment_not_promoted", what, ()
            continue
        records = (wanted[at].event_id,)
        if _model(wanted[at].what) != _model(row):
            what = f"{endpoint}: it was promoted with another version"
            yield about, "deployment_not_promoted", what, records
            continue
        for what in _times(row, wanted[at], _ends(wanted[at + 1 :], deployed)):
            yield about, "deployment_times", f"{endpoint}: {what}", records
    for record in wanted:
        if _decision(record) not in deployed:
            what = f"{endpoint}: it was promoted, and lineage has no such deployment"
            about = f"model:{_model(record.what)}"
            yield about, "promotion_not_deployed", what, (record.event_id,)


def _ends(following: Iterable[Record], deployed: Collection[str]) -> list[str | None]:
    """When an interval may end: at the next promotion. One that lineage has lost, or never heard
    of, is told on its own, whether the interval ends at it or at the one after it."""
    found: list[str | None] = []
    for record in following:
        found.append(record.what["ts"])
        if _decision(record) in deployed:
            return found
    return [*found, None]


def _times(row: Row, known: Record, ends: Sequence[str | None]) -> Iterator[str]:
    if row["from_ts"] != known.what["ts"]:
        yield f"it begins at {row['from_ts']}, the promotion was at {known.what['ts']}"
    if row["to_ts"] not in ends:
        until = ends[0] or "nobody promoted another version since"
        yield f"it ends at {row['to_ts'] or 'no time'}, by the journal: {until}"


def _decision(record: Record) -> str:
    return record.what["decision"]["id"]


def _model(what: Mapping[str, object]) -> str:
    return f"{what['model']}/{what['version']}"
