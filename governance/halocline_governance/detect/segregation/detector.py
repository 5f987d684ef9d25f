"""The detector of other compartments' text and names, over a whole batch, a text, or a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.batch import BatchVerdict, Spans, Texts
from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.segregation import kept, prf, windows
from halocline_governance.detect.segregation.chains import chains
from halocline_governance.detect.segregation.form import form
from halocline_governance.detect.segregation.index import FingerprintIndex, check_of
from halocline_governance.detect.segregation.naming import Naming
from halocline_governance.detect.segregation.tail import Look, Tail, by_pieces
from halocline_governance.detect.verdict import Span
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Mask, Places, Tags
    from halocline_governance.detect.segregation.form import Form
    from halocline_governance.detect.stream import Stream
    from halocline_governance.label import Label

PUBLIC = "public"
Found = tuple[int, int, str]


class SegregationDetector(ByBatch):
    """Finds text of compartments outside `allowed`; kinds are `text:<compartment>`, `name:<…>`.

    What an allowed compartment holds too is not found. `key` is the secret that the indexes were
    built with: `Refused` if it is not.
    """

    id = "segregation@3"

    def __init__(
        self,
        indexes: Sequence[FingerprintIndex],
        key: bytes,
        allowed: frozenset[str] = frozenset((PUBLIC,)),
    ) -> None:
        if {index.check for index in indexes} - {check_of(key)}:
            raise Refused("segregation: an index was built with another secret")
        self.indexes = tuple(indexes)
        self.allowed = allowed
        self._key = key
        self._order = windows.order(key)
        self._tag = prf.key_of(key, "text")
        self._free = [index for index in self.indexes if index.compartment in allowed]
        self._barred: dict[str, list[FingerprintIndex]] = {}
        for index in self.indexes:
            if index.compartment not in allowed:
                self._barred.setdefault(index.compartment, []).append(index)
        # Answers of one label follow on each other: what is made for a label is kept.
        self._bound: dict[frozenset[str], SegregationDetector] = {allowed: self}
        self._naming = Naming.of(
            {c: [n for index in held for n in index.names] for c, held in self._barred.items()},
            [name for index in self._free for name in index.names],
        )

    def __repr__(self) -> str:
        return f"SegregationDetector({', '.join(sorted(self._barred))})"

    @property
    def kinds(self) -> frozenset[str]:
        """One for text and one for names of each compartment."""
        compartments = {index.compartment for index in self.indexes}
        return frozenset(f"{what}:{name}" for what in ("text", "name") for name in compartments)

    def for_label(self, label: Label) -> SegregationDetector:
        """The same detector for an answer of this label: what the label covers may stand in it."""
        covered = (index.compartment for index in self.indexes if covers(label, index.compartment))
        allowed = frozenset((PUBLIC, *covered))
        if allowed not in self._bound:
            self._bound[allowed] = SegregationDetector(self.indexes, self._key, allowed)
        return self._bound[allowed]

    def find_batch(self, texts: Texts) -> BatchVerdict:
        spans = by_pieces(texts, self.stream, self._found)
        return BatchVerdict.of(self.id, texts, Spans.listed(spans))

    def stream(self) -> Stream:
        return Tail(self.id, self._look)

    def _found(self, data: Bytes, offsets: Places) -> list[Found]:
        """Everything in these whole rows; kinds are full names."""
        made = form(data, offsets)
        found = [(a, b, f"name:{owner}") for a, b, owner in self._naming.found(data, offsets, made)]
        places = windows.chosen(made.codes, made.firsts, self._order, True)
        for owner, held in self._held(made, places.places).items():
            made_of = chains((data, offsets), made, places, held, (0, True))
            ends = zip(made_of.starts.tolist(), made_of.ends.tolist(), strict=True)
            found += [(a, b, f"text:{owner}") for a, b in ends]
        return found

    def _held(self, made: Form, places: Places) -> dict[str, tuple[Mask, Mask]]:
        """By barred compartment that holds any of these windows: which it holds, which are free."""
        tags = prf.tags(made.room, places, windows.WIDTH, self._tag)
        hits = {owner: _any(held, tags) for owner, held in self._barred.items()}
        hits = {owner: hit for owner, hit in hits.items() if hit.any()}
        if not hits:
            return {}
        free = np.zeros(len(tags), dtype=np.bool_)
        some = np.logical_or.reduce(list(hits.values()))
        free[some] = _any(self._free, tags[some])
        return {owner: (hit, free) for owner, hit in hits.items()}

    def _look(self, data: Bytes, floors: dict[str, int], ended: bool) -> Look:
        """One row of which `data` is the part that is still needed (`tail`)."""
        offsets = np.array([0, len(data)], dtype=np.int64)
        made = form(data, offsets)
        text = (data, offsets)
        moved: dict[str, int] = {}
        spans: list[Span] = []
        names = floors.get("", 0)
        moved[""] = kept.names(data, made, self._naming.longest, names, ended)
        for start, end, owner in self._naming.found(data, offsets, made):
            if names <= start < moved[""]:
                spans.append(Span(start, end, f"name:{owner}", 1.0))
        places = windows.chosen(
            made.codes, made.firsts, self._order, kept.closed(data, made, ended)
        )
        held = self._held(made, places.places)
        none = np.zeros(len(places), dtype=np.bool_)
        for owner in self._barred:
            masks = held.get(owner, (none, none))
            run = chains(text, made, places, masks, (floors.get(owner, 0), ended))
            moved[owner] = run.floor
            ends = zip(run.starts.tolist(), run.ends.tolist(), strict=True)
            spans += [Span(a, b, f"text:{owner}", 1.0) for a, b in ends]
        return Look(spans, moved, kept.start(data, made, min(moved.values(), default=len(data))))


def _any(indexes: Sequence[FingerprintIndex], tags: Tags) -> Mask:
    found = np.zeros(len(tags), dtype=np.bool_)
    for index in indexes:
        found |= index.holds(tags)
    return found


def covers(label: Label, compartment: str) -> bool:
    """Whether an answer of this label may hold text of that compartment."""
    side, _, tenant = compartment.partition(".")
    return side in label.sides and (not tenant or tenant in label.tenants)
