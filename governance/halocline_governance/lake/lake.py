"""Where governed tables lie: one folder a compartment, and the lease to write one.

    lake/<compartment>/<schema>/<table>    a Delta table
    lake/<compartment>/_labels/<label_id>  one interned label, named by its own hash
    lake/<compartment>/_leases/<table>     locked by the one process that may write

Beside the folder, `lake.yaml` may put compartments into buckets, where the same names follow its
prefix (docs/object-storage.md). Knows nothing of who may read what: that is the guard's.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from halocline_governance import tables
from halocline_governance.errors import Refused, UnknownLabel
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lake import places
from halocline_governance.lake.bucket import Bucket
from halocline_governance.lake.folder import Folder
from halocline_governance.lake.interned import Interned
from halocline_governance.lake.location import Location


@dataclass(frozen=True, slots=True)
class Lake:
    """A local lake, some compartments of which may lie in buckets. Every directory it makes is
    the owner's alone.

    Args:
        root: the folder of the compartments that lie here.
        remote: the others, by name. Without its credential, such a compartment does not exist.
    """

    root: Path
    remote: Mapping[str, Bucket] = field(default_factory=dict[str, Bucket], hash=False, repr=False)
    _interned: Interned = field(default_factory=Interned, init=False, repr=False, compare=False)

    @classmethod
    def at(cls, home: Path) -> Lake:
        """The lake of this home, as its `lake.yaml` says.

        Raises:
            Refused: that file is not as it must be, or names a compartment that is none.
        """
        named = places.read(home / "lake.yaml")
        for name in named:
            check_compartment(name)
        return cls(home / "lake", {name: Bucket(name, place) for name, place in named.items()})

    def location(self, compartment: str, table: str) -> Location:
        """Where one Delta table lies and what opens it, whether it exists yet or not.

        Raises:
            Refused: the compartment's credential cannot be used.
        """
        schema, name = _named(table)
        there = self._at(compartment)
        if not there.is_open:
            # No compartment has such a name, so nothing lies there nor ever will.
            return Location(str(self.root / "_unopened" / compartment / schema / name))
        return there.location(schema, name)

    def path(self, compartment: str, table: str) -> Path:
        """The folder of one Delta table, whether it exists yet or not.

        Raises:
            Refused: the compartment lies in a bucket.
        """
        there = self._at(compartment)
        if not isinstance(there, Folder):
            raise Refused(f"{compartment} lies in a bucket, and this reads and writes folders only")
        return there.path.joinpath(*_named(table))

    def compartments(self) -> list[str]:
        """Every compartment that holds data, `system` left out; those in buckets when this process
        has their credential."""
        here = os.scandir(self.root) if self.root.is_dir() else ()
        names = {entry.name for entry in here if entry.is_dir() and _is_name(entry.name)}
        opened = {name for name, bucket in self.remote.items() if bucket.is_open}
        return sorted((names - self.remote.keys() | opened) - {SYSTEM})

    def holding(self, table: str) -> list[str]:
        """The compartments in which this table exists."""
        return [c for c in [*self.compartments(), SYSTEM] if self.exists(c, table)]

    def exists(self, compartment: str, table: str) -> bool:
        """Whether this table was made here.

        Raises:
            StorageUnavailable: the compartment's bucket failed or refused.
        """
        there = self._at(compartment)
        return there.is_open and there.exists(*_named(table))

    def version(self, compartment: str, table: str) -> int | None:
        """The newest committed version, or None when the table does not exist."""
        if not self.exists(compartment, table):
            return None
        place = self.location(compartment, table)
        with place.reached():
            return place.delta().version()

    def intern(self, label: Label, compartment: str | None = None) -> str:
        """Make a label known where its rows lie, durably, and return its id.

        Raises:
            NoCompartment: the label has no compartment and none is given.
            Refused: no credential for the compartment.
            StorageUnavailable: its bucket failed or refused.
        """
        self._opened(compartment or label.compartment).intern(label)
        return label.label_id

    def labels(self, compartment: str) -> Mapping[str, Label]:
        """Every label interned here, by id: the same mapping as long as nothing changed. A file
        that is not the label it is named after is left out, so that its rows are unreadable."""
        there = self._at(compartment)
        return there.labels() if there.is_open else {}

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
    def lease(self, compartment: str, table: str) -> Generator[Location]:
        """Hold the right to write one table; yields where it lies.

        Raises:
            LeaseHeld: another process writes it now, or took it over from a bucket's holder who
                did not answer for a minute.
            Refused: no credential for the compartment.
            StorageUnavailable: its bucket failed or refused.
        """
        schema, name = _named(table)
        with self._opened(compartment).lease(schema, name) as place:
            yield place

    def work(self, compartment: str, name: str) -> Path:
        """A folder on this machine, made if need be, for files on their way into a compartment,
        wherever that lies.

        Raises:
            Refused: no credential for the compartment.
        """
        self._opened(compartment)
        here = Folder(self.root, compartment, self._interned)
        return here.make(here.path / f"_{name}")

    def _at(self, compartment: str) -> Folder | Bucket:
        bucket = self.remote.get(compartment)
        if bucket is not None:
            return bucket
        check_compartment(compartment)
        return Folder(self.root, compartment, self._interned)

    def _opened(self, compartment: str) -> Folder | Bucket:
        there = self._at(compartment)
        if not there.is_open:
            raise Refused(f"this process has no credential for compartment {compartment}")
        return there


def check_compartment(name: str) -> None:
    """Whether a compartment can have this name, which says nothing of whether one has.

    Raises:
        Refused: it cannot.
    """
    if not _is_name(name):
        raise Refused("a compartment is named `public`, a side, side.tenant, or x.CROSSING")


_NAME = set("abcdefghijklmnopqrstuvwxyz0123456789-")


def _is_name(compartment: str) -> bool:
    return all(part and set(part) <= _NAME for part in compartment.split("."))


def _named(table: str) -> tuple[str, str]:
    schema, _, name = tables.table(table).name.partition(".")
    return schema, name
