"""Measures what a detector still finds in curated texts, dataset version by dataset version.

Only counts leave this module: no value, and no part of a text. Of a large version a sample is
looked at that its fingerprint chooses: whoever measures again looks at the same rows, and who
writes rows cannot know which they will be.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from halocline_governance import bounds
from halocline_governance.detect import Detector, guarded, pii
from halocline_governance.report.period import ancestry
from halocline_governance.report.period.drawn import Drawing, Figure, Row, labels_sha256
from halocline_governance.report.period.sums import CURATED
from halocline_governance.report.period.tables import UNREADABLE, Tables
from halocline_governance.report.period.tally import SHOWN
from halocline_governance.report.register import Period

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 10_000
"""Rows of one version that are looked at; of a larger one, so many are drawn."""

ERROR = 0.05
"""How often the upper bound that a sample gives may be too low."""

_COLUMNS = ("label_id", "row_uid", "text")
_SLICE = 256  # rows whose texts are in Python at a time
_MOST_KNOWN = 200_000  # texts whose counts are kept
_EVERY_S = 2.0
Say = Callable[[str], None]
Counts = tuple[tuple[str, int], ...] | None
"""Findings by kind in one text; None when it could not be scanned."""


@dataclass(frozen=True, slots=True)
class Target:
    """Rows to look at.

    Args:
        dsv_id: the dataset version that they are; empty for a table as the report has read it.
        compartment: where they lie.
        version: of the Delta table.
        num_rows: how many, as recorded.
        fingerprint: of the rows, as recorded.
        label_ids: theirs; none for every label that the officer may read.
    """

    dsv_id: str
    compartment: str
    version: int
    num_rows: int
    fingerprint: str
    label_ids: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        return f"{self.compartment}:{CURATED}"

    @property
    def key(self) -> tuple[str, str]:
        """What names it among the targets of one report."""
        return self.dsv_id, self.compartment

    def rank(self, row_uid: int) -> int:
        """Where a row stands when a sample is drawn, which takes the lowest."""
        key = self.fingerprint.encode()[:64]
        uid = row_uid.to_bytes(8, "big", signed=True)
        return int.from_bytes(hashlib.blake2b(uid, digest_size=8, key=key).digest(), "big")


@dataclass(slots=True)
class Found:
    """What a detector finds in texts, counted.

    Args:
        detector: that looks at them.
        known: counts of texts that it saw before, by their hash.
    """

    detector: Detector
    known: dict[bytes, Counts]
    scanned: int = 0
    unscanned: int = 0
    with_findings: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])

    def add(self, row: Row) -> None:
        counts = self._counts(str(row["text"]))
        self.scanned += counts is not None
        self.unscanned += counts is None
        self.with_findings += bool(counts)
        self.kinds.update(dict(counts or ()))

    def as_json(self) -> dict[str, Any]:
        return {
            "detector": self.detector.id,
            "cannot_find": list(pii.LIMITS),
            "scanned": self.scanned,
            "unscanned": self.unscanned,
            "with_findings": self.with_findings,
            "kinds": dict(sorted(self.kinds.items())),
        }

    def at_most(self, num_rows: int) -> int:
        """Rows with findings among so many, at most: the very number when all were looked at, else
        the upper end of a one-sided interval (Clopper and Pearson, Biometrika 26, 1934). A row that
        could not be scanned counts as one with findings. The rows of a sample are drawn once each,
        for which that interval is no shorter than it must be (Hoeffding, J. Amer. Statist. Assoc.
        58, 1963, section 6)."""
        hits, looked = self.with_findings + self.unscanned, self.scanned + self.unscanned
        if looked >= num_rows:
            return hits
        return min(num_rows, int(bounds.upper(hits, looked, ERROR) * num_rows) + 1)

    def _counts(self, text: str) -> Counts:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest not in self.known:
            verdict = self.detector.scan(text)
            if len(self.known) >= _MOST_KNOWN:
                self.known.clear()
            is_scanned = verdict.status != "unscanned"
            self.known[digest] = tuple(verdict.findings.items()) if is_scanned else None
        return self.known[digest]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found in the rows of one target.

    Args:
        target: which.
        num_rows: rows of it that the officer may read.
        figure: the rows that were looked at.
        found: what was found in them.
    """

    target: Target
    num_rows: int
    figure: Figure
    found: Found

    def told(self) -> dict[str, Any]:
        """What the journal is told before the report is."""
        known = {"dsv_id": self.target.dsv_id, "rows": self.num_rows}
        found = {**self.found.as_json(), "at_most": self.found.at_most(self.num_rows)}
        return {**self.figure.told(), "residue": {**known, **found}}


def detector() -> str:
    """The detector that measures here, as name@version."""
    return _measuring().id


def _measuring() -> pii.PiiDetector:
    return pii.PiiDetector(pii.PERSONAL)


def targets(tables: Tables, figures: Iterable[Figure], period: Period) -> list[Target]:
    """The curated tables that were read, and the dataset versions of them that the report names.
    What is left out is a gap."""
    now = [one for one in figures if one.table == CURATED]
    readable = {one.compartment for one in now}
    known = [one for one in ancestry.datasets(tables.drawings, period) if one["table"] == CURATED]
    mine = [one for one in known if one["compartment"] in readable]
    found = [Target("", one.compartment, one.version, one.num_rows, one.fingerprint) for one in now]
    old = max(0, len(mine) + len(found) - SHOWN)
    found += [
        Target(
            one["dsv_id"],
            one["compartment"],
            one["version"],
            one["num_rows"],
            one["fingerprint"],
            tuple(one["label_ids"]),
        )
        for one in mine[old:]
    ]
    where = {"of tables not read": len(known) - len(mine), "older": len(mine[:old])}
    tables.gaps += [
        f"personal data left in {num} dataset versions was not measured: {why}"
        for why, num in where.items()
        if num
    ]
    return found


class Meter:
    """Looks at targets, one after another; a text that it knows is not scanned again.

    Args:
        tables: who reads, and what happens with what cannot be read.
        say: is told how far it is.
    """

    def __init__(self, tables: Tables, say: Say) -> None:
        self._tables = tables
        self._say = say
        self._detector = guarded(_measuring())
        self._known: dict[bytes, Counts] = {}
        self._said = time.monotonic()

    def measure(self, targets: Iterable[Target]) -> list[Measured]:
        """What is found in each; one that cannot be read is a gap.

        Raises:
            Refused: it is of an earlier report, and cannot be read any more.
        """
        found: list[Measured] = []
        for target in targets:
            try:
                found.append(self._one(target))
            except UNREADABLE as error:
                about = f"personal data left in {target.dsv_id or target.place} was not measured"
                self._tables.unreadable(target.place, target.version, error, about)
        return found

    def _one(self, target: Target) -> Measured:
        found = Found(self._detector, self._known)
        drawing, bar, num_rows = Drawing(found), None, 0
        if target.num_rows > MOST:
            ranks = _Counted(self._ranks(target))
            bar = max(heapq.nsmallest(MOST, ranks), default=0)
            num_rows = ranks.num
        labels, batches = self._read(target, _COLUMNS)
        for batch in batches:
            for at in range(0, batch.num_rows, _SLICE):
                drawing.take(_chosen(batch.slice(at, _SLICE), target, bar).to_pylist())
                self._tell(target, drawing.running.num_rows)
        looked = drawing.running.num_rows
        figure = Figure(
            table=CURATED,
            compartment=target.compartment,
            version=target.version,
            columns=_COLUMNS,
            num_rows=looked,
            fingerprint=drawing.running.hex(),
            labels_sha256=labels_sha256(labels),
            num_labels=len(labels),
            sums={},
        )
        return Measured(target, looked if bar is None else num_rows, figure, found)

    def _ranks(self, target: Target) -> Iterator[int]:
        _, batches = self._read(target, ("label_id", "row_uid"))
        for batch in batches:
            yield from map(target.rank, _chosen(batch, target)["row_uid"].to_pylist())

    def _read(
        self, target: Target, columns: Sequence[str]
    ) -> tuple[Sequence[str], Iterator[pa.RecordBatch]]:
        """The labels granted, and rows of the table at its version."""
        plan = self._tables.plan(target.place, columns, target.version)
        rows = self._tables.guard.batches(plan)
        return plan.grants[0].label_ids, (batch.select(sorted(columns)) for batch in rows)

    def _tell(self, target: Target, looked: int) -> None:
        if time.monotonic() - self._said >= _EVERY_S:
            self._said = time.monotonic()
            rows = min(MOST, target.num_rows)
            part = f" ({target.dsv_id})" if target.dsv_id else ""
            self._say(f"personal data in {target.place}{part}: {looked:,} of {rows:,} rows")


@dataclass(slots=True)
class _Counted:
    """Numbers, counted as they are taken."""

    numbers: Iterator[int]
    num: int = 0

    def __iter__(self) -> Iterator[int]:
        for number in self.numbers:
            self.num += 1
            yield number


def _chosen(batch: pa.RecordBatch, target: Target, bar: int | None = None) -> pa.RecordBatch:
    """The rows of a target, and of these the ones that its sample takes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if target.label_ids:
        batch = batch.filter(pc.is_in(batch["label_id"], pa.array(target.label_ids, pa.string())))
    if bar is None:
        return batch
    uids = batch["row_uid"].to_pylist()
    return batch.filter(pa.array([target.rank(uid) <= bar for uid in uids], pa.bool_()))
