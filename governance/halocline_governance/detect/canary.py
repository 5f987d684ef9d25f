"""Canaries: invented secrets planted in a compartment's text, and the detector that knows them.

The detector's file holds keyed tags of the windows of each secret's normal form, never a secret.
Case, accents, look-alikes, white space, punctuation and line ends don't hide a canary, nor does
leaving out all but 24 of its letters and digits; a changed letter hides the windows it lies in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance import durable
from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.verdict import Span
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts
    from halocline_governance.detect.segregation.compiled import Bytes
    from halocline_governance.detect.segregation.spots import Spots
    from halocline_governance.detect.segregation.tail import Look
    from halocline_governance.detect.stream import Stream

WIDTH = 24
_FORMAT = "halocline canaries 2"
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
    """What the detector keeps of a canary: of each window some bits to pass others over by, and a
    keyed tag."""

    id: str
    compartment: str
    windows: tuple[tuple[int, int], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CanaryDetector(ByBatch):
    """Finds any run of 24 letters and digits of a planted canary. Its one kind is `canary`."""

    marks: tuple[Mark, ...]
    key: bytes = field(repr=False)
    id: str = "canary@2"
    kinds: frozenset[str] = frozenset(("canary",))
    _made: dict[str, Spots] = field(default_factory=dict[str, Any], compare=False, repr=False)

    @classmethod
    def of(cls, canaries: Iterable[Canary], key: bytes) -> CanaryDetector:
        return cls(tuple(_mark(canary, key) for canary in canaries), key)

    def ids(self, text: str) -> tuple[str, ...]:
        """Which canaries stand in the text, for an alert. A lone surrogate stands for nothing."""
        import numpy as np

        from halocline_governance.detect.segregation.form import form

        data = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
        made = form(data, np.array([0, len(data)], dtype=np.int64))
        _, tags = self._spots().places(made)
        found = set(tags.tolist())
        return tuple(
            sorted(mark.id for mark in self.marks if any(tag in found for _, tag in mark.windows))
        )

    def find_batch(self, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict, Spans
        from halocline_governance.detect.segregation.tail import by_pieces

        return BatchVerdict.of(
            self.id, texts, Spans.listed(by_pieces(texts, self.stream, self._in))
        )

    def stream(self) -> Stream:
        from halocline_governance.detect.segregation.tail import Tail

        return Tail(self.id, self._look)

    def save(self, path: Path) -> None:
        """A JSON file with neither a secret nor the key, there whole or not at all."""
        marks = [
            {"id": m.id, "compartment": m.compartment, "windows": [list(w) for w in m.windows]}
            for m in self.marks
        ]
        told: dict[str, Any] = {"format": _FORMAT, "marks": marks}
        durable.write(path, json.dumps({**told, "mac": _mac(told, self.key)}) + "\n")

    @classmethod
    def load(cls, path: Path, key: bytes) -> CanaryDetector:
        """What `save` wrote with this key. Raises `Refused` on anything else."""
        try:
            content = json.loads(path.read_text())
            mac = content.pop("mac")
            if content["format"] != _FORMAT or not hmac.compare_digest(mac, _mac(content, key)):
                raise ValueError
            marks = tuple(
                Mark(m["id"], m["compartment"], tuple((int(a), int(b)) for a, b in m["windows"]))
                for m in content["marks"]
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise Refused(
                f"{path.name}: not a canary file of this key, or damaged; plant again"
            ) from None
        return cls(marks, key)

    def _spots(self) -> Spots:
        if "spots" not in self._made:
            from halocline_governance.detect.segregation.spots import Spots

            windows = (window for mark in self.marks for window in mark.windows)
            self._made["spots"] = Spots.of(WIDTH, windows, self.key)
        return self._made["spots"]

    def _in(self, data: Bytes, offsets: Any) -> list[tuple[int, int, str]]:
        from halocline_governance.detect.segregation.form import form

        spans, _ = self._spots().spans(data, form(data, offsets), 0, True)
        return [(start, end, "canary") for start, end in spans]

    def _look(self, data: Bytes, floors: dict[str, int], ended: bool) -> Look:
        import numpy as np

        from halocline_governance.detect.segregation import kept
        from halocline_governance.detect.segregation.form import form
        from halocline_governance.detect.segregation.tail import Look

        if not self.marks:
            return Look((), {"": len(data)}, len(data))
        made = form(data, np.array([0, len(data)], dtype=np.int64))
        spans, floor = self._spots().spans(data, made, floors.get("", 0), ended)
        found = [Span(start, end, "canary", 1.0) for start, end in spans]
        return Look(found, {"": floor}, kept.start(data, made, floor))


def _mark(canary: Canary, key: bytes) -> Mark:
    from halocline_governance.detect.segregation.spots import marks_of

    windows = tuple(marks_of(canary.text, WIDTH, key))
    if not windows:
        raise Refused(f"canary {canary.id}: give it at least {WIDTH} letters and digits")
    return Mark(canary.id, canary.compartment, windows)


def _mac(told: dict[str, Any], key: bytes) -> str:
    content = json.dumps(told, sort_keys=True).encode()
    return hmac.digest(key, b"canaries\0" + content, hashlib.sha256).hex()
