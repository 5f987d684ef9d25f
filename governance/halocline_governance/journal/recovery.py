"""What a log is continued from. It is not, when anything but an unfinished last write is wrong.

Only the last segment is read whole: what lies before it is in the index, and the signed head says
whether index and segment are those that were written. `verify` reads everything.
"""

from __future__ import annotations

import errno
import os
from array import array
from dataclasses import dataclass
from pathlib import Path

from halocline_governance import durable
from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import frame, record, statement
from halocline_governance.journal.evidence import (
    HEAD_NAME,
    LOG_NAMES,
    first_of,
    frames,
    opened,
    segments,
)
from halocline_governance.journal.index import Kept, fitting
from halocline_governance.journal.merkle import EMPTY_ROOT, Node, Tree, leaf_hash, root
from halocline_governance.journal.note import (
    MAX_NOTE_BYTES,
    ORIGIN,
    Checkpoint,
    Endorsement,
    Signer,
    Trust,
)
from halocline_governance.journal.scan import read_note
from halocline_governance.journal.segments import begin
from halocline_governance.journal.writer import cut_tail
from halocline_governance.records import Kind


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where to go on: the last segment, the tree over all, the last leaf hash in hex, the newest
    head and its text, and the index."""

    last: Path
    tree: Tree
    prev: str
    head: Checkpoint
    note: str
    kept: Kept


def recover(folder: Path, signer: Signer, witness: Path | None) -> Recovered:
    """Where to go on in a log; a new one is begun. An unfinished last write is cut off.

    Raises:
        JournalCorrupt: the log is not what was signed, or not what the witness knows.
        OSError: it cannot be read or written.
    """
    for draft in folder.glob(f".{HEAD_NAME}.*"):  # of a head that a killed process was writing
        if not draft.is_dir() or draft.is_symlink():  # a folder is none of ours, and harms nobody
            draft.unlink()
    if not segments(folder):
        _begin(folder, signer)
    note, head = _newest_head(folder, signer)
    paths = segments(folder)
    last = paths[-1]
    tail = _read(last)
    _check_head(last, tail, head)
    kept = Kept(folder, write=True)
    try:
        tree, prev = _joined(kept, paths, tail, head)
        kept.cut(tail.first)
        kept.extend(tail.leaves, tail.offsets)
        _check_uncovered(paths, tail, head, signer.trust)
        if witness is not None:
            _check_witness(folder, kept, signer, witness)
        if tail.flaw:
            cut_tail(last, tail.flaw.offset)
    except BaseException:
        kept.close()
        raise
    return Recovered(last, tree, prev, head, note, kept)


def _begin(folder: Path, signer: Signer) -> None:
    """A head over nothing, then an empty segment; a head over more says that records are gone."""
    if (folder / HEAD_NAME).exists():
        _, head = _newest_head(folder, signer)
        if head.size:
            what = f"records 0 to {head.size - 1} were signed and are missing"
            raise JournalCorrupt(f"{folder.name} record 0", what)
    else:
        head = Checkpoint(ORIGIN + folder.name, 0, EMPTY_ROOT)
        durable.write(folder / HEAD_NAME, signer.sign(head))
    os.close(begin(folder, 0))
    durable.sync(folder.parent)


def _newest_head(folder: Path, signer: Signer) -> tuple[str, Checkpoint]:
    place = f"{folder.name}/{HEAD_NAME}"
    note = read_note(folder)
    if note is None:
        raise JournalCorrupt(place, "the signed head is missing")
    return note, _opened(note, signer, folder.name, place)


def _opened(note: str, signer: Signer, log: str, place: str) -> Checkpoint:
    try:
        head = signer.trust.open(note)
    except Unverified as error:
        raise JournalCorrupt(place, str(error)) from None
    if head.log != log:
        raise JournalCorrupt(place, "it is the head of another log")
    return head


def _check_head(last: Path, tail: _Segment, head: Checkpoint) -> None:
    """That the head is no older, and the segment no shorter, than what was written."""
    log = last.parent.name
    if head.size < tail.first:
        what = f"an older head: it lacks what was signed before {last.name} was begun"
    elif tail.head > head.size:
        what = f"an older head: record {tail.end - 1} saw one of {tail.head} records"
    elif head.size > tail.end:
        what = f"{tail.flaw.what}; " if tail.flaw else ""
        what += f"records {tail.end} to {head.size - 1} were signed and are missing"
        raise JournalCorrupt(f"{log} record {tail.end}", what)
    else:
        return
    raise JournalCorrupt(f"{log}/{HEAD_NAME}", what)


def _check_witness(folder: Path, kept: Kept, signer: Signer, witness: Path) -> None:
    """That the log holds what the witness was shown of it, and that no log it knows is gone."""
    if not witness.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no folder for the witness", str(witness))
    for path in sorted(witness.glob(LOG_NAMES)):
        if not (folder.parent / path.name).exists():
            raise JournalCorrupt(path.name, "the witness knows this log, and it is missing")
    place = f"witness of {folder.name}"
    try:
        with opened(witness / folder.name) as file:
            note = file.read(MAX_NOTE_BYTES).decode()
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        raise JournalCorrupt(place, "not a signed head") from None
    head = _opened(note, signer, folder.name, place)
    if head.size > kept.size:
        what = f"it knows {head.size} records, and there are {kept.size}"
        raise JournalCorrupt(place, what)
    if root(kept.node, head.size) != head.root:
        raise JournalCorrupt(place, "it knows other records than stand there now")


def _check_uncovered(paths: list[Path], tail: _Segment, head: Checkpoint, trust: Trust) -> None:
    """What no head covers, and the next one will, is held to all that `verify` holds it to."""
    last, at = paths[-1], head.size - tail.first
    offset = tail.offsets[at] if at < len(tail.offsets) else None
    if offset is None:
        return
    ended = head.size == 0 or statement.kind(_payload(paths, tail, at - 1)) == Kind.CLOSED
    for seq, item in enumerate(frames(last, offset), start=head.size):
        if seq == tail.end:
            break
        place = f"{last.parent.name} record {seq}"
        at = 32 * (seq - tail.first)
        leaf = bytes(tail.leaves[at : at + 32])
        if isinstance(item, frame.Flaw) or leaf_hash(item[1]) != leaf:
            raise JournalCorrupt(place, "it was altered while it was read")
        trust = _checked(last.parent, place, item[1], ended, trust)


def _payload(paths: list[Path], tail: _Segment, at: int) -> bytes:
    """The record `at` of the last segment; -1 is the last of the segment before."""
    found = frames(paths[-1], tail.offsets[at]) if at >= 0 else frames(paths[-2])
    payload = b""
    for item in found:
        if isinstance(item, frame.Flaw):
            break
        payload = item[1]
        if at >= 0:
            break
    return payload


def _checked(folder: Path, place: str, payload: bytes, ended: bool, trust: Trust) -> Trust:
    """The trust that a record leaves, when nothing is wrong with it."""
    if not statement.is_whole(payload):
        raise JournalCorrupt(place, "the record is not a journal record in canonical form")
    if ended and statement.kind(payload) not in statement.OPENING:
        raise JournalCorrupt(place, statement.NOBODY)
    if not statement.may_be_own(payload):
        return trust
    try:
        said = statement.own(folder.name, payload)
        if isinstance(said, Endorsement):
            return trust.extended(said)
    except (Refused, Unverified) as error:
        raise JournalCorrupt(place, str(error)) from None
    for head in said:
        sibling = folder.parent / head.log
        if not sibling.is_dir():
            raise JournalCorrupt(place, f"it saw {head.log}, which is missing")
        fitting(sibling, head.size, bytes.fromhex(head.root)).close()
    return trust


class _Continued(Tree):
    """The tree over the first `size` leaves, from its complete subtrees."""

    def __init__(self, node: Node, size: int) -> None:
        super().__init__()
        self.size = size
        self._levels = [
            node(level, (size >> level) - 1) if size >> level & 1 else None
            for level in range(size.bit_length())
        ]


@dataclass(slots=True)
class _Segment:
    """What stands in one segment."""

    first: int
    leaves: bytearray
    offsets: array[int]
    before: str = record.ZERO  # what its first record links to
    head: int = 0  # what its last record knew to be signed
    flaw: frame.Flaw | None = None

    @property
    def end(self) -> int:
        return self.first + len(self.offsets)


def _read(path: Path) -> _Segment:
    found, prev, end = _Segment(first_of(path), bytearray(), array("I")), "", first_of(path)
    for item in frames(path):
        if isinstance(item, frame.Flaw):
            if not item.torn:
                raise _corrupt(path, end, item.offset, item.what)
            found.flaw = item
            break
        offset, payload = item
        tail = record.tail(payload)
        if tail is None:
            raise _corrupt(path, end, offset, "the record is not a journal record")
        head, link, seq = tail
        if seq != end:
            raise _corrupt(path, end, offset, f"record {seq} stands here")
        if prev and link != prev:
            raise _corrupt(path, end, offset, "it does not link to the record before it")
        if not found.head <= head <= seq:
            raise _corrupt(path, end, offset, f"it cannot know a head of {head} records")
        found.before = found.before if prev else link
        leaf = leaf_hash(payload)
        prev, found.head, end = leaf.hex(), head, end + 1
        found.leaves += leaf
        found.offsets.append(offset)
    return found


def _corrupt(path: Path, seq: int, offset: int, what: str) -> JournalCorrupt:
    return JournalCorrupt(f"{path.parent.name} record {seq} (byte {offset} of {path.name})", what)


def _joined(kept: Kept, paths: list[Path], tail: _Segment, head: Checkpoint) -> tuple[Tree, str]:
    """The tree over all records and the last leaf, by the index; if it does not fit, made anew."""
    leaves = [bytes(tail.leaves[at : at + 32]) for at in range(0, len(tail.leaves), 32)]
    num_signed = head.size - tail.first
    for attempt in ("kept", "made anew"):
        if attempt == "made anew":
            kept.cut(0)
        _fill(kept, paths)
        before = kept.leaf(tail.first - 1).hex() if tail.first else record.ZERO
        tree = _Continued(kept.node, tail.first)
        tree.extend(leaves[:num_signed])
        if tree.root == head.root and (not leaves or tail.before == before):
            tree.extend(leaves[num_signed:])
            return tree, leaves[-1].hex() if leaves else before
    raise JournalCorrupt(
        f"{paths[0].parent.name}/{HEAD_NAME}", "the records are not those that were signed"
    )


def _fill(kept: Kept, paths: list[Path]) -> None:
    """Bring the index to where the last segment begins, by the segments before it."""
    firsts = [first_of(path) for path in paths]
    done = [at for at, first in enumerate(firsts) if first <= kept.size]
    kept.cut(firsts[done[-1]] if done else 0)
    for path in paths[len(done) - 1 if done else 0 : -1]:
        found = _read(path)
        if found.flaw or found.first != kept.size:
            break
        kept.extend(found.leaves, found.offsets)
    if kept.size != firsts[-1]:
        log = paths[0].parent.name
        raise JournalCorrupt(f"{log} record {kept.size}", "the segment that holds it is missing")
