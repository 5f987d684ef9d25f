"""Proofs that stand for themselves: one record in a signed head, and one head in a later one.

Made from a log and its index, checked from the proof and the trusted keys alone. The form is
specified in docs/journal-format.md, "Proofs".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from halocline_governance import strict_json
from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import merkle, record
from halocline_governance.journal.evidence import frames, is_log
from halocline_governance.journal.index import Index, fitting
from halocline_governance.journal.note import Checkpoint, Trust
from halocline_governance.journal.scan import read_note

INCLUSION = "halocline-proof@1"
CONSISTENCY = "halocline-consistency@1"
_TLOG = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 64
_NUM_NODES = 1 << 16


@dataclass(frozen=True, slots=True)
class Proof:
    """A record, and the path from it to the root that a head signs."""

    log: str
    seq: int
    record: str
    path: tuple[bytes, ...]
    checkpoint: str

    def as_json(self) -> dict[str, Any]:
        return {
            "format": INCLUSION,
            "log": self.log,
            "seq": self.seq,
            "record": self.record,
            "path": [node.hex() for node in self.path],
            "checkpoint": self.checkpoint,
        }

    @classmethod
    def parse(cls, content: str | bytes | Mapping[str, Any]) -> Proof:
        """From its JSON, as text or decoded.

        Raises:
            Refused: not exactly that form.
        """
        form = {"log": str, "seq": int, "record": str, "path": list, "checkpoint": str}
        found = _parsed(content, INCLUSION, form)
        if found["seq"] < 0:
            raise Refused("the proof's seq is below zero")
        return cls(found["log"], found["seq"], found["record"], found["path"], found["checkpoint"])

    def tlog(self) -> str:
        """The proof without the record, as a C2SP tlog-proof@v1 file."""
        path = "".join(f"{base64.b64encode(node).decode()}\n" for node in self.path)
        return f"{_TLOG}\nindex {self.seq}\n{path}\n{self.checkpoint}"


@dataclass(frozen=True, slots=True)
class Consistency:
    """Two heads of a log, and the path that shows the older to be the beginning of the newer."""

    log: str
    old: str
    new: str
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "format": CONSISTENCY,
            "log": self.log,
            "old": self.old,
            "new": self.new,
            "path": [node.hex() for node in self.path],
        }

    @classmethod
    def parse(cls, content: str | bytes | Mapping[str, Any]) -> Consistency:
        """From its JSON, as text or decoded.

        Raises:
            Refused: not exactly that form.
        """
        found = _parsed(content, CONSISTENCY, {"log": str, "old": str, "new": str, "path": list})
        return cls(found["log"], found["old"], found["new"], found["path"])

    def check(self, trust: Trust) -> tuple[Checkpoint, Checkpoint]:
        """The two heads.

        Raises:
            Unverified: one is not signed by a trusted key or of another log, or the older is not
                shown to be the beginning of the newer.
        """
        old, new = _opened(self.old, self.log, trust), _opened(self.new, self.log, trust)
        if not merkle.verify_consistency(old.size, new.size, old.root, new.root, self.path):
            raise Unverified(
                f"the head over {new.size} records of {self.log} is not shown to go on from that "
                f"over {old.size}"
            )
        return old, new


class Prover:
    """Makes many proofs from one log; a context manager.

    Args:
        checkpoint: the head to prove against; the newest by default.

    Raises:
        Refused: no such log, or not one of its heads.
        JournalCorrupt: its records are not those that were signed.
    """

    def __init__(self, directory: Path, log: str, checkpoint: str | None = None) -> None:
        self._folder = folder = directory / log
        if not is_log(log) or not folder.is_dir():
            raise Refused(f"there is no log {log[:20]} in {directory.name}")
        self.log = log
        self.checkpoint = checkpoint if checkpoint is not None else _newest(folder)
        self.head = _claimed(self.checkpoint, log)
        self._use(fitting(folder, self.head.size, self.head.root))

    def prove(self, seq: int, payload: bytes | None = None) -> Proof:
        """The proof for one record.

        Args:
            payload: its bytes, when they were read before.

        Raises:
            Refused: the head does not cover it.
            JournalCorrupt: it cannot be read.
        """
        if not 0 <= seq < self.head.size:
            raise Refused(
                f"the signed head covers records 0 to {self.head.size - 1} of {self.log}, and not "
                f"{seq}; a running process signs its newest within a second"
            )
        for is_last in (False, True):
            try:
                found = payload if payload is not None else self._payload(seq)
                leaf, size = merkle.leaf_hash(found), self.head.size
                path = merkle.inclusion(self._node, seq, size)
                if merkle.verify_inclusion(leaf, seq, size, path, self.head.root):
                    return Proof(self.log, seq, found.decode(), tuple(path), self.checkpoint)
            except (IndexError, JournalCorrupt):
                pass  # what is kept of the index does not fit, or the log does not
            if not is_last:
                self._remake()
        raise JournalCorrupt(f"{self.log} record {seq}", "it is not the record that was signed")

    def consistency(self, old: str) -> Consistency:
        """The proof that the log went on from an older head to this one.

        Raises:
            Refused: it is no head of this log, or the newer of the two.
            JournalCorrupt: the log did not go on from it.
        """
        before, after = _claimed(old, self.log), self.head
        if before.size > after.size:
            raise Refused(f"the older head covers {before.size} records, the newer {after.size}")
        sizes, roots = (before.size, after.size), (before.root, after.root)
        for is_last in (False, True):
            with suppress(IndexError):  # what is kept of the index ends too early
                path = merkle.consistency(self._node, *sizes)
                if merkle.verify_consistency(*sizes, *roots, path):
                    return Consistency(self.log, old, self.checkpoint, tuple(path))
            if not is_last:
                self._remake()
        what = f"its first {before.size} records are not those of the older head"
        raise JournalCorrupt(self.log, what)

    def close(self) -> None:
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _remake(self) -> None:
        """Go on without what is kept of the index."""
        self._index.close()
        self._use(Index(self._folder, stored=False))

    def _use(self, index: Index) -> None:
        self._index = index
        # One proof's path shares most of its nodes with the next one's.
        self._node = lru_cache(_NUM_NODES)(index.node)

    def _payload(self, seq: int) -> bytes:
        segment, offset = self._index.place(seq)
        found = next(frames(segment, offset), None)
        if not isinstance(found, tuple):
            raise JournalCorrupt(f"{self.log} record {seq}", "it cannot be read")
        return found[1]


def prove(directory: Path, log: str, seq: int, checkpoint: str | None = None) -> Proof:
    """The proof for one record against a head of its log, the newest by default.

    Raises:
        Refused, JournalCorrupt: as `Prover`.
    """
    with Prover(directory, log, checkpoint) as prover:
        return prover.prove(seq)


def check(proof: Proof, trust: Trust) -> dict[str, Any]:
    """The event of a proven record.

    Raises:
        Unverified: the head is not signed by a trusted key, or does not cover this record.
    """
    head = _opened(proof.checkpoint, proof.log, trust)
    try:
        payload = proof.record.encode()
        event = strict_json.loads(payload)["event"]
    except (ValueError, TypeError, KeyError):
        raise Unverified("the proof holds no journal record") from None
    tail = record.tail(payload)
    if tail is None or tail[2] != proof.seq or not isinstance(event, dict):
        raise Unverified(f"the proof does not hold record {proof.seq} of {proof.log}")
    leaf = merkle.leaf_hash(payload)
    if not merkle.verify_inclusion(leaf, proof.seq, head.size, proof.path, head.root):
        raise Unverified(f"the record is not number {proof.seq} of what was signed of {proof.log}")
    return cast("dict[str, Any]", event)


def consistency(directory: Path, log: str, old: str, new: str | None = None) -> Consistency:
    """The proof that a log went on from one of its heads to a later one, the newest by default.

    Raises:
        Refused, JournalCorrupt: as `Prover`; or the old head is the newer one.
    """
    with Prover(directory, log, new) as prover:
        return prover.consistency(old)


def _newest(folder: Path) -> str:
    text = read_note(folder)
    if text is None:
        raise JournalCorrupt(f"{folder.name}/checkpoint", "the signed head is missing")
    return text


def _claimed(note: str, log: str) -> Checkpoint:
    try:
        head = Checkpoint.claimed(note)
    except Unverified as error:
        raise Refused(str(error)) from error
    if head.log != log:
        raise Refused(f"the checkpoint is of {head.origin[:60]}, and not of {log}")
    return head


def _opened(note: str, log: str, trust: Trust) -> Checkpoint:
    head = trust.open(note)
    if head.log != log:
        raise Unverified(f"the checkpoint is not of {log}")
    return head


def _parsed(
    content: str | bytes | Mapping[str, Any], form: str, members: Mapping[str, type]
) -> dict[str, Any]:
    try:
        found: Any = content if isinstance(content, Mapping) else strict_json.loads(content)
    except ValueError as error:
        raise Refused(f"not JSON: {error}") from error
    if not isinstance(found, Mapping) or cast("Mapping[str, Any]", found).get("format") != form:
        raise Refused(f"not a proof in the form {form}")
    named = dict(cast("Mapping[str, Any]", found))
    if named.keys() != {"format", *members}:
        raise Refused(f"a proof has the members format, {', '.join(members)}")
    for name, kind in members.items():
        if type(named[name]) is not kind:
            raise Refused(f"the proof's {name} is not of its type")
    return {**named, "path": _path(named["path"])}


def _path(items: Iterable[Any]) -> tuple[bytes, ...]:
    nodes: list[bytes] = []
    for item in items:
        if not isinstance(item, str) or len(item) != 64 or item.strip("0123456789abcdef"):
            raise Refused("a proof's path is of hashes in lower-case hex")
        nodes.append(bytes.fromhex(item))
    if len(nodes) > _MAX_PATH:
        raise Refused("the proof's path is too long")
    return tuple(nodes)
