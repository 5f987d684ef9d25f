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

MAX_TEXTS = 10_000
MAX_CHARS = 20_000
_MAX_PAGE_CHARS = 8_000_000

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_KEPT = "\n\t"
_UNSCANNED = "u"


@dataclass(slots=True)
class Page:
    """Add answers, then `render`.

    Shows texts that hold something or could not be scanned: the first 10,000 as long as they are
    short, 20,000 characters of each; how many are left out is told.
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
        picks = [
            _pick(number, kind, tally.kinds[kind], tally.holders[kind])
            for kind, number in sorted((kind, at) for at, kind in enumerate(self._kinds))
        ]
        if tally.unscanned:
            picks.append(_pick(_UNSCANNED, "unscanned", None, tally.unscanned.total()))
        rules = "".join(map(_rule, range(len(self._kinds)))) + _filter(_UNSCANNED)
        left = f"<p>{self._left} more texts with findings are not shown.</p>" if self._left else ""
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            f'<meta name="viewport" content="width=device-width">\n'
            f"<title>{_text(self.title)}</title>\n<style>{STYLE}{rules}</style>\n</head>\n<body>\n"
            f"<h1>{_text(self.title)}</h1>\n{self._summary()}<fieldset><legend>Shown: texts that"
            f" hold a ticked kind, with its marks</legend>\n{''.join(picks)}</fieldset>\n<main>\n"
            f"{''.join(self._texts)}</main>\n{left}</body>\n</html>\n"
        )

    def _summary(self) -> str:
        tally = self.tally
        shown = len(self._texts)
        reasons = "".join(
            f"<li>{number} unscanned: {_text(reason)}</li>"
            for reason, number in tally.unscanned.most_common()
        )
        worst = "".join(
            f"<li>highest {_text(name)}: {score:.3f} ({_text(where)})</li>"
            for name, (score, where) in tally.scores.items()
        )
        return (
            f"<p>This page holds the texts themselves: keep it as they are kept.</p>\n"
            f"<ul><li>{tally.texts} texts, {tally.num_bytes} bytes; {shown} of them, with findings"
            f" or unscanned, are below</li>{worst}{reasons}</ul>\n"
        )

    def _article(self, found: Answers, row: int, spans: list[tuple[int, int, str, float]]) -> str:
        heading = f"<h3><bdi>{_text(place(found, row))}</bdi></h3>"
        if row in found.reasons:
            reason = _text(found.reasons[row])
            shown = f'<p class="warn">unscanned: {reason}</p>'
            return f'<article class="h{_UNSCANNED}">{heading}{shown}</article>\n'
        scores = " · ".join(f"{_text(name)} {by[row]:.3f}" for name, by in found.scores.items())
        scores = f"<p>{scores}</p>" if scores else ""
        text = found.batch.texts.text(row)
        cut = ""
        if len(text) > MAX_CHARS:
            beyond = sum(1 for span in spans if span[0] >= MAX_CHARS)
            cut = (
                f'<p class="warn">only the first {MAX_CHARS} of {len(text)} characters are shown;'
                f" findings behind them: {beyond}</p>"
            )
        marked = "".join(self._pieces(text[:MAX_CHARS], spans))
        held = " ".join(sorted({f"h{self._number(kind)}" for _, _, kind, _ in spans}))
        body = f'{heading}{scores}<pre dir="auto">{marked}</pre>{cut}'
        return f'<article class="{held}">{body}</article>\n'

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
        return f'<mark class="mark k{number}" title="{_text(tip)}">{shown}{label}</mark>'

    def _number(self, kind: str) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind)


def _pick(number: int | str, kind: str, found: int | None, texts: int) -> str:
    """A kind's name in its colour with its counts, and a box that hides it."""
    counts = f"texts: {texts}" if found is None else f"{found} (texts: {texts})"
    return (
        f'<span class="pick"><input type="checkbox" id="t{number}" checked>'
        f'<label for="t{number}"><span class="mark k{number}">{_text(kind)}</span> {counts}'
        f"</label></span>\n"
    )


def _rule(number: int) -> str:
    """A kind's colour, and what unticking it does."""
    back = COLOURS[number % len(COLOURS)]
    return (
        f".k{number}{{background:{back}}}"
        f"body:has(#t{number}:not(:checked)) mark.k{number}{{background:none;border-color:"
        f"transparent}}body:has(#t{number}:not(:checked)) mark.k{number} .kind{{display:none}}"
        f"{_filter(number)}"
    )


def _filter(number: int | str) -> str:
    """Texts are hidden but for those that hold a ticked kind."""
    return f"body:has(#t{number}:checked) .h{number}{{display:block}}\n"


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
