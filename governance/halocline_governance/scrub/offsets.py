"""Where a place of the old text is in the new one, and back: byte offsets through a rewrite.

Laws (tests/governance/test_scrub_offsets.py), for a map of x to y: both directions never decrease;
outside what was replaced each is the other's inverse and the bytes are equal; `then` is what the
two rewrites, one after the other, do.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from halocline_governance.detect.verdict import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `old_start:old_end` of the old text became `new_start:new_end` of the new one."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """The edits of one rewrite in order; without any, the texts are the same."""

    edits: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, replaced: Iterable[tuple[int, int, int]]) -> OffsetMap:
        """From (start, end, new length), in order and without overlap."""
        edits: list[Edit] = []
        grown = 0
        for start, end, length in replaced:
            edits.append(Edit(start, end, start + grown, start + grown + length))
            grown += length - (end - start)
        return cls(tuple(edits))

    def new(self, old: int, *, end: bool = False) -> int:
        """The place in the new text. Within what was replaced: where it starts or, for the end of
        something, where it ends."""
        find = bisect_left if end else bisect_right
        at = find(self.edits, old, key=_old_start) - 1
        if at < 0:
            return old
        edit = self.edits[at]
        return _moved(old, edit.old_end, edit.new_start, edit.new_end, end=end)

    def old(self, new: int, *, end: bool = False) -> int:
        """The place in the old text; the inverse of `new`."""
        find = bisect_left if end else bisect_right
        at = find(self.edits, new, key=_new_start) - 1
        if at < 0:
            return new
        edit = self.edits[at]
        return _moved(new, edit.new_end, edit.old_start, edit.old_end, end=end)

    def span(self, span: Span) -> Span:
        """An annotation of the old text in the new one: it grows to whole replacements, and is
        empty where all of it was dropped."""
        start = self.new(span.start)
        return Span(start, max(start, self.new(span.end, end=True)), span.kind, span.score)

    def then(self, later: OffsetMap) -> OffsetMap:
        """This rewrite and then another: old text to the newest. Edits that overlap in the text
        between become one."""
        if not self.edits or not later.edits:
            return later if not self.edits else self
        between = [(edit.new_start, edit.new_end) for edit in self.edits]
        between += [(edit.old_start, edit.old_end) for edit in later.edits]
        return OffsetMap(
            tuple(
                Edit(
                    self.old(start, end=True), self.old(end),
                    later.new(start, end=True), later.new(end),
                )
                for start, end in _clusters(between)
            )
        )  # fmt: skip

    def kept(self, old_length: int) -> Iterator[tuple[int, int, int]]:
        """The runs that were not replaced: (old start, new start, length), none of them empty."""
        ends = [0, *(edit.old_end for edit in self.edits)]
        news = [0, *(edit.new_end for edit in self.edits)]
        starts = [*(edit.old_start for edit in self.edits), old_length]
        for end, new, start in zip(ends, news, starts, strict=True):
            if start > end:
                yield end, new, start - end


def _old_start(edit: Edit) -> int:
    return edit.old_start


def _new_start(edit: Edit) -> int:
    return edit.new_start


def _moved(place: int, edit_end: int, start: int, stop: int, *, end: bool) -> int:
    """A place behind the beginning of an edit that ends at `edit_end`, there, where the edit is
    `start:stop`."""
    if place >= edit_end:
        return stop + place - edit_end
    return stop if end else start


def _clusters(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges that overlap as one; an empty range joins all that it touches."""
    result: list[tuple[int, int]] = []
    empty = -1  # the last place of an empty range
    for start, end in sorted(ranges):
        empty = start if start == end else empty
        first, last = result[-1] if result else (0, -1)
        if start < last or start == last == empty:
            result[-1] = (first, max(end, last))
        else:
            result.append((start, end))
    return result
