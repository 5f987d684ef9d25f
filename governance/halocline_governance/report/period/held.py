"""Holds a row of `serving.outputs` to what the journal was told of it.

Tables are read before the journal, so of each row a sketch is kept: short hashes of all that its
record has, in the order of `NAMES`. Two sketches differ where row and record do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from halocline_governance.records import InferenceRecord, Kind
from halocline_governance.report.period.field import at
from halocline_governance.report.record import Entry

COLUMNS = tuple(one.name for one in fields(InferenceRecord))
"""What is read of each output: all of it, since the record commits to all of it."""

_TEXTS = ("prompt", "output", "released", "row")
NAMES = (*COLUMNS, *_TEXTS)
"""What a record may tell in clear, then what it commits to; `row` stands for every column that it
tells in neither way."""

MORE_THAN_ONE = b"more than one row"
"""The sketch of a request that has more than one row."""

_SIZE = 12  # bytes of one hash: who forges a row must find another one of the same, 2**96 tries
_NOTHING = b""


def sketch(row: Mapping[str, Any]) -> bytes:
    """Of a row with all `COLUMNS`; of one that is no record of an output, the same for all."""
    try:
        record = InferenceRecord(**{name: row[name] for name in COLUMNS})
        own = record.commitment()
        for name in ("prompt", "output"):
            named = row[f"{name}_sha256"]
            text = str(row[name]).encode("utf-8", "surrogatepass")
            if named and named != hashlib.sha256(text).hexdigest():
                own["commitments"][name] = "of another text"
    except (KeyError, TypeError, ValueError):
        return _NOTHING
    return _sketch(own)


def differences(kept: bytes, told: Mapping[str, Any]) -> list[str]:
    """In what a row is not what was recorded: column names, or `row` where no other has a name.

    Args:
        kept: the row's sketch.
        told: the object of its `generate` or `abort` event.
    """
    if kept == MORE_THAN_ONE:
        return ["more than one row"]
    recorded = _sketch(told)
    if len(kept) != len(recorded):
        return ["row"]
    changed = [
        name
        for n, name in enumerate(NAMES)
        if kept[n * _SIZE : (n + 1) * _SIZE] != recorded[n * _SIZE : (n + 1) * _SIZE]
    ]
    return [*dict.fromkeys(name for name in changed if name != "row")] or changed


@dataclass(slots=True)
class Held:
    """The rows that were read, while the journal is: which of them it knows, and which it tells
    otherwise.

    Args:
        rows: the sketch of each output of the period, by request.
        known: of those, the requests that the journal tells of, at whatever time.
        differing: of those, the newest record of each that none of its records is the row of, and
            in what.
    """

    rows: Mapping[str, bytes]
    known: set[str] = field(default_factory=set[str])
    differing: dict[str, tuple[Entry, list[str]]] = field(
        default_factory=dict[str, tuple[Entry, list[str]]]
    )
    _same: set[str] = field(default_factory=set[str])

    def see(self, entry: Entry) -> None:
        """The next entry of the journal."""
        if entry.kind not in (Kind.GENERATE, Kind.ABORT):
            return
        request = str(entry.object.get("request_id"))
        kept = self.rows.get(request)
        if kept is None:
            return
        self.known.add(request)
        if changed := differences(kept, entry.object):
            if request not in self._same:
                self.differing[request] = entry, changed
        else:
            self._same.add(request)
            self.differing.pop(request, None)


def joined(parts: Iterable[Mapping[str, bytes]]) -> dict[str, bytes]:
    """The sketches of all compartments."""
    found: dict[str, bytes] = {}
    for part in parts:
        for request, kept in part.items():
            found[request] = MORE_THAN_ONE if request in found else kept
    return found


def _sketch(told: Mapping[str, Any]) -> bytes:
    commitments = at(told, "commitments")
    values = [*map(told.get, COLUMNS), *map(commitments.get, _TEXTS)]
    return b"".join(map(_short, values))


def _short(value: object) -> bytes:
    plain = value if type(value) is str else json.dumps(value, sort_keys=True) + "\n"
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()
