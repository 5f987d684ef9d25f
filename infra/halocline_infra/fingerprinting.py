"""Keeps a compartment's fingerprints up with its table, reading only what is new.

File by file of the Delta table, each group of files in one step that is there whole or not at all:
after a kill the next run goes on behind the last step. When the table has lost a file (an erasure,
a rewrite), all is made anew beside, in `fingerprints.draft`, and then put in the place of the old,
so that nothing stays of text that is gone and nothing is missed meanwhile.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.detect.segregation.source import Source, named
from halocline_governance.errors import Refused
from halocline_governance.guard.snapshot import legible

if TYPE_CHECKING:
    from halocline_governance.detect.batch import Texts
    from halocline_governance.detect.segregation import FingerprintIndex, Restricted
    from halocline_governance.lake import Location

_STEP_BYTES = 2**26
_LOCK = ".fingerprints.lock"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did.

    Args:
        path: the fingerprints' folder.
        version: the table's, of which they are now.
        files_read: how many files had something new.
        files_kept: how many were known already.
        left_out: rows that the reader's clearance does not cover; checks stay `unscanned` for them.
        rebuilt: whether all was made anew.
    """

    path: Path
    version: int
    files_read: int
    files_kept: int
    left_out: int
    rebuilt: bool


class Reading:
    """The rows with these labels of one version of a table of texts.

    Args:
        place: the table's.
        version: of it.
        labels: ids of labels; None for all.
        check: raises as soon as less may be read; asked before each file.
    """

    def __init__(
        self,
        place: Location,
        version: int,
        labels: Iterable[str] | None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._place = place
        self._check = check
        with legible(place):
            opened = place.delta(version)
            self._rows: Any = opened.to_pyarrow_dataset()
            self.table, self.version = str(opened.metadata().id), version
            self._files: dict[str, Any] = {file.path: file for file in self._rows.get_fragments()}
            self.labels = frozenset(self._all() if labels is None else labels)
        self.names = named(self._files)

    def undone(self, before: Source) -> deque[str]:
        """The files that have something that was not read before: new ones, and those with rows
        of a label that was not read then."""
        paths = [path for path, name in self.names.items() if name not in before.files]
        new = self.labels - before.labels
        if before.files and new:
            fresh = set(paths)
            with legible(self._place):
                likely = self._rows.get_fragments(filter=_among(new))
                paths += [f.path for f in likely if f.path not in fresh and self._num(f, new)]
        return deque(paths)

    @cached_property
    def left_out(self) -> int:
        """How many rows have another label, or none."""
        with legible(self._place):
            whole: int = self._rows.count_rows()
            read: int = self._rows.count_rows(filter=_among(self.labels))
        return whole - read

    def some(self, left: deque[str], taken: list[str]) -> Iterator[Texts]:
        """The texts of the next files, which go from `left` to `taken`; some 64 MB or one file."""
        from halocline_governance.detect.batch import Texts

        size = 0
        while left and size < _STEP_BYTES:
            self._check()
            path = left.popleft()
            with legible(self._place):
                scanner = self._files[path].scanner(
                    schema=self._rows.schema, columns=["text"], filter=_among(self.labels)
                )
                for batch in scanner.to_batches():
                    if batch.num_rows:
                        texts = Texts.of_arrow(batch["text"])
                        size += texts.num_bytes
                        yield texts
            taken.append(path)

    def _all(self) -> list[str]:
        import pyarrow.compute as pc

        labels: list[Any] = pc.unique(self._rows.to_table(columns=["label_id"])["label_id"])
        return [label.as_py() for label in labels if label.is_valid]

    def _num(self, file: Any, labels: Iterable[str]) -> int:
        return file.scanner(schema=self._rows.schema, filter=_among(labels)).count_rows()


def refresh(
    folder: Path,
    compartment: str,
    reading: Reading,
    secret: bytes,
    names: Iterable[str | Restricted] | None = None,
) -> Refreshed:
    """Bring the fingerprints in this folder up to what the reading gives.

    Processes that do so at the same time wait for one another.

    Args:
        names: restricted to the compartment, in place of those that are there; those when None.

    Raises:
        Denied: less may be read by now.
        Refused: a text is none, or what is there is damaged and no names are given for it.
        StorageUnavailable: the table cannot be read.
    """
    from halocline_governance.detect.segregation import FingerprintIndex, Restricted, shelf

    draft = folder.with_name(folder.name + ".draft")
    with shelf.in_turn(folder.with_name(_LOCK)):
        begun = folder.exists() and any(path.suffix for path in folder.iterdir())
        kept = shelf.names(folder, secret) if names is None and begun else (names or ())
        listed = frozenset(Restricted.read(name) for name in kept)
        empty = FingerprintIndex.build(compartment, (), secret)
        before = _source(folder, reading, secret)
        target = folder
        if before is None and begun:
            target, before = draft, _source(draft, reading, secret)
        if before is None:
            shutil.rmtree(target, ignore_errors=True)
            before = Source(reading.table, labels=reading.labels)
            shelf.write(target, empty, secret, before)
        left = reading.undone(before)
        num_read = len(left)
        _read(target, empty, reading, (left, before), secret)
        files = frozenset(reading.names.values())
        done = Source(reading.table, files, reading.labels, reading.version, reading.left_out)
        if target is draft:
            made = replace(FingerprintIndex.load(draft, secret), names=listed)
            shelf.write(folder, made, secret, done)
            del made
            shutil.rmtree(draft)
        elif (before, shelf.names(folder, secret)) != (done, listed):
            shelf.set_names(folder, listed, secret, done)
        shutil.rmtree(draft, ignore_errors=True)
    kept_files = len(files) - num_read
    rebuilt = target is draft
    return Refreshed(folder, reading.version, num_read, kept_files, done.left_out, rebuilt)


def _read(
    target: Path,
    empty: FingerprintIndex,
    reading: Reading,
    work: tuple[deque[str], Source],
    secret: bytes,
) -> None:
    """Add the files that are left, step by step; each says what is there then."""
    from halocline_governance.detect.segregation import FingerprintIndex, shelf

    left, before = work
    # Of what was read before, only rows with these are known; it is all of it when the last step
    # is done.
    labels = before.labels & reading.labels if before.files else reading.labels
    files = before.files
    while left:
        taken: list[str] = []
        batches = reading.some(left, taken)
        index = FingerprintIndex.of_batches(empty.compartment, batches, secret)
        files |= {reading.names[path] for path in taken}
        shelf.extend(target, index, secret, Source(reading.table, files, labels))


def _source(folder: Path, reading: Reading, secret: bytes) -> Source | None:
    """Of what the fingerprints there are, if they are sound and the table still holds all of it."""
    from halocline_governance.detect.segregation import FingerprintIndex, shelf

    try:
        FingerprintIndex.load(folder, secret)
        source = shelf.source_of(folder, secret)
    except Refused:
        return None
    if source is None or source.table != reading.table:
        return None
    return source if source.files <= frozenset(reading.names.values()) else None


def _among(labels: Iterable[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.field("label_id").isin(pa.array(sorted(labels), pa.string()))
