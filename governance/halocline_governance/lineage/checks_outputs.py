"""Every row of `serving.outputs` held against the journal, and every record of an answer against
the table: what has no counterpart, what was changed, what stands there twice.

Both sides go by request into files that have no name, in parts; part by part they are compared,
so what is in memory does not grow with the number of outputs. Only what does not agree is read a
second time, to say what it is. No text is kept.
"""

from __future__ import annotations

import hashlib
import re
import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from halocline_governance.audit.segment import backwards, forwards, of_kinds
from halocline_governance.erasure.order import What
from halocline_governance.erasure.told import of
from halocline_governance.errors import StorageUnavailable
from halocline_governance.journal.evidence import logs
from halocline_governance.lake import Lake
from halocline_governance.lineage.checks_held import (
    COLUMNS,
    SEAL_BYTES,
    differences,
    seal,
    sketch,
    told,
)
from halocline_governance.records import Kind

if TYPE_CHECKING:
    from deltalake import DeltaTable

TABLE = "serving.outputs"
NAMED = 1_000
"""So many findings of a kind are told one by one; the others are counted."""

Found = tuple[str, str, str, tuple[str, ...], str]
"""What it is about, the finding's kind, what, records that say so, labels, with spaces between."""
Progress = Callable[[str, int], object]
"""Called now and then with what is read and how many of it."""

_RECORDS = (Kind.GENERATE.value, Kind.ABORT.value)
_PARTS = 64
_KEY = 16
# Key, seal; of a record also the number of its log and its own number there.
_ROW, _RECORD = struct.Struct(f"{_KEY}s{SEAL_BYTES}s"), struct.Struct(f"{_KEY}s{SEAL_BYTES}sIQ")
_BATCH_ROWS = 4096
TOLD_EVERY = 4096
_SPOOLED = re.compile(rb'"request_id":"((?:[^"\\]|\\.)*)"')


@dataclass(slots=True)
class Outputs:
    """What was found.

    Args:
        num_rows, num_records: that were compared.
        found: the findings, so many of a kind as are named.
        more: how many others there are, by kind.
        unread: compartments that could not be read, and why.
    """

    num_rows: int = 0
    num_records: int = 0
    found: list[Found] = field(default_factory=list[Found])
    more: Counter[str] = field(default_factory=Counter[str])
    unread: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a record stands: the number of its log, and its own."""

    log: int
    seq: int


@dataclass(slots=True)
class _Apart:
    """What does not agree, by kind and key, with where the records stand that say so."""

    kinds: dict[str, dict[bytes, list[_Where]]] = field(
        default_factory=dict[str, dict[bytes, list[_Where]]]
    )
    more: Counter[str] = field(default_factory=Counter[str])

    def add(self, kind: str, key: bytes, places: list[_Where]) -> None:
        """Keep it, or count it."""
        named = self.kinds.setdefault(kind, {})
        if key in named or len(named) < NAMED:
            named[key] = places
        else:
            self.more[kind] += 1


def outputs(lake: Lake, journal: Path, scratch: Path, progress: Progress | None = None) -> Outputs:
    """Hold all outputs against all records of answers.

    While answers go on: first it is noted where the journal ends, then what lies in spools, then
    which version the table has, and only then both are read. So a row of that version has its
    record in what is read, and a record before that end has its row, or lay in a spool.

    Args:
        lake: whose tables are read; no gate is asked, and no text is told.
        journal: its folder.
        scratch: a folder on disk for what is compared: 80 bytes an output, for as long as it takes.
        progress: see `Progress`.

    Raises:
        JournalCorrupt: its records cannot be read.
    """
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        parts: list[list[IO[bytes]]] = [
            [stack.enter_context(tempfile.TemporaryFile(dir=scratch)) for _ in range(_PARTS)]
            for _ in range(2)
        ]
        return _Comparison(lake, journal, parts, progress or (lambda _what, _num: None)).run()


class _Comparison:
    def __init__(
        self, lake: Lake, journal: Path, parts: list[list[IO[bytes]]], progress: Progress
    ) -> None:
        self._lake, self._logs, self._progress = lake, logs(journal), progress
        self._result, self._apart = Outputs(), _Apart()
        self._records, self._rows = parts
        self._ends = [_end(folder) for folder in self._logs]
        self._waiting = _waiting(lake)
        self._tables = self._pinned()
        self._erased: dict[bytes, str] = {}

    def run(self) -> Outputs:
        self._hear()
        for compartment in self._tables:
            self._take(compartment)
        for records, rows in zip(self._records, self._rows, strict=True):
            self._compare(records, rows)
        if self._result.unread and "output_missing" in self._apart.kinds:
            # They may lie where nobody could look.
            num = len(self._apart.kinds.pop("output_missing")) + self._apart.more["output_missing"]
            del self._apart.more["output_missing"]
            self._result.unread.append(f"{num} records of answers have no row in what was read")
        self._result.more = self._apart.more
        self._result.found = sorted(self._explained())
        return self._result

    def _pinned(self) -> dict[str, DeltaTable]:
        """The table of every compartment that has one."""
        found: dict[str, DeltaTable] = {}
        there = self._lake.compartments()
        for compartment in sorted({*there, *self._lake.remote}):
            try:
                if compartment not in there:
                    raise StorageUnavailable("no credential for it here")
                if not self._lake.exists(compartment, TABLE):
                    continue
                place = self._lake.location(compartment, TABLE)
                with place.reached():
                    found[compartment] = place.delta()
            except StorageUnavailable as error:
                self._result.unread.append(f"{compartment}:{TABLE}: {error}")
        return found

    def _hear(self) -> None:
        steps: list[tuple[str, int, Mapping[str, Any]]] = []
        for number, folder in enumerate(self._logs):
            for segment in forwards(folder):
                for seq, event in of_kinds(segment, _RECORDS):
                    self._keep(event["object"], number, seq)
                steps += [(folder.name, *one) for one in of_kinds(segment, (Kind.ERASE.value,))]
        orders = [order for order in of(steps) if order.what == What.OUTPUT]
        self._erased = {_key(name): order.id for order in orders for name in order.names}

    def _keep(self, record: Mapping[str, Any], log: int, seq: int) -> None:
        key = _key(str(record.get("request_id")))
        self._records[key[0] % _PARTS].write(_RECORD.pack(key, seal(record), log, seq))
        self._result.num_records += 1
        if self._result.num_records % TOLD_EVERY == 0:
            self._progress("records of answers", self._result.num_records)

    def _take(self, compartment: str) -> None:
        try:
            for row in self._read(compartment):
                key = _key(str(row["request_id"]))
                self._rows[key[0] % _PARTS].write(_ROW.pack(key, seal(told(row))))
                self._result.num_rows += 1
                if self._result.num_rows % TOLD_EVERY == 0:
                    self._progress("outputs", self._result.num_rows)
        except (StorageUnavailable, OSError) as error:
            # A file of a version that is not the newest any more may be vacuumed meanwhile.
            told_ = error if isinstance(error, StorageUnavailable) else "files of it are gone"
            self._result.unread.append(f"{compartment}:{TABLE}: {told_}")

    def _read(self, compartment: str, keys: Collection[bytes] | None = None) -> Iterator[Any]:
        """The rows of one compartment, at the version that was noted; only those of `keys` where
        these are given."""
        with self._lake.location(compartment, TABLE).reached():
            data: Any = self._tables[compartment].to_pyarrow_dataset()
            for batch in data.to_batches(
                columns=list(COLUMNS), batch_size=_BATCH_ROWS, batch_readahead=2,
                fragment_readahead=1,
            ):  # fmt: skip
                if keys is None:
                    yield from batch.to_pylist()
                    continue
                for n, name in enumerate(batch["request_id"].to_pylist()):
                    if _key(str(name)) in keys:
                        yield from batch.slice(n, 1).to_pylist()

    def _compare(self, records: IO[bytes], rows: IO[bytes]) -> None:
        """One part of the requests."""
        said: dict[bytes, list[tuple[bytes, _Where]]] = {}
        for key, sealed, log, seq in _RECORD.iter_unpack(_whole(records)):
            said.setdefault(key, []).append((sealed, _Where(log, seq)))
        there: set[bytes] = set()
        for key, sealed in _ROW.iter_unpack(_whole(rows)):
            mine = said.get(key, [])
            places = [where for _, where in mine]
            if key in there:
                self._apart.add("output_twice", key, places)
            elif not mine:
                self._apart.add("output_not_recorded", key, places)
            elif all(sealed != one for one, _ in mine):
                self._apart.add("output_changed", key, places)
            if key in self._erased and key not in there:
                self._apart.add("output_not_erased", key, places)
            there.add(key)
        for key in said.keys() - there - self._waiting - self._erased.keys():
            # A record since the end that was noted may have its row in a later version.
            places = [at for _, at in said[key] if at.seq < self._ends[at.log]]
            if places:
                self._apart.add("output_missing", key, places)

    def _explained(self) -> Iterator[Found]:
        """What each of them is: the second look."""
        kinds = self._apart.kinds
        records = self._events(where for one in kinds.values() for p in one.values() for where in p)
        keys = {key for kind, one in kinds.items() if kind != "output_missing" for key in one}
        rows: dict[bytes, list[tuple[str, Mapping[str, Any]]]] = {}
        for compartment in self._tables if keys else ():
            for row in self._read(compartment, keys):
                rows.setdefault(_key(str(row["request_id"])), []).append((compartment, row))
        for kind, named in kinds.items():
            for key, places in named.items():
                events = [records[where] for where in places if where in records]
                yield from self._told(kind, key, rows.get(key, []), events)

    def _told(
        self, kind: str, key: bytes, rows: list[tuple[str, Mapping[str, Any]]],
        events: list[Mapping[str, Any]],
    ) -> Iterator[Found]:  # fmt: skip
        objects = [event["object"] for event in events]
        names = [*(row for _, row in rows), *objects]
        if not names:
            return
        where = ", ".join(sorted({f"{compartment}:{TABLE}" for compartment, _ in rows}))
        what = {
            "output_not_recorded": f"{where} has it, and the journal no record of such an answer",
            "output_missing": "the journal has its record, and no table has its row",
            "output_twice": f"{len(rows)} rows for one answer, in {where}",
            "output_not_erased": f"{where} has it, and order {self._erased.get(key)} erased it",
            "output_changed": f"{where} tells another {_differs(rows, objects)} than its record",
        }[kind]
        labels = " ".join(sorted({str(one["label_id"]) for one in names}))
        ids = tuple(str(event["event_id"]) for event in events)
        yield f"output:{names[0]['request_id']}", kind, what, ids, labels

    def _events(self, places: Iterable[_Where]) -> dict[_Where, Mapping[str, Any]]:
        wanted: dict[int, list[int]] = {}
        for where in set(places):
            wanted.setdefault(where.log, []).append(where.seq)
        found: dict[_Where, Mapping[str, Any]] = {}
        for log, seqs in wanted.items():
            seqs.sort(reverse=True)
            for segment in backwards(self._logs[log]):
                while seqs and seqs[0] >= segment.first:
                    seq = seqs.pop(0)
                    found[_Where(log, seq)] = segment.event(seq - segment.first)
                if not seqs:
                    break
        return found


def _differs(rows: list[tuple[str, Mapping[str, Any]]], records: list[Mapping[str, Any]]) -> str:
    """The columns in which a row differs from its newest record."""
    return ", ".join(differences(sketch(rows[0][1]), records[-1])) if rows and records else "text"


def _end(folder: Path) -> int:
    """How many records a log has."""
    return next((one.first + one.num_records for one in backwards(folder)), 0)


def _waiting(lake: Lake) -> set[bytes]:
    """What lies in spools, durable and on its way to its table."""
    found: set[bytes] = set()
    for compartment in lake.compartments():
        for file in lake.work(compartment, "spool").glob("*/*"):
            try:
                data = file.read_bytes()
            except (FileNotFoundError, IsADirectoryError):
                continue  # it was removed under our eyes: its rows are in the table
            found |= {_key(one.decode("utf-8", "replace")) for one in _SPOOLED.findall(data)}
    return found


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _key(request_id: str) -> bytes:
    plain = request_id.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(plain, digest_size=_KEY).digest()
