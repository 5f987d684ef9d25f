"""The outputs of a period, each held to what the journal was told of it.

Tables are read before the journal, so of each row a sketch is kept: see `lineage.checks_held`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from halocline_governance.lineage.checks_held import COLUMNS, MORE_THAN_ONE, differences, sketch
from halocline_governance.records import Kind
from halocline_governance.report.record import Entry

__all__ = ["COLUMNS", "MORE_THAN_ONE", "Held", "joined", "sketch"]


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
