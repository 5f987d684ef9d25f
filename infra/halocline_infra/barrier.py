"""What stands between compartments at the release gate: fingerprints as they are, never behind.

An answer is scanned against every compartment that its label does not cover. If one of those holds
curated text that its fingerprints do not know, the answer is `unscanned`: what could have been said
of that text, nobody looked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.errors import Refused, StorageUnavailable

if TYPE_CHECKING:
    from halocline_governance.detect import Detector
    from halocline_governance.detect.segregation import FingerprintIndex, SegregationDetector
    from halocline_governance.label import Label
    from halocline_governance.lake import Lake

EVERY_S = 5.0
"""How often fingerprints and tables are looked at; what came since is not known to be missing."""
MISSING = "fingerprints: missing"
BEHIND = "fingerprints: behind the table"
DAMAGED = "fingerprints: damaged, or of another version"
AWAY = "fingerprints: the table is out of reach"


@dataclass(frozen=True, slots=True)
class _Held:
    """One compartment's index, the manifest's stamp that it was read by, and why it is no use."""

    stamp: tuple[int, int, int] | None
    index: FingerprintIndex | None = None
    version: int | None = None
    left_out: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _State:
    detector: SegregationDetector
    unready: dict[str, str] = field(default_factory=dict[str, str])


class Barrier:
    """Gives the segregation detector for a label. Safe to use from many threads.

    Args:
        lake: whose compartments are kept apart.
        table: the one whose text is fingerprinted.
        folder: of a compartment's fingerprints.
        secret: what they are keyed with.
        steady: seconds of a clock that never jumps.
    """

    def __init__(
        self,
        lake: Lake,
        table: str,
        folder: Callable[[str], Path],
        secret: bytes,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lake = lake
        self._table = table
        self._folder = folder
        self._secret = secret
        self._steady = steady
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._state = self._looked(None)
        self._at = steady()

    def for_label(self, label: Label) -> Detector:
        """What looks for text and names that this label does not cover."""
        from halocline_governance.detect.segregation.detector import PUBLIC, covers
        from halocline_governance.detect.segregation.unready import Unready

        self._look()
        state = self._state
        for compartment, reason in state.unready.items():
            if compartment != PUBLIC and not covers(label, compartment):
                return Unready(state.detector.id, state.detector.kinds, reason)
        return state.detector.for_label(label)

    def unready(self) -> dict[str, str]:
        """The compartments that cannot be looked for now, and why."""
        with self._lock:
            self._state = self._looked(self._state)
            return dict(self._state.unready)

    def _look(self) -> None:
        """Once in a while one of those who ask looks anew; the others go by what was seen."""
        if self._steady() - self._at < EVERY_S or not self._lock.acquire(blocking=False):
            return
        try:
            self._state = self._looked(self._state)
            self._at = self._steady()
        finally:
            self._lock.release()

    def _looked(self, before: _State | None) -> _State:
        from halocline_governance.detect.segregation import SegregationDetector

        held = {name: self._one(name) for name in self._lake.compartments()}
        reasons = {name: self._reason(name, one) for name, one in held.items()}
        unready = {name: reason for name, reason in reasons.items() if reason is not None}
        indexes = [one.index for one in held.values() if one.index is not None]
        old = [one.index for one in self._held.values() if one.index is not None]
        self._held = held
        same = len(indexes) == len(old) and all(a is b for a, b in zip(indexes, old, strict=True))
        if before is not None and same:
            return _State(before.detector, unready)
        return _State(SegregationDetector(indexes, self._secret), unready)

    def _one(self, compartment: str) -> _Held:
        """What lies there; read again only when it was replaced."""
        from halocline_governance.detect.segregation import FingerprintIndex, shelf

        folder = self._folder(compartment)
        stamp, known = _stamp(folder / shelf.MANIFEST), self._held.get(compartment)
        if known is not None and known.stamp == stamp and known.reason is None:
            return known
        if stamp is None and not folder.exists():
            return _Held(None)
        try:
            index, source = FingerprintIndex.load(folder, self._secret), None
            source = shelf.source_of(folder, self._secret)
        except Refused:
            return _Held(stamp, reason=DAMAGED)
        if source is None:
            return _Held(stamp, index)
        return _Held(stamp, index, source.version, source.left_out)

    def _reason(self, compartment: str, held: _Held) -> str | None:
        if held.reason is not None:
            return held.reason
        try:
            version = self._lake.version(compartment, self._table)
        except (StorageUnavailable, Refused):
            return AWAY
        if version is None:
            return None
        if held.index is None:
            return MISSING
        return None if (held.version, held.left_out) == (version, 0) else BEHIND


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_mtime_ns, seen.st_size
