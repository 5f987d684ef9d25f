"""What the engines of other makers share: the text cut into parts they can read, and their kinds.

An engine reads a text whole, or, if it is long, in parts cut at line ends: none is skipped. Its
spans depend on the whole part, so a stream settles nothing before the end of the text.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator

from halocline_governance.detect.face import ByText
from halocline_governance.detect.verdict import Finding, Span, byte_offsets

KINDS = frozenset(("person", "organization", "location"))
# One part's characters: spaCy refuses a text of over 1,000,000 and takes 1 GB for 100,000.
PART = 50_000


class ByParts(ByText):
    """A foreign engine: `entities` of one part, in characters, with the kinds of `KINDS`."""

    __slots__ = ()

    @abstractmethod
    def entities(self, part: str) -> Iterable[tuple[int, int, str, float]]:
        """(start, end, kind, score) in this part."""

    def find(self, text: str) -> Finding:
        found = [
            (start + at, end + at, kind, score)
            for at, part in parts(text)
            for start, end, kind, score in self.entities(part)
        ]
        places = byte_offsets(text, [place for row in found for place in row[:2]])
        return Finding(
            tuple(
                Span(places[start], places[end], kind, score) for start, end, kind, score in found
            )
        )

    def holdback(self, text: str) -> int:
        return len(text.encode("utf-8", "surrogatepass"))


def parts(text: str, most: int = PART) -> Iterator[tuple[int, str]]:
    """The text in parts of at most so many characters, cut behind a blank line, a line's end or a
    space, whichever is there first; each with its place."""
    at = 0
    while at < len(text):
        end = min(at + most, len(text))
        if end < len(text):
            half = at + most // 2
            for mark in ("\n\n", "\n", " "):
                cut = text.rfind(mark, half, end)
                if cut >= 0:
                    end = cut + len(mark)
                    break
        yield at, text[at:end]
        at = end
