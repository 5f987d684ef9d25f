"""What a report is pinned to: journal sizes and table versions. The same pin, the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import records
from halocline_governance.journal.merkle import Tree, leaf_hash
from halocline_governance.journal.scan import heads


@dataclass(frozen=True, slots=True)
class LogPin:
    """The first `size` records of a log, by their Merkle root; `sealed` of them were signed."""

    size: int
    root: str
    sealed: int

    def as_json(self) -> dict[str, Any]:
        return {"size": self.size, "root": self.root, "sealed": self.sealed}


@dataclass(frozen=True, slots=True)
class Pin:
    """`logs` by name; `tables` as compartment:schema.table to version."""

    logs: Mapping[str, LogPin]
    tables: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "logs": {name: self.logs[name].as_json() for name in sorted(self.logs)},
            "tables": dict(sorted(self.tables.items())),
        }


def parse(obj: Mapping[str, Any]) -> Pin:
    """A pin from the `pin` of an earlier report's JSON."""
    return Pin({name: LogPin(**log) for name, log in obj["logs"].items()}, dict(obj["tables"]))


def take(journal_dir: Path) -> dict[str, LogPin]:
    """Where every log stands now."""
    sealed = {head.log: head.size for head in heads(journal_dir)}
    logs: dict[str, LogPin] = {}
    for folder in sorted(journal_dir.glob("log-*")):
        tree = Tree(leaf_hash(payload) for payload in _records(folder))
        signed = min(sealed.get(folder.name, 0), tree.size)
        logs[folder.name] = LogPin(tree.size, tree.root.hex(), signed)
    return logs


def pinned_records(journal_dir: Path, logs: Mapping[str, LogPin]) -> Iterator[tuple[str, bytes]]:
    """Each pinned record's log and bytes.

    Raises:
        JournalCorrupt: a log no longer begins with the records that were pinned.
    """
    for name in sorted(logs):
        tree, pin = Tree(), logs[name]
        for payload in _records(journal_dir / name):
            if tree.size == pin.size:
                break
            tree.append(leaf_hash(payload))
            yield name, payload
        if tree.size != pin.size or tree.root.hex() != pin.root:
            raise JournalCorrupt(name, f"its first {pin.size} records are not those pinned")


def _records(folder: Path) -> Iterator[bytes]:
    """The records up to the first that cannot be read: what is wrong is `verify`'s business."""
    try:
        for _, payload in records(folder.parent, folder.name):
            yield payload
    except JournalCorrupt:
        return
