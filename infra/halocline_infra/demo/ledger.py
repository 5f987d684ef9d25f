"""Which steps of the demo are done, with what they found, so that a killed run goes on.

A step counts as done once its result is durable. Every step may be repeated: what it writes is
keyed by content, so a step killed half-way is simply run again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halocline_governance import durable
from halocline_governance.errors import Refused

# What the platform makes in its home, and a new story begins without. Keys and benches stay, and so
# does everything that is not ours.
_MADE = (
    "lake", "journal", "mlflow", "models", "policy", "reports", "scratch", "state/lineage",
    "training", "demo",
)  # fmt: skip


@dataclass(slots=True)
class Result:
    """What one step found. `facts` are told; `denied` are refusals; `notes` later steps read."""

    facts: list[str] = field(default_factory=list[str])
    denied: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    artefacts: dict[str, str] = field(default_factory=dict[str, str])
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "facts": self.facts,
            "denied": self.denied,
            "artefacts": self.artefacts,
            "notes": self.notes,
            "seconds": self.seconds,
        }


class Ledger:
    """The steps done so far under one home, for one set of inputs."""

    def __init__(self, home: Path, inputs: dict[str, Any]) -> None:
        canonical = json.dumps(inputs, sort_keys=True).encode()
        self._inputs = hashlib.sha256(canonical).hexdigest()
        self._path = home / "demo" / f"steps-{self._inputs[:12]}.json"
        self._results = self._load()

    @property
    def run_id(self) -> str:
        """Names this story: the same inputs give the same id."""
        return f"demo-{self._inputs[:12]}"

    @property
    def results(self) -> dict[str, Result]:
        """Every step that is done, in order."""
        return dict(self._results)

    def done(self, step: str) -> Result | None:
        return self._results.get(step)

    def finish(self, step: str, result: Result) -> None:
        """Record a step as done, durably."""
        self._results[step] = result
        told = {name: found.as_json() for name, found in self._results.items()}
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        durable.write(self._path, json.dumps({"inputs": self._inputs, "steps": told}, indent=1))

    def _load(self) -> dict[str, Result]:
        if not self._path.exists():
            return {}
        try:
            told = json.loads(self._path.read_bytes())
            if told["inputs"] != self._inputs:
                return {}
            return {name: Result(**found) for name, found in told["steps"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refused(
                f"{self._path} is damaged; remove it and run again,"
                " or start clean with make demo FRESH=1"
            ) from None


def start_clean(home: Path) -> None:
    """Remove what an earlier demo left under `home`; keys, benches and foreign files stay.

    Raises:
        Refused: the lake in `home` was there before any demo, so it is not ours to remove.
    """
    for leftover in home.glob(".discarded-*"):
        shutil.rmtree(leftover)
    present = [home / name for name in _MADE if (home / name).exists()]
    if not present:
        return
    if (home / "lake").exists() and not (home / "demo" / "begun").exists():
        raise Refused(f"{home} was not made by the demo; give HALOCLINE_HOME another folder")
    trash = home / f".discarded-{os.getpid()}"
    trash.mkdir()
    # The demo's marker goes last: killed in between, the next run still knows whose this is.
    for path in sorted(present, key=lambda path: path.name == "demo"):
        path.rename(trash / path.name)
    shutil.rmtree(trash)


def mark_begun(home: Path) -> None:
    """Leave the mark by which `start_clean` knows a home of its own: no lake was there before."""
    if (home / "lake").exists():
        return
    (home / "demo").mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "demo" / "begun").touch()
