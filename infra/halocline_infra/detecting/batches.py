"""Texts gathered to batches: so many bytes at a time, in the order of the input."""

from __future__ import annotations

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
"""For detectors that take long: their answers come as they are made."""


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
    size: Size
    _ids: list[Id] = field(default_factory=list[Id], repr=False)
    _places: list[int] = field(default_factory=list[int])
    _rows: list[bytes] = field(default_factory=list[bytes], repr=False)
    _bad: dict[int, str] = field(default_factory=dict[int, str])
    _bytes: int = 0

    def add(self, ident: Id, text: bytes | str, place: int) -> bool:
        """A text in UTF-8, or as `str` the reason why there is none; whether it is time to take."""
        if isinstance(text, str):
            self._bad[len(self._rows)] = text
            text = b""
        self._ids.append(ident)
        self._places.append(place)
        self._rows.append(text)
        self._bytes += len(text)
        return self._bytes >= self.size.num_bytes or len(self._rows) >= self.size.num_rows

    def taken(self) -> Iterator[Batch]:
        """What is gathered, if there is any; then it is empty."""
        from halocline_governance.detect.batch import Texts

        if not self._rows:
            return
        texts = Texts.of(self._rows)
        texts = replace(texts, bad={**texts.bad, **self._bad})
        batch = Batch(self.source, self._ids, self._places, texts)
        self._ids, self._places, self._rows, self._bad, self._bytes = [], [], [], {}, 0
        yield batch
