"""Texts with what was found in them, as one HTML page for people: no script, no outer resource.

Texts are hostile: everything is escaped, characters that reorder or hide text are shown as their
code points, and a content policy allows nothing but this page's own style.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from halocline_infra.detecting.page_style import COLOURS, STYLE
from halocline_infra.detecting.tally import Tally, place

if TYPE_CHECKING:
    from halocline_infra.detecting.answers import Answers

MAX_TEXTS = 500
MAX_CHARS = 20_000
_MAX_PAGE_CHARS = 4_000_000

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_KEPT = "\n\t"


@dataclass(slots=True)
class Page:
    """Add answers, then `render`.

    Shows texts that hold something or could not be scanned: the first 500, 20,000 characters of
    each; how many are left out is told.
    """

    title: str
    tally: Tally = field(default_factory=Tally)
    _kinds: list[str] = field(default_factory=list[str])
    _texts: list[str] = field(default_factory=list[str])
    _size: int = 0
    _left: int = 0

    def add(self, found: Answers) -> None:
        """Take in one batch."""
        self.tally.add(found)
        spans: dict[int, list[tuple[int, int, str, float]]] = {}
        for row, code, head, tail, sure in found.flat():
            spans.setdefault(row, []).append((head, tail, found.kinds[code], sure))
        for row in range(len(found.batch)):
            told = spans.get(row, [])
            if not told and row not in found.reasons:
                continue
            if len(self._texts) >= MAX_TEXTS or self._size >= _MAX_PAGE_CHARS:
                self._left += 1
                continue
            self._texts.append(self._article(found, row, told))
            self._size += len(self._texts[-1])

    def render(self) -> str:
        """The whole page."""
        tally = self.tally
        kinds = sorted(self._kinds)
        known = {kind: number for number, kind in enumerate(self._kinds)}
        toggles = "".join(
            f'<span class="pick"><input type="checkbox" id="t{known[kind]}" checked>'
            f'<label for="t{known[kind]}"><span class="mark k{known[kind]}">{_text(kind)}</span> '
            f"{tally.kinds[kind]} (texts: {tally.holders[kind]})</label></span>\n"
            for kind in kinds
        )
        rules = "".join(_rule(number) for number in range(len(self._kinds)))
        reasons = "".join(
            f"<li>{number} unscanned: {_text(reason)}</li>"
            for reason, number in tally.unscanned.most_common()
        )
        worst = "".join(
            f"<li>highest {_text(name)}: {score:.3f} ({_text(where)})</li>"
            for name, (score, where) in tally.scores.items()
        )
        left = f"<p>{self._left} more texts with findings are not shown.</p>" if self._left else ""
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            f'<meta name="viewport" content="width=device-width">\n'
            f"<title>{_text(self.title)}</title>\n<style>{STYLE}{rules}</style>\n</head>\n<body>\n"
            f"<h1>{_text(self.title)}</h1>\n<p>This page holds the texts themselves: keep it as"
            f" they are kept.</p>\n<ul><li>{tally.texts} texts, {tally.num_bytes} bytes</li>"
            f"{worst}{reasons}</ul>\n<h2>Kinds (untick one to hide its marks)</h2>\n"
            f"{toggles}<main>\n{''.join(self._texts)}{left}</main>\n</body>\n</html>\n"
        )

    def _article(self, found: Answers, row: int, spans: list[tuple[int, int, str, float]]) -> str:
        heading = f"<h3><bdi>{_text(place(found, row))}</bdi></h3>"
        scores = "".join(
            f"<p>{_text(name)} {values[row]:.3f}</p>"
            for name, values in found.scores.items()
            if row not in found.reasons
        )
        if row in found.reasons:
            reason = _text(found.reasons[row])
            return f'<article>{heading}<p class="warn">unscanned: {reason}</p></article>\n'
        text = found.batch.texts.text(row)
        cut = ""
        if len(text) > MAX_CHARS:
            beyond = sum(1 for span in spans if span[0] >= MAX_CHARS)
            cut = (
                f'<p class="warn">only the first {MAX_CHARS} of {len(text)} characters are shown;'
                f" findings behind them: {beyond}</p>"
            )
        marked = "".join(self._pieces(text[:MAX_CHARS], spans))
        return f'<article>{heading}{scores}<pre dir="auto">{marked}</pre>{cut}</article>\n'

    def _pieces(self, text: str, spans: list[tuple[int, int, str, float]]) -> Iterator[str]:
        """The text between any two borders; where spans overlap, a piece tells of all of them."""
        spans = [(head, min(tail, len(text)), kind, sure) for head, tail, kind, sure in spans]
        borders = sorted({0, len(text), *(at for span in spans for at in span[:2])})
        open_: list[tuple[int, int, str, float]] = []
        coming = sorted(spans, reverse=True)
        for start, end in pairwise(borders):
            if end > len(text):
                return
            open_ = [span for span in open_ if span[1] > start]
            while coming and coming[-1][0] <= start:
                open_.append(coming.pop())
            shown = _text(text[start:end])
            yield self._marked(shown, open_, start) if open_ else shown

    def _marked(self, shown: str, spans: list[tuple[int, int, str, float]], start: int) -> str:
        inner = min(spans, key=lambda span: span[1] - span[0])
        tip = "; ".join(f"{kind}, score {score:.2f}" for _, _, kind, score in spans)
        begun = [kind for head, _, kind, _ in spans if head == start]
        label = f'<span class="kind">{_text(" ".join(begun))}</span>' if begun else ""
        number = self._number(inner[2])
        for _, _, kind, _ in spans:
            self._number(kind)
        return f'<mark class="mark k{number}" title="{_text(tip)}">{shown}{label}</mark>'

    def _number(self, kind: str) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind)


def _rule(number: int) -> str:
    """A kind's colour, and what unticking it does."""
    back = COLOURS[number % len(COLOURS)]
    return (
        f".k{number}{{background:{back}}}"
        f"body:has(#t{number}:not(:checked)) mark.k{number}{{background:none;border-color:"
        f"transparent}}body:has(#t{number}:not(:checked)) mark.k{number} .kind{{display:none}}\n"
    )


def _text(text: str) -> str:
    """Escaped; what would reorder, hide or end something is shown as its code point."""
    if text.isascii() and text.isprintable():
        return html.escape(text)
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char in _KEPT or (char.isprintable() and not _invisible(char)):
        return html.escape(char)
    return f'<span class="code">U+{ord(char):04X}</span>'


def _invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp")
