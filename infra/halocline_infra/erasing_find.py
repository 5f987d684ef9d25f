"""Finding a person's rows, for an officer: only what the officer is cleared for is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Denied
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_infra.platform import Platform

_OUTPUTS, _RAW = "serving.outputs", "raw.documents"


@dataclass(frozen=True, slots=True)
class Row:
    """A raw document that is found.

    Args:
        compartment: where it lies.
        uid: its row id.
        source: where it came from.
        keys: the subject keys that stand on it.
        mentions: whether it is there for its text alone, and not under the value's own key.
    """

    compartment: str
    uid: int
    source: str
    keys: tuple[str, ...]
    mentions: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "compartment": self.compartment,
            "row_uid": str(self.uid),
            "source": self.source,
            "subject_keys": list(self.keys),
        }


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person.

    Args:
        keys: by compartment, subject keys and how many documents are under each. `own` is the one
            that the value itself gives; any other only stands on a raw document that is found, of
            this person or of somebody else.
        mentions: other raw documents whose text holds the value.
        outputs: ids of answers that hold it; None when the read gate opens no output.
        hidden: compartments that the officer is not cleared for, or not for all that is found.
        away: says which tables are not here, where rows may lie; empty for none.
    """

    keys: list[dict[str, Any]]
    mentions: list[Row]
    outputs: list[str] | None
    hidden: int
    away: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "keys": self.keys,
            "mentions": [one.as_json() for one in self.mentions],
            "outputs": self.outputs,
            "hidden": self.hidden,
            "away": self.away or None,
        }


def person(platform: Platform, officer: Principal, value: str) -> Person:
    """Look for a name or an address wherever the officer is cleared.

    Raises:
        StorageUnavailable: a bucket did not answer, or a table cannot be read.
    """
    from halocline_governance.erasure import What, away, officers
    from halocline_infra import scrubbing

    pseudonyms, lake = scrubbing.pseudonyms(platform), platform.lake
    keys, mentions, hidden = list[dict[str, Any]](), list[Row](), 0
    for name in lake.compartments():
        key = pseudonyms.key(name).subject_key(value)
        if not officers.is_cleared(officer, lake, {(name, "")}):
            hidden += 1
            continue
        found = officers.find(officer, lake, What.SUBJECT, [key])
        if not officers.is_cleared(officer, lake, officers.touched(found)):
            hidden += 1
            continue
        own = found.documents.get(name, frozenset())
        keys.append({"compartment": name, "key": key, "documents": len(own), "own": True})
        rows = list(_rows(platform, officer, name, key, _plain(value)))
        others = Counter(other for row in rows for other in set(row.keys) - {key})
        keys += [
            {"compartment": name, "key": other, "documents": num, "own": False}
            for other, num in sorted(others.items())
        ]
        rows = [row for row in rows if row.mentions and row.uid not in own]
        mentions += sorted(rows, key=lambda row: row.uid)
    gone = away.said(officer, lake, away.everywhere(lake, platform.environment.journal))
    return Person(keys, mentions, outputs_with(platform, officer, value), hidden, gone)


def outputs_with(platform: Platform, officer: Principal, value: str) -> list[str] | None:
    """Request ids of the outputs that this officer may read and whose texts hold the value,
    whatever its case; None when the read gate opens no output to them.
    """
    wanted, found = _plain(value), list[str]()
    columns = ["request_id", "prompt", "output"]
    try:
        plan = platform.guard.plan(officer, Purpose.AUDIT, _OUTPUTS, columns)
    except Denied:
        return None
    for batch in platform.guard.batches(plan):
        for row in batch.to_pylist():
            if wanted in _plain(row["prompt"]) or wanted in _plain(row["output"]):
                found.append(row["request_id"])
    return sorted(found)


def _rows(
    platform: Platform, officer: Principal, compartment: str, key: str, wanted: str
) -> Iterator[Row]:
    """Raw rows under the key, and those whose text holds the value. Texts are looked through as
    whoever removes rows sees them, past the guard: of a row its id, its source and its keys are
    told, and that only within the clearance."""
    lake = platform.lake
    if not lake.exists(compartment, _RAW):
        return
    labels = lake.labels(compartment)
    seen = {id_ for id_, label in labels.items() if label <= officer.clearance}
    place = lake.location(compartment, _RAW)
    columns = ["row_uid", "label_id", "source", "subject_keys", "text"]
    with place.reached():
        for batch in place.delta().to_pyarrow_dataset().to_batches(columns=columns):
            for row in batch.to_pylist():
                keys = tuple[str, ...](row["subject_keys"] or ())
                if row["label_id"] not in seen:
                    continue
                if key in keys or wanted in _plain(row["text"]):
                    yield Row(compartment, row["row_uid"], row["source"], keys, key not in keys)


def _plain(text: str) -> str:
    """Whatever its case, and however its words are spaced."""
    return " ".join(text.casefold().split())
