"""Texts gathered to batches, in the order of the input: small ones first, so that answers come
at once, then as big as still come promptly, so that many texts go fast."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from halocline_infra.detecting.record import Id

if TYPE_CHECKING:
    from halocline_governance.detect.batch import Texts


@dataclass(frozen=True, slots=True)
class Size:
    """How much a batch holds, if no single text is bigger."""

    num_bytes: int
    num_rows: int


FAST = Size(8 << 20, 1 << 16)
SLOW = Size(1 << 18, 1 << 8)
"""For detectors that score: even where all texts need the encoder, answers come as made."""
_FIRST = Size(1 << 14, 1 << 4)
_SOON_S, _LATE_S = 0.1, 0.5
_WAIT_S = 0.25


@dataclass(slots=True)
class Pace:
    """How big the next batch is, by how long the last took; one for all sources of a command."""

    most: Size = FAST
    now: Size = _FIRST

    def took(self, seconds: float) -> None:
        """What a batch of this size took: a quick one lets the next be four times as big."""
        if seconds < _SOON_S:
            size = Size(self.now.num_bytes * 4, self.now.num_rows * 4)
        elif seconds > _LATE_S:
            size = Size(self.now.num_bytes // 4, self.now.num_rows // 4)
        else:
            return
        self.now = Size(
            max(_FIRST.num_bytes, min(size.num_bytes, self.most.num_bytes)),
            max(_FIRST.num_rows, min(size.num_rows, self.most.num_rows)),
        )

    def asked(self, batch: Batch) -> Iterator[Batch]:
        """This batch, and what whoever takes it makes of it is timed."""
        began = time.monotonic()
        yield batch
        self.took(time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some texts of one source. `places` are the numbers of their lines or rows, from 1."""

    source: str
    ids: Sequence[Id] = field(repr=False)
    places: Sequence[int]
    texts: Texts

    def __len__(self) -> int:
        return len(self.places)


@dataclass(slots=True)
class Gathering:
    """Rows on their way into a batch."""

    source: str
    pace: Pace
    _ids: list[Id] = field(default_factory=list[Id], repr=False)
    _places: list[int] = field(default_factory=list[int])
    _rows: list[bytes] = field(default_factory=list[bytes], repr=False)
    _bad: dict[int, str] = field(default_factory=dict[int, str])
    _bytes: int = 0
    _since: float = 0.0

    def add(self, ident: Id, text: bytes | str, place: int) -> bool:
        """A text in UTF-8, or as `str` the reason why there is none; whether it is time to take."""
        if not self._rows:
            self._since = time.monotonic()
        if isinstance(text, str):
            self._bad[len(self._rows)] = text
            text = b""
        self._ids.append(ident)
        self._places.append(place)
        self._rows.append(text)
        self._bytes += len(text)
        size = self.pace.now
        return self._bytes >= size.num_bytes or len(self._rows) >= size.num_rows

    def waited(self) -> bool:
        """Whether the first of them was added so long ago that somebody may wait for an answer."""
        return bool(self._rows) and time.monotonic() - self._since > _WAIT_S

    def taken(self) -> Iterator[Batch]:
        """What is gathered, if there is any; then it is empty."""
        from halocline_governance.detect.batch import Texts

        if not self._rows:
            return
        texts = Texts.of(self._rows)
        texts = replace(texts, bad={**texts.bad, **self._bad})
        batch = Batch(self.source, self._ids, self._places, texts)
        self._ids, self._places, self._rows, self._bad, self._bytes = [], [], [], {}, 0
        yield from self.pace.asked(batch)
