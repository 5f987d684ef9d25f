"""Which files of which Delta table the fingerprints on a shelf are of.

A data file of a Delta table never changes: text comes in new files, and goes with the files that
held it. So fingerprints are behind when the table has files that they know nothing of, and must be
made anew when it has lost one that they know: a tag that is gone cannot be told from the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_FIELDS = ("table", "files", "labels", "version", "left_out")


@dataclass(frozen=True, slots=True)
class Source:
    """What was read: of these files of the table with this id, the rows with these labels.

    `version` is the table's that all of it was read of, None while some is still to be read;
    `left_out` counts the rows of that version whose label was none of these.
    """

    table: str
    files: frozenset[str] = field(default=frozenset(), repr=False)
    labels: frozenset[str] = frozenset()
    version: int | None = None
    left_out: int = 0

    def is_whole(self, version: int) -> bool:
        """Whether every row of this version of the table was read."""
        return self.version == version and self.left_out == 0

    def as_json(self) -> dict[str, Any]:
        """For the shelf's manifest; the same for equal sources."""
        return {
            "table": self.table,
            "files": sorted(self.files),
            "labels": sorted(self.labels),
            "version": self.version,
            "left_out": self.left_out,
        }

    @classmethod
    def read(cls, told: dict[str, Any]) -> Source:
        """What `as_json` gave."""
        table, files, labels, version, left_out = (told[name] for name in _FIELDS)
        return cls(table, frozenset(files), frozenset(labels), version, left_out)


def named(paths: Iterable[str]) -> dict[str, str]:
    """Names of files, by path: shorter than the paths, and free of what a path may tell."""
    return {path: hashlib.sha256(path.encode()).hexdigest()[:24] for path in paths}
