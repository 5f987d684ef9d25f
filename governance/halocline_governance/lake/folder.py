"""One compartment in a folder of this machine: its tables' places, its labels, its leases."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from halocline_governance import durable
from halocline_governance.label import Label
from halocline_governance.lake.interned import Interned, label_at
from halocline_governance.lake.lease import locked
from halocline_governance.lake.location import Location


@dataclass(frozen=True, slots=True)
class Folder:
    """Every directory it makes is the owner's alone.

    Args:
        root: the lake's folder.
        name: the compartment's, and its folder's in there.
        interned: what the lake remembers of its folders' labels.
    """

    is_open: ClassVar[bool] = True

    root: Path
    name: str
    interned: Interned

    @property
    def path(self) -> Path:
        return self.root / self.name

    def location(self, schema: str, name: str) -> Location:
        """A table's place."""
        return Location(str(self.path / schema / name))

    def exists(self, schema: str, name: str) -> bool:
        """Whether a Delta table lies there."""
        return (self.path / schema / name / "_delta_log").is_dir()

    def intern(self, label: Label) -> None:
        """Make the label known here; a file of its name that is not it is replaced."""
        path = self.path / "_labels" / label.label_id
        if label_at(path) is None:
            self.make(path.parent)
            durable.write(path, label.canonical())

    def labels(self) -> Mapping[str, Label]:
        """Every label interned here, by id: the same mapping as long as nothing changed."""
        return self.interned.labels(self.path / "_labels")

    @contextmanager
    def lease(self, schema: str, name: str) -> Generator[Location]:
        """Hold the right to write one table: a lock of the kernel, gone with its process.

        Raises:
            LeaseHeld: another process writes it now.
        """
        table = f"{schema}.{name}"
        with locked(self.make(self.path / "_leases") / table, f"{self.name}:{table}"):
            self.make(self.path / schema)
            yield self.location(schema, name)

    def make(self, folder: Path) -> Path:
        """A folder of ours. `mkdir` would give the ones above it whatever mode is usual, and in a
        home that others may enter anybody could list the compartments."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in reversed(folder.relative_to(self.root).parents[:-1]):
            (self.root / part).mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder
