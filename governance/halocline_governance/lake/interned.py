"""Interned labels: files named by their own hash, so that a label once checked stays right.

What a folder holds is remembered, and looked up anew whenever the folder changed. A change in the
same tick of the clock as the one before it leaves no trace in the folder's time, so a listing is
only remembered when the folder was old enough by then.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from halocline_governance.errors import MalformedLabel
from halocline_governance.label import Label, parse

# Kernels stamp files by a clock that ticks every 1 to 10 ms; some file systems keep whole seconds.
_TICK_NS = 100_000_000
_COARSE_TICK_NS = 2_500_000_000
_MAX_BYTES = 1 << 20
_NAME = re.compile(r"l[0-9a-f]{32}\Z")
_NONE: Mapping[str, Label] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a folder held when it bore this stamp; settled when no later change can bear it too."""

    stamp: tuple[int, int, int, int]
    settled: bool
    labels: Mapping[str, Label]


class Interned:
    """Reads folders of labels, each file once. Safe for threads, without a lock that a fork could
    find held: two that look at the same moment both read. A copy starts with nothing."""

    def __init__(self) -> None:
        self._listings: dict[Path, _Listing] = {}

    def __reduce__(self) -> tuple[type[Interned], tuple[()]]:
        return Interned, ()

    def labels(self, folder: Path) -> Mapping[str, Label]:
        """The labels that lie here now, by id: the same object as long as nothing changed."""
        known = self._listings.get(folder)
        try:
            stamp = _stamp(folder)
            if known is not None and known.settled and known.stamp == stamp:
                return known.labels
            listing = _listing(folder, known)
            self._listings[folder] = listing
        except (FileNotFoundError, NotADirectoryError):
            return _NONE
        return listing.labels


def checked(label_id: str, content: bytes) -> Label | None:
    """The label whose canonical form these bytes are, if that is the one with this id."""
    if "l" + hashlib.sha256(content).hexdigest()[:32] != label_id:
        return None
    try:
        label = parse(json.loads(content))
    except (MalformedLabel, ValueError, RecursionError):
        return None
    # Canonical to the byte: so no key stands twice, and no other reader sees another label.
    return label if label.canonical() == content else None


def label_at(path: Path) -> Label | None:
    """The label that this file is named after, if it is there and is that."""
    try:
        return checked(path.name, _read(path))
    except OSError:
        return None


def is_label_id(name: str) -> bool:
    return _NAME.match(name) is not None


def _listing(folder: Path, before: _Listing | None) -> _Listing:
    known = before.labels if before else _NONE
    stamp, now = _stamp(folder), time.time_ns()
    with os.scandir(folder) as entries:
        names = {entry.name for entry in entries if is_label_id(entry.name)}
    changed = max(stamp[2:])
    settled = now - changed > (_TICK_NS if changed % 1_000_000 else _COARSE_TICK_NS)
    if names == set(known):
        return _Listing(stamp, settled, known)
    found: dict[str, Label] = {}
    for name in sorted(names):
        label = known.get(name)
        if label is None:
            label = label_at(folder / name)
        if label is not None:
            found[name] = label
        else:
            settled = False  # a file mended in place leaves no trace in the folder's time
    if found.keys() == known.keys():
        return _Listing(stamp, settled, known)
    return _Listing(stamp, settled, MappingProxyType(found))


def _read(path: Path) -> bytes:
    # Neither follows a link nor waits at a pipe: a label is a file of its own.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        return file.read(_MAX_BYTES)


def _stamp(folder: Path) -> tuple[int, int, int, int]:
    seen = folder.stat()
    return seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns
