"""Where governed tables lie: one folder a compartment, and the lease to write one.

    lake/<compartment>/<schema>/<table>    a Delta table
    lake/<compartment>/_labels/<label_id>  one interned label, named by its own hash
    lake/<compartment>/_leases/<table>     locked by the one process that may write

Knows nothing of who may read what: that is the guard's.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from halocline_governance import tables
from halocline_governance.errors import LeaseHeld, Refused, UnknownLabel
from halocline_governance.interned import Interned
from halocline_governance.label import SYSTEM, Label
from halocline_governance.location import Location


@dataclass(frozen=True, slots=True)
class Lake:
    """A local lake. Every directory it makes is the owner's alone."""

    root: Path
    _interned: Interned = field(default_factory=Interned, init=False, repr=False, compare=False)

    def location(self, compartment: str, table: str) -> Location:
        """Where one Delta table lies and what opens it, whether it exists yet or not."""
        return Location(str(self.path(compartment, table)))

    def path(self, compartment: str, table: str) -> Path:
        """The folder of one Delta table, whether it exists yet or not."""
        schema, _, name = tables.table(table).name.partition(".")
        return self._compartment(compartment) / schema / name

    def compartments(self) -> list[str]:
        """Every compartment that holds data, `system` left out."""
        if not self.root.is_dir():
            return []
        return sorted(
            entry.name for entry in self.root.iterdir() if entry.is_dir() and entry.name != SYSTEM
        )

    def holding(self, table: str) -> list[str]:
        """The compartments in which this table exists."""
        return [c for c in [*self.compartments(), SYSTEM] if self.exists(c, table)]

    def exists(self, compartment: str, table: str) -> bool:
        return (self.path(compartment, table) / "_delta_log").is_dir()

    def version(self, compartment: str, table: str) -> int | None:
        """The newest committed version, or None when the table does not exist."""
        from deltalake import DeltaTable

        if not self.exists(compartment, table):
            return None
        return DeltaTable(self.path(compartment, table)).version()

    def intern(self, label: Label, compartment: str | None = None) -> str:
        """Make a label known where its rows lie, durably, and return its id.

        Raises:
            NoCompartment: the label has no compartment and none is given.
        """
        folder = self._compartment(compartment or label.compartment) / "_labels"
        target = folder / label.label_id
        if not target.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_durably(target, label.canonical())
        return label.label_id

    def labels(self, compartment: str) -> Mapping[str, Label]:
        """Every label interned here, by id: the same mapping as long as nothing changed. A file
        that is not the label it is named after is left out, so that its rows are unreadable."""
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
        """
        path = self.path(compartment, table)
        folder = self._compartment(compartment) / "_leases"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / table, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LeaseHeld(
                    f"{compartment}:{table} is being written by another process; try again"
                    " when it is done"
                ) from error
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield path
        finally:
            os.close(handle)

    def _compartment(self, name: str) -> Path:
        parts = name.split(".")
        if not name or any(not part or not set(part) <= _NAME for part in parts):
            raise Refused("a compartment is named `public`, a side, or side.tenant")
        return self.root / name


_NAME = set("abcdefghijklmnopqrstuvwxyz0123456789-")


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
