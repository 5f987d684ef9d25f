"""Where governed tables lie: one folder a compartment, and the lease to write one.

    lake/<compartment>/<schema>/<table>    a Delta table
    lake/<compartment>/_labels/<label_id>  one interned label, named by its own hash
    lake/<compartment>/_leases/<table>     locked by the one process that may write

Beside the folder, `lake.yaml` may put compartments into buckets, where the same names follow its
prefix (docs/object-storage.md). Knows nothing of who may read what: that is the guard's.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from halocline_governance import places, tables
from halocline_governance.errors import LeaseHeld, Refused, UnknownLabel
from halocline_governance.interned import Interned
from halocline_governance.label import SYSTEM, Label
from halocline_governance.location import Location
from halocline_governance.remote import Remote


@dataclass(frozen=True, slots=True)
class Lake:
    """A local lake, some compartments of which may lie in buckets. Every directory it makes is
    the owner's alone.

    Args:
        root: the folder of the compartments that lie here.
        remote: the others, by name. Without its credential, such a compartment does not exist.
    """

    root: Path
    remote: Mapping[str, Remote] = field(default_factory=dict[str, Remote], hash=False, repr=False)
    _interned: Interned = field(default_factory=Interned, init=False, repr=False, compare=False)

    @classmethod
    def at(cls, home: Path) -> Lake:
        """The lake of this home, as its `lake.yaml` says.

        Raises:
            Refused: that file is not as it must be, or names a compartment that is none.
        """
        named = places.read(home / "lake.yaml")
        lake = cls(home / "lake", {name: Remote(name, place) for name, place in named.items()})
        for name in named:
            check_compartment(name)
        return lake

    def location(self, compartment: str, table: str) -> Location:
        """Where one Delta table lies and what opens it, whether it exists yet or not.

        Raises:
            Refused: the compartment's credential cannot be used.
        """
        bucket = self.remote.get(compartment)
        if bucket is None:
            return Location(str(self.path(compartment, table)))
        schema, name = _named(table)
        if not bucket.is_open:
            # No compartment has such a name, so nothing lies there nor ever will.
            return Location(str(self.root / "_unopened" / compartment / schema / name))
        return bucket.location(schema, name)

    def path(self, compartment: str, table: str) -> Path:
        """The folder of one Delta table, whether it exists yet or not.

        Raises:
            Refused: the compartment lies in a bucket.
        """
        if compartment in self.remote:
            raise Refused(f"{compartment} lies in a bucket, and this reads and writes folders only")
        schema, name = _named(table)
        return self._compartment(compartment) / schema / name

    def compartments(self) -> list[str]:
        """Every compartment that holds data, `system` left out; those in buckets when this process
        has their credential."""
        here = self.root.iterdir() if self.root.is_dir() else ()
        names = {entry.name for entry in here if entry.is_dir() and _is_name(entry.name)}
        opened = {name for name, bucket in self.remote.items() if bucket.is_open}
        return sorted((names - self.remote.keys() | opened) - {SYSTEM})

    def holding(self, table: str) -> list[str]:
        """The compartments in which this table exists."""
        return [c for c in [*self.compartments(), SYSTEM] if self.exists(c, table)]

    def exists(self, compartment: str, table: str) -> bool:
        bucket = self.remote.get(compartment)
        if bucket is not None:
            return bucket.is_open and bucket.exists(*_named(table))
        return (self.path(compartment, table) / "_delta_log").is_dir()

    def version(self, compartment: str, table: str) -> int | None:
        """The newest committed version, or None when the table does not exist."""
        from deltalake import DeltaTable

        if not self.exists(compartment, table):
            return None
        place = self.location(compartment, table)
        with place.reached():
            return DeltaTable(place.uri, storage_options=dict(place.storage_options)).version()

    def intern(self, label: Label, compartment: str | None = None) -> str:
        """Make a label known where its rows lie, durably, and return its id.

        Raises:
            NoCompartment: the label has no compartment and none is given.
        """
        name = compartment or label.compartment
        if name in self.remote:
            self._opened(name).intern(label)
            return label.label_id
        folder = self._compartment(name) / "_labels"
        target = folder / label.label_id
        if not target.exists():
            self._make(folder)
            _write_durably(target, label.canonical())
        return label.label_id

    def labels(self, compartment: str) -> Mapping[str, Label]:
        """Every label interned here, by id: the same mapping as long as nothing changed. A file
        that is not the label it is named after is left out, so that its rows are unreadable."""
        bucket = self.remote.get(compartment)
        if bucket is not None:
            return bucket.labels() if bucket.is_open else {}
        return self._interned.labels(self._compartment(compartment) / "_labels")

    def label(self, compartment: str, label_id: str) -> Label:
        """One interned label.

        Raises:
            UnknownLabel: it was never interned here, or its file is not what its name says.
        """
        label = self.labels(compartment).get(label_id)
        if label is None:
            raise UnknownLabel(f"label {label_id} is not known in compartment {compartment}")
        return label

    @contextmanager
    def lease(self, compartment: str, table: str) -> Generator[Path]:
        """Hold the right to write one table; yields its folder.

        Raises:
            LeaseHeld: another process writes it now.
            Refused: the compartment lies in a bucket.
        """
        path = self.path(compartment, table)
        folder = self._compartment(compartment) / "_leases"
        self._make(folder)
        handle = os.open(folder / table, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LeaseHeld(
                    f"{compartment}:{table} is being written by another process; try again"
                    " when it is done"
                ) from error
            self._make(path.parent)
            yield path
        finally:
            os.close(handle)

    @contextmanager
    def claim(self, compartment: str, table: str) -> Generator[Location]:
        """Hold the right to write one table, wherever it lies; yields its location.

        Raises:
            LeaseHeld: another process writes it now, or took it over from a bucket's claimant who
                did not answer for a minute.
            Refused: no credential for the compartment.
            StorageUnavailable: the bucket cannot be reached.
        """
        if compartment not in self.remote:
            with self.lease(compartment, table):
                yield self.location(compartment, table)
            return
        bucket, (schema, name) = self._opened(compartment), _named(table)
        with bucket.lease(f"{schema}.{name}"):
            yield bucket.location(schema, name)

    def _opened(self, compartment: str) -> Remote:
        bucket = self.remote[compartment]
        if not bucket.is_open:
            raise Refused(f"this process has no credential for compartment {compartment}")
        return bucket

    def _make(self, folder: Path) -> None:
        """A folder of ours. `mkdir` would give the ones above it whatever mode is usual, and in a
        home that others may enter anybody could list the compartments."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in reversed(folder.relative_to(self.root).parents[:-1]):
            (self.root / part).mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)

    def _compartment(self, name: str) -> Path:
        check_compartment(name)
        return self.root / name


def check_compartment(name: str) -> None:
    """Whether a compartment can have this name, which says nothing of whether one has.

    Raises:
        Refused: it cannot.
    """
    if not _is_name(name):
        raise Refused("a compartment is named `public`, a side, or side.tenant")


_NAME = set("abcdefghijklmnopqrstuvwxyz0123456789-")


def _is_name(compartment: str) -> bool:
    return all(part and set(part) <= _NAME for part in compartment.split("."))


def _named(table: str) -> tuple[str, str]:
    schema, _, name = tables.table(table).name.partition(".")
    return schema, name


def _write_durably(target: Path, content: bytes) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
