"""One segment of a log, read without parsing more of it than is asked for."""

from __future__ import annotations

import json
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal.evidence import first_of, segments
from halocline_governance.journal.frame import MAX_PAYLOAD_BYTES

_HEAD = struct.Struct("<II")
_TS = b'"ts":"'
_TS_END = len(_TS) + len("2026-11-21T13:57:32.000000Z")


def backwards(folder: Path) -> Iterator[Segment]:
    """The segments of a log, the last first, each read when it is come to."""
    after: int | None = None
    for path in reversed(segments(folder)):
        yield Segment(path, after)
        after = first_of(path)


def forwards(folder: Path) -> Iterator[Segment]:
    """The segments of a log, the first first, each read when it is come to."""
    named = segments(folder)
    for path, following in zip_longest(named, named[1:]):
        yield Segment(path, first_of(following) if following else None)


class Segment:
    """The whole frames of one segment, as they were when it was first asked of them.

    Args:
        after: number of the first record of the next segment; None for the last segment, which may
            end in an unfinished frame.
    """

    def __init__(self, path: Path, after: int | None = None) -> None:
        self.log = path.parent.name
        self.first = first_of(path)
        self._path = path
        self._after = after
        self._bytes: bytes | None = None
        self._places: list[int] | None = None

    @property
    def num_records(self) -> int:
        """Raises JournalCorrupt when that cannot be told."""
        return len(self._starts()) - 1

    def holding(self, needles: tuple[bytes, ...]) -> Iterator[int]:
        """The records that hold all of these bytes, by number within the segment, the last first.

        Raises:
            JournalCorrupt: one frame does not follow on another.
        """
        data = self._data()
        if any(needle not in data for needle in needles):
            return
        starts = self._starts()
        if not needles:
            yield from range(len(starts) - 2, -1, -1)
            return
        driver, *others = needles
        end = starts[-1]
        while (at := data.rfind(driver, 0, end)) >= 0:
            number = bisect_right(starts, at) - 1
            end, stop = starts[number], starts[number + 1]
            # Where a frame's head takes part in the match, the payload may yet hold one.
            held = data.find(driver, end + _HEAD.size, stop) >= 0
            if held and all(data.find(one, end, stop) >= 0 for one in others):
                yield number

    def time(self, number: int) -> str:
        """When the event of this record happened, without parsing it."""
        starts, data = self._starts(), self._data()
        # `ts` is the event's last member, and nothing after it is a string that others choose.
        at = data.rfind(_TS, starts[number], starts[number + 1])
        return data[at + len(_TS) : at + _TS_END].decode("ascii", "replace")

    def payload(self, number: int) -> bytes:
        """The record as it was written.

        Raises:
            JournalCorrupt: its checksum does not match.
        """
        starts, data = self._starts(), self._data()
        begin, stop = starts[number], starts[number + 1]
        payload = data[begin + _HEAD.size : stop]
        if zlib.crc32(payload) != _HEAD.unpack_from(data, begin)[1]:
            raise self._corrupt(number, "the record's checksum does not match")
        return payload

    def event(self, number: int) -> dict[str, Any]:
        """The event of this record.

        Raises:
            JournalCorrupt: it is not what was written.
        """
        try:
            return json.loads(self.payload(number))["event"]
        except (ValueError, TypeError, KeyError):
            raise self._corrupt(number, "the record is not a journal record") from None

    def _data(self) -> bytes:
        if self._bytes is None:
            self._bytes = self._path.read_bytes()
        return self._bytes

    def _starts(self) -> list[int]:
        """Where each record begins, and where the last one ends."""
        if self._places is None:
            self._places = self._walk()
        return self._places

    def _walk(self) -> list[int]:
        data = self._data()
        at, end, starts = 0, len(data), list[int]()
        unpack, size = _HEAD.unpack_from, _HEAD.size
        while at + size <= end:
            length, _ = unpack(data, at)
            if not 0 < length <= MAX_PAYLOAD_BYTES:
                break
            if at + size + length > end:
                break
            starts.append(at)
            at += size + length
        starts.append(at)
        if self._after is None and starts[:-1] and self._is_torn(starts[-2]):
            del starts[-1]
        elif self._after is not None and (at, self.first + len(starts) - 1) != (end, self._after):
            self._places = starts
            raise self._corrupt(len(starts) - 1, "the segment does not lead to the next one")
        elif at + size <= end and data[at:].strip(b"\x00"):
            length, _ = unpack(data, at)
            if not 0 < length <= MAX_PAYLOAD_BYTES:
                self._places = starts
                raise self._corrupt(len(starts) - 1, "impossible record length")
        return starts

    def _is_torn(self, at: int) -> bool:
        """Whether the last frame was cut short within its bytes: that is no record yet."""
        data = self._data()
        length, crc = _HEAD.unpack_from(data, at)
        stop = at + _HEAD.size + length
        return stop == len(data) and zlib.crc32(data[at + _HEAD.size : stop]) != crc

    def _corrupt(self, number: int, what: str) -> JournalCorrupt:
        byte = self._places[number] if self._places else 0
        place = f"{self.log} record {self.first + number} (byte {byte} of {self._path.name})"
        return JournalCorrupt(place, f"{what}; run `halocline audit verify`")


def of_kinds(segment: Segment, kinds: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Number and event of a segment's records of these kinds, in their order."""
    numbers = sorted(
        number for kind in kinds for number in segment.holding((f'"kind":"{kind}"'.encode(),))
    )
    for number in numbers:
        event = segment.event(number)
        if event["kind"] in kinds:
            yield segment.first + number, event
