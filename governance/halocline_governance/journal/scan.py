"""Reads one log from disk and says everything that is wrong with it, with the place.

Shared by recovery and by `verification`; trusts nothing it reads but the keys it is given. What a
signed head covers is hardly parsed: its bytes are those that were signed, or the root differs.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import record, statement
from halocline_governance.journal.evidence import (
    HEAD_NAME,
    first_of,
    frames,
    logs,
    opened,
    segments,
)
from halocline_governance.journal.evidence import (
    LOG_NAMES as LOG_NAMES,
)
from halocline_governance.journal.evidence import (
    payloads as payloads,
)
from halocline_governance.journal.frame import HEAD_BYTES, Flaw
from halocline_governance.journal.merkle import Tree, leaf_hash
from halocline_governance.journal.note import MAX_NOTE_BYTES, Checkpoint, Endorsement, Trust
from halocline_governance.journal.statement import Head
from halocline_governance.records import Kind

ZERO = record.ZERO
Problem = tuple[str, str]
Progress = Callable[[int], None]
Place = tuple[str, int]  # a segment's name and where a record ends there
_BEGIN = b'{"event":{'
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Cut:
    """How far a log had been written before its head was read: what records say of heads is held
    to only in those that lie before."""

    segment: str
    num_bytes: int

    def covers(self, segment: str, end: int) -> bool:
        return segment < self.segment or (segment == self.segment and end <= self.num_bytes)


@dataclass(slots=True)
class Scan:
    """What a log holds. `problems` are (place, what); `unfinished` names a last write that was
    cut short before anybody relied on it (no signed head covers it).

    `tree` and `prev` are over the good records up to the first fault; `segment` is the last one
    there is, and its good records end at `good_bytes`. `siblings` are what its records say of other
    logs, each with the record's number; `trust` has the keys that were endorsed here as well.
    """

    name: str
    trust: Trust
    tree: Tree = field(default_factory=Tree)
    prev: str = ZERO
    problems: list[Problem] = field(default_factory=list[Problem])
    broken: bool = False
    checkpoint: Checkpoint | None = None
    segment: Path | None = None
    good_bytes: int = 0
    unfinished: str = ""
    siblings: list[tuple[int, Head]] = field(default_factory=list[tuple[int, Head]])
    marks: list[tuple[Tree, Path, int]] = field(default_factory=list[tuple[Tree, Path, int]])

    @property
    def num_records(self) -> int:
        return self.tree.size

    def roots(self, sizes: Iterable[int]) -> dict[int, bytes]:
        """The roots over the first so many records, read again from the nearest mark; what cannot
        be read any more is left out."""
        found: dict[int, bytes] = {}
        starts = [tree.size for tree, _, _ in self.marks]
        near: dict[int, list[int]] = {}
        for size in sorted(set(sizes)):
            near.setdefault(bisect.bisect_right(starts, size) - 1, []).append(size)
        for number, wanted in near.items():
            if number < 0:
                found |= {size: Tree().root for size in wanted if size == 0}
                continue
            start, path, offset = self.marks[number]
            tree, leaves = start.copy(), _leaves(path, offset)
            for size in wanted:
                tree.extend(islice(leaves, size - tree.size))
                if tree.size == size:
                    found[size] = tree.root
        return found


def heads(directory: Path) -> list[Head]:
    """The last signed head of every log here, unverified: what a log names as siblings.

    Raises:
        JournalCorrupt: one that is none.
    """
    found: list[Head] = []
    for folder in logs(directory):
        text = read_note(folder)
        if text is None:
            continue
        try:
            head = Checkpoint.claimed(text)
        except Unverified as error:
            raise JournalCorrupt(f"{folder.name}/{HEAD_NAME}", "not a signed head") from error
        found.append(Head(folder.name, head.size, head.root.hex()))
    return found


def read_note(folder: Path) -> str | None:
    """The text of a log's signed head; None when there is none.

    Raises:
        JournalCorrupt: it is not a text, or not in a plain file.
    """
    try:
        with opened(folder / HEAD_NAME) as file:
            return file.read(MAX_NOTE_BYTES + 1).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise JournalCorrupt(f"{folder.name}/{HEAD_NAME}", "it is not a checkpoint") from None


def take_cut(folder: Path) -> Cut | None:
    """How far a log has been written; None when it has no segment yet."""
    named = segments(folder)
    return Cut(named[-1].name, named[-1].lstat().st_size) if named else None


def scan(
    folder: Path, trust: Trust, cut: Cut | None = None, progress: Progress = lambda _: None
) -> Scan:
    """Everything in one log, checked against its own links and its signed head.

    Args:
        cut: taken before; without one, the log is one that nobody writes.
        progress: called now and then with how many bytes more were read.
    """
    found = Scan(folder.name, trust)
    cut = cut or take_cut(folder)
    if folder.is_symlink() or not folder.is_dir():
        found.problems.append((folder.name, "the log is not a folder"))
    try:
        note = read_note(folder)
    except JournalCorrupt as error:
        found.problems.append((error.place, str(error).removeprefix(f"{error.place}: ")))
        note = ""
    reading = _Reading(folder, found, cut, _claimed(note))
    reading.read(progress)
    has_begun = cut is not None and cut.segment != ""
    _check_head(found, note, has_begun, reading.rolled_back)
    return found


class _Reading:
    """One pass over a log's segments.

    After a fault it goes on with the next segment, whose name says which record is its first, so
    that each damaged segment is named; the tree ends at the first fault.
    """

    def __init__(self, folder: Path, found: Scan, cut: Cut | None, claimed: int | None) -> None:
        self._folder, self._found, self._cut, self._covered = folder, found, cut, claimed or 0
        self._seq, self._prev, self._head = 0, ZERO, 0
        self._ended = claimed == 0  # whether only a process that opens goes on behind the head
        self._leaves: list[bytes] = []
        self.rolled_back = ""

    def read(self, progress: Progress) -> None:
        found = self._found
        named = segments(self._folder)
        for path in named:
            first = first_of(path)
            if first < self._seq:
                what = f"it begins with a record that stands before it: {self._seq} comes next"
                found.problems.append((_place(found.name, first, 0, path), what))
                continue
            if first > self._seq:
                if self._prev:
                    what = f"records {self._seq} to {first - 1} are missing before {path.name}"
                    self._fault(f"{found.name} record {self._seq}", what)
                self._seq, self._prev = first, ""
            found.segment, found.good_bytes = path, 0
            try:
                self._read_segment(path, path == named[-1], progress)
            except (JournalCorrupt, FileNotFoundError) as error:
                what = str(error) if isinstance(error, JournalCorrupt) else "it is gone"
                self._fault(_place(found.name, self._seq, 0, path), what)
        self._flush(None, 0)
        found.prev = self._prev

    def _read_segment(self, path: Path, last: bool, progress: Progress) -> None:
        found, leaves, covered = self._found, self._leaves, self._covered
        seq, prev, end, told = self._seq, self._prev, 0, 0
        if seq == 0:
            found.marks.append((Tree(), path, 0))
        before = f'}},"head":{self._head},"prev":"'
        for item in frames(path):
            if isinstance(item, Flaw):
                self._seq, self._prev = seq, prev
                self._flawed(seq, path, item, last)
                break
            offset, payload = item
            end = offset + HEAD_BYTES + len(payload)
            if (
                seq >= covered
                or not payload.endswith(f'{before}{prev}","seq":{seq}}}'.encode())
                or not payload.startswith(_BEGIN)
                or statement.may_be_own(payload)
            ):
                what = self._look(payload, seq, prev, (path.name, end))
                before = f'}},"head":{self._head},"prev":"'
                if what:
                    self._seq = seq
                    self._fault(_place(found.name, seq, offset, path), what)
                    break
            leaf = leaf_hash(payload)
            leaves.append(leaf)
            prev = leaf.hex()
            seq += 1
            found.good_bytes = end
            if len(leaves) == _CHUNK:
                self._flush(path, end)
                progress(end - told)
                told = end
        else:
            self._seq, self._prev = seq, prev
        progress(end - told)

    def _look(self, payload: bytes, seq: int, prev: str, place: Place) -> str:
        """What is wrong with a record, by all its members; and what it says is kept."""
        tail = record.tail(payload)
        if tail is None:
            return "the record is not a journal record"
        head, before, number = tail
        if number != seq:
            return f"record {number} stands where record {seq} belongs"
        if prev and before != prev:
            return "the record does not link to the one before it"
        if not self._head <= head <= seq:
            return f"the record says that {head} records were signed, which cannot be"
        self._head = head
        must_be_whole = seq >= self._covered or statement.may_be_own(payload)
        if must_be_whole and not statement.is_whole(payload):
            return "the record is not a journal record in canonical form"
        before_cut = self._cut is not None and self._cut.covers(*place)
        if seq == self._covered - 1:
            self._ended = statement.kind(payload) == Kind.CLOSED
        opens = seq < self._covered or statement.kind(payload) in statement.OPENING
        if self._ended and before_cut and not opens:
            return statement.NOBODY
        if head > self._covered and before_cut and not self.rolled_back:
            self.rolled_back = f"record {seq} knew a head over {head} records"
        return "" if self._found.broken else self._keep(payload, seq, before_cut)

    def _keep(self, payload: bytes, seq: int, before_cut: bool) -> str:
        found = self._found
        if not statement.may_be_own(payload):
            return ""
        try:
            said = statement.own(found.name, payload)
            if isinstance(said, Endorsement):
                found.trust = found.trust.extended(said)
            elif before_cut:
                found.siblings += [(seq, told) for told in said]
        except (Refused, Unverified) as error:
            return str(error)
        return ""

    def _flawed(self, seq: int, path: Path, flaw: Flaw, last: bool) -> None:
        place = _place(self._found.name, seq, flaw.offset, path)
        if flaw.torn and last:
            self._found.unfinished = f"{place}: {flaw.what}"
        else:
            self._fault(place, flaw.what if last else f"{flaw.what}, and another segment follows")

    def _fault(self, place: str, what: str) -> None:
        self._found.problems.append((place, what))
        self._flush(None, 0)
        self._found.broken = True
        self._prev = ""

    def _flush(self, path: Path | None, end: int) -> None:
        """Move the leaves into the tree; the next record begins at `end`."""
        found = self._found
        if not found.broken:
            found.tree.extend(self._leaves)
            if path is not None:
                found.marks.append((found.tree.copy(), path, end))
        self._leaves.clear()


def _check_head(found: Scan, note: str | None, has_begun: bool, rolled_back: str) -> None:
    place = f"{found.name}/{HEAD_NAME}"
    if note is None:
        if has_begun:
            found.problems.append((place, "the signed head is missing"))
        return
    try:
        head = found.trust.open(note)
    except Unverified as error:
        found.problems.append((place, str(error)))
        return
    count = found.num_records
    if head.log != found.name:
        found.problems.append((place, "it is the head of another log"))
        return
    found.checkpoint = head
    if rolled_back:
        found.problems.append((place, f"an older head was put in its place: {rolled_back}"))
    if head.size > count:
        if not found.broken:
            what = f"records {count} to {head.size - 1} were signed and are missing"
            what = f"{found.unfinished}; {what}" if found.unfinished else what
            found.problems.append((f"{found.name} record {count}", what))
    elif found.roots([head.size]).get(head.size) != head.root:
        found.problems.append((place, "the records are not those that were signed"))


def _claimed(note: str | None) -> int | None:
    try:
        return Checkpoint.claimed(note).size if note else None
    except Unverified:
        return None


def _place(log: str, seq: int, offset: int, path: Path) -> str:
    return f"{log} record {seq} (byte {offset} of {path.name})"


def _leaves(path: Path, offset: int) -> Iterator[bytes]:
    for item in payloads(path.parent, path, offset):
        if isinstance(item, Flaw):
            return
        yield leaf_hash(item[1])
