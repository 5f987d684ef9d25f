"""What is written to the journal from now on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from halocline_governance.audit.question import Question
from halocline_governance.audit.search import Found
from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal.evidence import first_of, frames, logs, segments
from halocline_governance.journal.frame import HEAD_BYTES, Flaw


@dataclass(slots=True)
class _Place:
    """How far a log was read."""

    segment: Path
    offset: int
    seq: int


class Follower:
    """Gives each answer once, in the order of its log, from when it is made on.

    Raises:
        JournalCorrupt: a record cannot be read.
    """

    def __init__(self, directory: Path, question: Question) -> None:
        self._directory = directory
        self._question = question
        self._places: dict[str, _Place] = {}
        for folder in logs(directory):
            for last in segments(folder)[-1:]:
                self._places[folder.name] = _Place(last, 0, first_of(last))
                for _ in self._read(folder):
                    pass

    def fresh(self) -> list[Found]:
        """The answers that were written since this was asked last, the newest last."""
        found = [
            Found(folder.name, seq, event)
            for folder in logs(self._directory)
            for seq, payload in self._read(folder)
            if self._question.matches(event := json.loads(payload)["event"])
        ]
        return sorted(found, key=lambda one: one.event["ts"])

    def _read(self, folder: Path) -> Iterator[tuple[int, bytes]]:
        place = self._places.get(folder.name)
        if place is None:
            first = segments(folder)[:1]
            if not first:
                return
            place = self._places[folder.name] = _Place(first[0], 0, 0)
        while True:
            for item in frames(place.segment, place.offset):
                if isinstance(item, Flaw):
                    if item.torn:
                        return  # it is being written
                    where = f"{folder.name} record {place.seq} (byte {item.offset})"
                    raise JournalCorrupt(where, item.what)
                place.offset = item[0] + HEAD_BYTES + len(item[1])
                place.seq += 1
                yield place.seq - 1, item[1]
            after = folder / f"{place.seq:012}.seg"
            if after == place.segment or not after.exists():
                return
            place.segment, place.offset = after, 0
