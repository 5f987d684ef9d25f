"""Canaries: invented secrets planted in a compartment's text, and the detector that knows them.

The detector's file holds keyed fingerprints of the windows of each secret's normal form, never a
secret. Case, accents, white space and punctuation don't hide a canary; a changed word does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByText
from halocline_governance.detect.shingle import Plain, rolled, squeezed, tags
from halocline_governance.detect.verdict import Finding, Span, byte_offsets
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTH = 24
_HEAD_BITS = 24
_FORMAT = "halocline canaries 1"
_SPOKEN = (
    "amber anchor basalt beacon birch bramble candle canyon cedar cinder cobalt copper coral"
    " crane delta ember falcon fennel fjord garnet glacier harbor hazel heron indigo iris"
    " ivory jasper juniper kelp lagoon lantern larch linen lotus maple marble meadow mercury"
    " mist nectar nickel oak obsidian onyx opal orchid otter pearl pebble pine quartz raven"
    " reed saffron sage sierra slate sparrow spruce tulip velvet walnut willow"
)
_WORDS = tuple(_SPOKEN.split())


@dataclass(frozen=True, slots=True)
class Canary:
    """One planted secret; `text` must never come out, and is not in the repr."""

    id: str
    compartment: str
    text: str = field(repr=False)


def mint(seed: int, n: int, compartment: str) -> tuple[Canary, ...]:
    """n canaries, the same for the same arguments: six words and eight digits."""
    canaries: list[Canary] = []
    for number in range(n):
        bits = hashlib.shake_256(f"canary\0{seed}\0{compartment}\0{number}".encode()).digest(16)
        words = " ".join(_WORDS[byte % len(_WORDS)] for byte in bits[:6])
        code = int.from_bytes(bits[6:14], "big") % 10**8
        canaries.append(
            Canary(f"{compartment}-{seed}-{number}", compartment, f"{words} {code:08d}")
        )
    return tuple(canaries)


@dataclass(frozen=True, slots=True)
class Mark:
    """What the detector keeps of a canary: per window a few bits to sift by, and a keyed tag."""

    id: str
    compartment: str
    heads: tuple[int, ...]
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CanaryDetector(ByText):
    """Finds any run of 24 letters and digits of a planted canary. Its one kind is `canary`."""

    marks: tuple[Mark, ...]
    key: bytes = field(repr=False)
    id: str = "canary@1"
    kinds: frozenset[str] = frozenset(("canary",))

    @classmethod
    def of(cls, canaries: Iterable[Canary], key: bytes) -> CanaryDetector:
        return cls(tuple(_mark(canary, key) for canary in canaries), key)

    def holdback(self, text: str) -> int:
        """The bytes that hold the last 23 letters and digits: a canary may have begun there."""
        start = squeezed(text).tail(WIDTH - 1) if self.marks else -1
        return len(text[start:].encode("utf-8", "surrogatepass")) if start >= 0 else 0

    def ids(self, text: str) -> tuple[str, ...]:
        """Which canaries stand in the text, for an alert."""
        _, owners = self._matches(squeezed(text))
        return tuple(sorted(set(owners)))

    def save(self, path: Path) -> None:
        """A JSON file with neither a secret nor the key."""
        marks = [
            {"id": m.id, "compartment": m.compartment, "heads": m.heads, "tags": m.tags}
            for m in self.marks
        ]
        path.write_text(json.dumps({"format": _FORMAT, "marks": marks}) + "\n")

    @classmethod
    def load(cls, path: Path, key: bytes) -> CanaryDetector:
        """What `save` wrote. Raises `Refused` on anything else."""
        try:
            content = json.loads(path.read_text())
            if content["format"] != _FORMAT:
                raise ValueError
            marks = tuple(
                Mark(str(m["id"]), str(m["compartment"]), _ints(m["heads"]), _ints(m["tags"]))
                for m in content["marks"]
            )
        except (ValueError, KeyError, TypeError):
            raise Refused(f"{path.name}: not a canary file; write it with save()") from None
        return cls(marks, key)

    def find(self, text: str) -> Finding:
        plain = squeezed(text)
        places, _ = self._matches(plain)
        runs: list[tuple[int, int]] = []
        for at in places:
            start, end = int(plain.where[at]), int(plain.where[at + WIDTH - 1]) + 1
            if runs and start < runs[-1][1]:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        offsets = byte_offsets(text, [at for run in runs for at in run])
        return Finding(
            tuple(Span(offsets[start], offsets[end], "canary", 1.0) for start, end in runs)
        )

    def _matches(self, plain: Plain) -> tuple[list[int], list[str]]:
        """Where windows of canaries start, and whose they are."""
        import numpy as np

        values = rolled(plain, WIDTH, self.key)
        heads = np.array([head for mark in self.marks for head in mark.heads], dtype=np.uint64)
        likely = np.flatnonzero(np.isin(_heads(values), heads))
        owner = {tag: mark.id for mark in self.marks for tag in mark.tags}
        found = zip(likely.tolist(), tags(values[likely], self.key).tolist(), strict=True)
        hits = [(at, owner[tag]) for at, tag in found if tag in owner]
        return [at for at, _ in hits], [name for _, name in hits]


def _mark(canary: Canary, key: bytes) -> Mark:
    values = rolled(squeezed(canary.text), WIDTH, key)
    if not len(values):
        raise Refused(f"canary {canary.id}: give it at least {WIDTH} letters and digits")
    return Mark(
        canary.id,
        canary.compartment,
        tuple(_heads(values).tolist()),
        tuple(tags(values, key).tolist()),
    )


def _heads(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    import numpy as np

    return values >> np.uint64(64 - _HEAD_BITS)


def _ints(values: Iterable[object]) -> tuple[int, ...]:
    numbers = tuple(values)
    if not all(type(number) is int for number in numbers):
        raise ValueError
    return tuple(number for number in numbers if isinstance(number, int))
