"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Checked:
    """What was checked and held, what did not, and what was not looked at."""

    held: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])
    open: dict[str, str] = field(default_factory=dict[str, str])
    """By what it needs: `journal`, `lake`, `away`, `detector`, `html`, `pdf`."""

    @property
    def ok(self) -> bool:
        """Whether nothing that was checked is wrong."""
        return not self.faults

    def add(self, other: Checked, *needs: str) -> None:
        """Take in a further check, which had what these need."""
        self.held += other.held
        self.faults += other.faults
        for name in needs:
            self.open.pop(name, None)
        self.open |= other.open

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "checked": self.held,
            "faults": self.faults,
            "not_checked": list(self.open.values()),
        }

    def same(self, name: str, told: object, again: object, source: str) -> None:
        """A fault, unless what the report tells is what its source gives again."""
        if told != again:
            self.faults.append(f"{name}: {source} gives something else")
