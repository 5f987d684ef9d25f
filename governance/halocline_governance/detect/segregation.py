"""Whose text stands in this text: keyed fingerprints of compartments' texts, and restricted names.

Any verbatim run of 80 characters of the normal form (case, accents, white space folded) is found.
What the public compartment holds too is nobody's secret and is subtracted.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect import tensorfile
from halocline_governance.detect.face import ByText
from halocline_governance.detect.shingle import Plain, rolled, spaced, tags, winnowed
from halocline_governance.detect.verdict import Finding, Span, byte_offsets
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from halocline_governance.label import Label

WIDTH = 50
RUN = 80
PUBLIC = "public"
_FORMAT = "halocline fingerprints 1"
_SPAN = RUN - WIDTH + 1
_WORD = re.compile(r"\w+")
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A restricted name: how many words, the keyed tag of the first, and of all."""

    words: int
    first: str
    whole: str

    @classmethod
    def of(cls, name: str, key: bytes) -> Name:
        words = _WORD.findall(_string(spaced(name)))
        if not words or len(" ".join(words)) > _LONGEST_NAME // 2:
            raise Refused(f"restricted name: give 1 to {_LONGEST_NAME // 2} characters of words")
        return cls(len(words), _tag(words[0], key), _tag(" ".join(words), key))


@dataclass(frozen=True, slots=True)
class FingerprintIndex:
    """One compartment's fingerprints, sorted, and the keyed tags of its restricted names."""

    compartment: str
    prints: NDArray[np.uint64] = field(repr=False)
    names: frozenset[Name] = frozenset()

    @classmethod
    def build(
        cls, compartment: str, texts: Iterable[str], key: bytes, names: Iterable[str] = ()
    ) -> FingerprintIndex:
        """From the compartment's texts and the names restricted to it."""
        import numpy as np

        parts = [np.zeros(0, dtype=np.uint64)]
        parts += [_prints(spaced(text), key)[1] for text in texts]
        return cls(
            compartment,
            np.unique(np.concatenate(parts)),
            frozenset(Name.of(name, key) for name in names),
        )

    def merge(self, other: FingerprintIndex) -> FingerprintIndex:
        """Both indexes of one compartment; the order doesn't matter."""
        import numpy as np

        if other.compartment != self.compartment:
            raise Refused("fingerprints: merge indexes of one compartment only")
        return FingerprintIndex(
            self.compartment, np.union1d(self.prints, other.prints), self.names | other.names
        )

    def save(self, path: Path) -> None:
        """A safetensors file: fingerprints as uint64, the rest on its card."""
        names = [[name.words, name.first, name.whole] for name in sorted(self.names)]
        card = {"format": _FORMAT, "compartment": self.compartment, "names": names}
        tensorfile.write(path, card, {"prints": self.prints})

    @classmethod
    def load(cls, path: Path) -> FingerprintIndex:
        """What `save` wrote. Raises `Refused` on anything else."""
        import numpy as np

        card, arrays = tensorfile.read(path, _FORMAT)
        try:
            names = frozenset(Name(int(n), str(a), str(b)) for n, a, b in card["names"])
            return cls(str(card["compartment"]), arrays["prints"].astype(np.uint64), names)
        except (ValueError, KeyError, TypeError):
            raise Refused(f"{path.name}: not a fingerprint file; write it with save()") from None


@dataclass(frozen=True, slots=True)
class SegregationDetector(ByText):
    """Finds text of compartments outside `allowed`; kinds are `text:<compartment>`, `name:<…>`."""

    indexes: Sequence[FingerprintIndex]
    key: bytes = field(repr=False)
    allowed: frozenset[str] = frozenset((PUBLIC,))
    id: str = "segregation@1"

    @property
    def kinds(self) -> frozenset[str]:
        """One for text and one for names of each compartment."""
        compartments = {index.compartment for index in self.indexes}
        return frozenset(f"{what}:{name}" for what in ("text", "name") for name in compartments)

    def for_label(self, label: Label) -> SegregationDetector:
        """The same detector for an answer of this label: what the label covers may stand in it."""
        allowed = (index.compartment for index in self.indexes if _covers(label, index.compartment))
        return SegregationDetector(self.indexes, self.key, frozenset((PUBLIC, *allowed)), self.id)

    def holdback(self, text: str) -> int:
        """What holds the last run that could still become a shared one, or a name's beginning."""
        start = spaced(text).tail(max(RUN + _SPAN, _LONGEST_NAME + 1))
        return len(text[start:].encode("utf-8", "surrogatepass")) if start >= 0 else 0

    def find(self, text: str) -> Finding:
        plain = spaced(text)
        found = [*self._shared(plain), *self._named(plain)]
        offsets = byte_offsets(text, [at for start, end, _ in found for at in (start, end)])
        return Finding(tuple(Span(offsets[a], offsets[b], kind, 1.0) for a, b, kind in found))

    def _barred(self) -> list[FingerprintIndex]:
        return [index for index in self.indexes if index.compartment not in self.allowed]

    def _shared(self, plain: Plain) -> Iterator[tuple[int, int, str]]:
        places, prints = _prints(plain, self.key)
        free = _member(
            prints, [index.prints for index in self.indexes if index.compartment in self.allowed]
        )
        for index in self._barred():
            hits = places[~free & _member(prints, [index.prints])]
            for start, end in _runs(plain, hits.tolist()):
                yield start, end, f"text:{index.compartment}"

    def _named(self, plain: Plain) -> Iterator[tuple[int, int, str]]:
        free = {
            name
            for index in self.indexes
            if index.compartment in self.allowed
            for name in index.names
        }
        owners = {
            name: index.compartment for index in self._barred() for name in index.names - free
        }
        if not owners:
            return
        for start, end, name in _names(plain, owners.keys(), self.key):
            yield start, end, f"name:{owners[name]}"


def _covers(label: Label, compartment: str) -> bool:
    """Whether an answer of this label may hold text of that compartment."""
    side, _, tenant = compartment.partition(".")
    return side in label.sides and (not tenant or tenant in label.tenants)


def _prints(plain: Plain, key: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """The chosen windows of a text: where they start, and their keyed fingerprints."""
    values = rolled(plain, WIDTH, key)
    places = winnowed(values, _SPAN)
    return places, tags(values[places], key)


def _member(prints: NDArray[np.uint64], stores: Sequence[NDArray[np.uint64]]) -> NDArray[np.bool_]:
    """Which fingerprints are in one of the sorted stores, by binary search."""
    import numpy as np

    found = np.zeros(len(prints), dtype=bool)
    for store in stores:
        if len(store):
            at = np.minimum(np.searchsorted(store, prints), len(store) - 1)
            found |= store[at] == prints
    return found


def _runs(plain: Plain, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Windows at these places as runs of characters; those a winnowing span apart are one."""
    run: tuple[int, int] | None = None
    for at in starts:
        if run is not None and at <= run[1] + _SPAN:
            run = (run[0], at + WIDTH)
            continue
        if run is not None:
            yield _characters(plain, run)
        run = (at, at + WIDTH)
    if run is not None:
        yield _characters(plain, run)


def _characters(plain: Plain, run: tuple[int, int]) -> tuple[int, int]:
    return int(plain.where[run[0]]), int(plain.where[run[1] - 1]) + 1


def _names(plain: Plain, names: Iterable[Name], key: bytes) -> Iterator[tuple[int, int, Name]]:
    """Restricted names among the text's words, whatever stands between the words."""
    known = set(names)
    firsts = {name.first for name in known}
    counts = sorted({name.words for name in known})
    found = list(_WORD.finditer(_string(plain)))
    tagged = {word: _tag(word, key) for word in {match[0] for match in found}}
    for at, match in enumerate(found):
        if tagged[match[0]] not in firsts:
            continue
        for count in counts:
            words = found[at : at + count]
            if len(words) < count or words[-1].end() - match.start() > _LONGEST_NAME:
                break
            whole = _tag(" ".join(word[0] for word in words), key)
            name = Name(count, tagged[match[0]], whole)
            if name in known:
                start, end = _characters(plain, (match.start(), words[-1].end()))
                yield start, end, name


def _string(plain: Plain) -> str:
    return "".join(map(chr, plain.codes.tolist()))


def _tag(words: str, key: bytes) -> str:
    return hmac.digest(key, b"name\0" + words.encode("utf-8", "surrogatepass"), hashlib.sha256)[
        :12
    ].hex()
