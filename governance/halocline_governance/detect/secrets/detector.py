"""Finds secrets in a batch at once: anchors over the whole buffer, then one check at each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.secrets import anchor, block, judge
from halocline_governance.detect.secrets.context import BESIDE, URLS
from halocline_governance.detect.secrets.format import BEHIND, LONGEST, TOKEN, Form, opening
from halocline_governance.detect.secrets.issuers import ISSUED
from halocline_governance.detect.stream import LocalStream, Looked, Stream
from halocline_governance.detect.verdict import Span

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

FORMS: tuple[Form, ...] = (*ISSUED, *URLS, *BESIDE)
KINDS = (*dict.fromkeys(form.kind for form in FORMS), block.KIND)

_OPEN_TOKEN = re.compile(rb"[%s]{1,%d}\Z" % (TOKEN, LONGEST))

_BLOCK = opening(block.KIND, block.BEGIN.decode(), "", judge.plain)


@dataclass(frozen=True, slots=True)
class SecretDetector(ByBatch):
    """Credentials in published forms, and what looks like one beside a word that says so.

    Args:
        engine: `hyperscan` or `stdlib`; None takes hyperscan where it is installed. The answer is
            the same.
    """

    engine: str | None = None
    id: str = "secrets@2"
    kinds: frozenset[str] = frozenset(KINDS)

    def find_batch(self, texts: Texts) -> BatchVerdict:
        from bisect import bisect_right

        from halocline_governance.detect.batch import BatchVerdict, Spans

        data, offsets = texts.data.tobytes(), texts.offsets.tolist()
        found: list[tuple[int, Span]] = []
        row, low, high, last = -1, 0, 0, 0
        for start, number in _candidates(data, self.engine):
            if start >= high:
                row = bisect_right(offsets, start) - 1
                low, high, last = offsets[row], offsets[row + 1], offsets[row]
            hit = _hit(data, start, number, low, high) if start >= last else None
            if hit is not None:
                end, kind, score = hit
                found.append((row, Span(start - low, end - low, kind, score)))
                last = end
        return BatchVerdict.of(self.id, texts, Spans.listed(found))

    def stream(self) -> Stream:
        return LocalStream(self.id, self._look, BEHIND)

    def _look(self, window: bytes, start: int, final: bool) -> Looked:
        settled = len(window) if final else max(start, _open(window, start))
        spans: list[Span] = []
        last = start
        for at, number in _candidates(window, self.engine):
            if at < last or at >= settled:
                continue
            hit = _hit(window, at, number, 0, len(window))
            if hit is None:
                continue
            if hit[0] > settled:
                settled = at
                break
            spans.append(Span(at, *hit))
            last = hit[0]
        return Looked(spans, settled)


def _candidates(data: bytes, engine: str | None) -> Iterator[tuple[int, int]]:
    """Places in order; at one place issuers' forms stand before others, as FORMS has them."""
    yield from _anchors(engine)(data)


@cache
def _anchors(engine: str | None) -> anchor.Anchors:
    return anchor.engine((*FORMS, _BLOCK), engine)


def _hit(
    data: bytes, start: int, number: int, low: int, high: int
) -> tuple[int, str, float] | None:
    if number == len(FORMS):
        found, kind = block.at(data, start, low, high), block.KIND
    else:
        found, kind = FORMS[number].at(data, start, low, high), FORMS[number].kind
    return None if found is None else (found[0], kind, found[1])


def _open(window: bytes, start: int) -> int:
    """From where on later text can change what was found: an open token, or an open private key."""
    token = _OPEN_TOKEN.search(window, max(0, len(window) - LONGEST))
    settled = token.start() if token else len(window)
    at = window.find(block.BEGIN, start)
    while 0 <= at < settled:
        if block.is_open(window, at):
            return at
        at = window.find(block.BEGIN, at + 1)
    return settled
