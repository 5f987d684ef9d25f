"""`audit.events`: the journal's events as a Delta table, each once, however often it is cut short.

Only what a signed head covers is projected, and each batch is proven to be the beginning of what
was signed before it is written (RFC 9162 section 2.1.4.2). Law: a commit carries, for each log, the
number of the next record as a transaction id and the Merkle tree over all before it; so a journal
that is not the one projected so far, cut, forked or begun anew, is refused, and no record is
written twice or left out. Records that were projected before are not read again: `journal.verify`
does that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.audit.signed import SignedLog
from halocline_governance.errors import JournalCorrupt, LeaseHeld, Refused
from halocline_governance.journal import Trust, records
from halocline_governance.journal.evidence import logs
from halocline_governance.journal.merkle import EMPTY_ROOT, leaf_hash, node_hash
from halocline_governance.label import SYSTEM
from halocline_governance.lake import Lake, Location, commit

if TYPE_CHECKING:
    from deltalake import DeltaTable

EVENTS = "audit.events"
BATCH = 50_000
_NOTE = "halocline.projected"


@dataclass(frozen=True, slots=True)
class Projection:
    """What is projected now.

    Attributes:
        version: of the table; None when there is neither a table nor a record for it.
        num_new: rows that this projection wrote.
        logs: of each log, how many records are projected.
        num_pending: records that no signed head covers yet: the newest, and those of a process that
            was killed, until a process opens their log again.
    """

    version: int | None
    num_new: int
    logs: Mapping[str, int]
    num_pending: int

    def as_json(self) -> dict[str, Any]:
        return {
            "table": EVENTS,
            "version": self.version,
            "new": self.num_new,
            "rows": sum(self.logs.values()),
            "logs": dict(self.logs),
            "pending": self.num_pending,
        }


@dataclass(slots=True)
class _Mark:
    """How far a log is projected: the roots of the tree's complete subtrees, the largest first."""

    size: int = 0
    subtrees: list[bytes] = field(default_factory=list[bytes])

    def extend(self, leaves: list[bytes]) -> None:
        for leaf in leaves:
            carry, size = leaf, self.size
            while size & 1:
                carry = node_hash(self.subtrees.pop(), carry)
                size >>= 1
            self.subtrees.append(carry)
            self.size += 1

    @property
    def root(self) -> bytes:
        if not self.subtrees:
            return EMPTY_ROOT
        *larger, root = self.subtrees
        for left in reversed(larger):
            root = node_hash(left, root)
        return root

    def as_json(self) -> dict[str, Any]:
        return {"size": self.size, "subtrees": [one.hex() for one in self.subtrees]}


def project(
    directory: Path,
    trust: Trust,
    lake: Lake,
    *,
    batch: int = BATCH,
    progress: Callable[[int], object] | None = None,
) -> Projection:
    """Bring `audit.events` up to the journal's signed heads. May be repeated and run anywhere.

    Args:
        directory: of the journal.
        trust: whose heads count.
        batch: rows a commit, at most.
        progress: called after each commit with how many rows this projection has written.

    Raises:
        Unverified: a head is not by a trusted key; the journal does not begin with what was
            projected before, or is not what was signed. What was written before that is sound.
        JournalCorrupt: a record cannot be read, or is missing.
        LeaseHeld: another process projects now.
        Refused: there is no journal, or the table was not written by this.
        StorageUnavailable: the bucket failed or refused.
    """
    folders = logs(directory)
    if not folders:
        raise Refused(f"there is no journal in {directory.name}")
    with lake.lease(SYSTEM, EVENTS) as place:
        work = _Work(place, commit.seen(place), batch, progress)
        missing = sorted(work.marks.keys() - {folder.name for folder in folders})
        if missing:
            raise JournalCorrupt(missing[0], "it was projected before and is missing now")
        for folder in folders:
            work.take(folder, trust)
        work.flush()
        return work.done()


class _Work:
    """One projection under the table's lease."""

    def __init__(
        self,
        place: Location,
        table: DeltaTable | None,
        batch: int,
        progress: Callable[[int], object] | None,
    ) -> None:
        self._place = place
        self._table = table
        self._batch = batch
        self._progress = progress
        self._rows: list[dict[str, Any]] = []
        self._num_new = self._num_pending = 0
        self.marks = _marks(table)

    def take(self, folder: Path, trust: Trust) -> None:
        """Project what is new of a log."""
        mark = self.marks.setdefault(folder.name, _Mark())
        with SignedLog(folder, trust) as found:
            self._num_pending += found.num_records - found.head.size
            found.check_begins(mark.size, mark.root, "was projected")
            while mark.size < found.head.size:
                stop = min(found.head.size, mark.size + self._batch - len(self._rows))
                rows, leaves = _read(folder, mark.size, stop)
                mark.extend(leaves)
                found.check_begins(mark.size, mark.root, "stands there")
                self._rows += rows
                if len(self._rows) >= self._batch:
                    self.flush()

    def flush(self) -> None:
        """Commit the rows that were taken, if there are any."""
        if not self._rows:
            return
        import pyarrow as pa
        from deltalake import CommitProperties, Transaction, write_deltalake

        schema: Any = tables.table(EVENTS).arrow()
        told = {log: mark.as_json() for log, mark in self.marks.items() if mark.size}
        # All of them: who slept past its lease's end is refused, whichever log another brought on.
        moved = [Transaction(_app_id(log), one["size"]) for log, one in sorted(told.items())]
        with commit.fenced(self._place):
            write_deltalake(
                self._place.uri if self._table is None else self._table,
                pa.Table.from_pylist(self._rows, schema=schema),
                mode="error" if self._table is None else "append",
                storage_options=dict(self._place.storage_options),
                commit_properties=CommitProperties(
                    app_transactions=moved,
                    custom_metadata={_NOTE: json.dumps(told, sort_keys=True)},
                ),
            )
        self._table = commit.seen(self._place)
        self._num_new += len(self._rows)
        self._rows = []
        if self._progress is not None:
            self._progress(self._num_new)

    def done(self) -> Projection:
        """What is projected now."""
        version = None if self._table is None else self._table.version()
        sizes = {log: mark.size for log, mark in sorted(self.marks.items())}
        return Projection(version, self._num_new, sizes, self._num_pending)


def _read(folder: Path, start: int, stop: int) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Rows and leaf hashes of some records."""
    rows: list[dict[str, Any]] = []
    leaves: list[bytes] = []
    for seq, payload in records(folder.parent, folder.name, start, stop):
        rows.append(_row(folder.name, seq, payload))
        leaves.append(leaf_hash(payload))
    if len(rows) != stop - start:
        raise JournalCorrupt(f"{folder.name} record {start + len(rows)}", "the record is missing")
    return rows, leaves


def _row(log: str, seq: int, payload: bytes) -> dict[str, Any]:
    try:
        event = json.loads(payload)["event"]
        words = {name: event[name] for name in ("event_id", "ts", "kind", "subject", "purpose")}
        # As it was written: between two members that no string can be taken for.
        begin = payload.index(b',"object":') + len(b',"object":')
        return {
            "log": log,
            "seq": seq,
            **words,
            "object": payload[begin : payload.rindex(b',"purpose":')].decode(),
        }
    except (ValueError, TypeError, KeyError):
        raise JournalCorrupt(f"{log} record {seq}", "the record is not a journal record") from None


def _app_id(log: str) -> str:
    return f"{EVENTS}/{log}"


def _marks(table: DeltaTable | None) -> dict[str, _Mark]:
    """How far each log is projected, by the newest commit that wrote rows."""
    if table is None:
        return {}
    told = next(_notes(table), None)
    try:
        found = {
            log: _Mark(one["size"], [bytes.fromhex(node) for node in one["subtrees"]])
            for log, one in json.loads(told or "").items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        found = None
    if not found or any(
        table.transaction_version(_app_id(log)) != mark.size
        or len(mark.subtrees) != mark.size.bit_count()
        for log, mark in found.items()
    ):
        raise Refused(
            f"{EVENTS} does not say how far it is projected: somebody else wrote it. Move its"
            " folder away and project again; the journal is the truth"
        )
    return found


def _notes(table: DeltaTable) -> Iterator[str]:
    """What its commits say of the projection, the newest first."""
    try:
        for said in table.history(16):
            if _NOTE in said:
                yield str(said[_NOTE])
    except OSError as error:
        raise LeaseHeld(f"{EVENTS} changed while it was read; try again") from error
