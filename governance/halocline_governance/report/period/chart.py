"""Small charts as marks on a plane, which a page draws as SVG and a PDF as vectors.

Lengths are in points; y grows downwards. Nothing here knows what is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

WIDTH = 720
_HEIGHT = 150
_LEFT, _TOP, _BOTTOM = 46, 22, 22
_BAR = 16
_INK, _SOFT, _LINE = "#16202a", "#5a6875", "#d8dee4"
# Blue for what went through, orange for what did not: told apart whatever one sees of colour.
_KNOWN = {"allowed": "#2f6f9f", "released": "#2f6f9f", "clean": "#2f6f9f"}
_STOPPED = {"held": "#e6a44c", "flagged": "#e6a44c", "denied": "#b9481f", "refused": "#b9481f"}
_OTHERS = ("#8c6bb1", "#5f9e6e", "#b8a13a", "#7d8894", "#c75b8a", "#4aa3a2")
_MAX_BARS = 92


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle, or a text at a point; `anchor` is start, middle or end."""

    x: float
    y: float
    width: float = 0
    height: float = 0
    text: str = ""
    anchor: Literal["start", "middle", "end"] = "start"
    color: str = _INK


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, and how high that is."""

    title: str
    height: float
    marks: tuple[Mark, ...]


def chart(told: Mapping[str, Any], scope: Mapping[str, Any]) -> Chart | None:
    """The chart of one sum, or None where it has none or nothing was counted."""
    rows: Sequence[Mapping[str, Any]] = told["rows"]
    title = str(told["title"])
    if not rows:
        return None
    if told["chart"] == "bars":
        days = {row["day"]: {name: row[name] for name in ("allowed", "denied")} for row in rows}
        return _upright(title, _filled(days, scope))
    if told["chart"] == "stack":
        return _upright(title, _filled(_nested(rows, "day", "outcome", "outputs"), scope))
    if told["chart"] == "rows":
        return _lying(title, _nested(rows, "detector", "status", "outputs"))
    return None


def inert(text: str) -> str:
    """The text without characters that show nothing or turn others round: each by its escape."""
    return "".join(c if c.isprintable() else " " if c == "\n" else ascii(c)[1:-1] for c in text)


def svg(drawn: Chart) -> str:
    """The chart as SVG: no script, no style from elsewhere."""
    from markupsafe import escape

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {drawn.height:g}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(inert(drawn.title))}</title>"
    ]
    for mark in drawn.marks:
        if mark.text:
            parts.append(
                f'<text x="{mark.x:.2f}" y="{mark.y:.2f}" font-size="10" fill="{mark.color}"'
                f' text-anchor="{mark.anchor}">{escape(inert(mark.text))}</text>'
            )
        else:
            parts.append(
                f'<rect x="{mark.x:.2f}" y="{mark.y:.2f}" width="{mark.width:.2f}"'
                f' height="{mark.height:.2f}" fill="{mark.color}"/>'
            )
    return "".join([*parts, "</svg>"])


Series = Mapping[str, Mapping[str, int]]


def _upright(title: str, bars: Series) -> Chart:
    names = _names(bars)
    top = max(max((sum(bar.values()) for bar in bars.values()), default=0), 1)
    floor, room = _HEIGHT - _BOTTOM, WIDTH - _LEFT
    step = room / max(len(bars), 1)
    width = max(min(step * 0.8, 40), 0.6)
    marks = [*_legend(names)]
    for share in (0, 0.5, 1):
        y = floor - share * (floor - _TOP)
        marks.append(Mark(_LEFT, y, room, 0.5, color=_LINE))
        if share * top == int(share * top):
            marks.append(Mark(_LEFT - 6, y + 3.5, text=f"{int(share * top):,}", anchor="end"))
    told = max(1, -(-len(bars) // 12))
    for number, (name, bar) in enumerate(bars.items()):
        x, y = _LEFT + number * step + (step - width) / 2, float(floor)
        for one in names:
            tall = bar.get(one, 0) / top * (floor - _TOP)
            y -= tall
            if tall:
                marks.append(Mark(x, y, width, tall, color=names[one]))
        if number % told == 0:
            middle = x + width / 2
            marks.append(
                Mark(
                    middle,
                    floor + 14,
                    text=name[5:] if len(name) > 7 else name,
                    anchor="middle",
                    color=_SOFT,
                )
            )
    return Chart(title, _HEIGHT, tuple(marks))


def _lying(title: str, bars: Series) -> Chart:
    names = _names(bars)
    left, right = 150, 60
    top = max(max(sum(bar.values()) for bar in bars.values()), 1)
    marks = [*_legend(names)]
    y = float(_TOP)
    for name, bar in bars.items():
        marks.append(Mark(left - 8, y + _BAR - 4.5, text=name[:28], anchor="end"))
        x = float(left)
        for one in names:
            wide = bar.get(one, 0) / top * (WIDTH - left - right)
            if wide:
                marks.append(Mark(x, y, wide, _BAR - 2, color=names[one]))
            x += wide
        total = f"{sum(bar.values()):,}"
        marks.append(Mark(x + 6, y + _BAR - 4.5, text=total, color=_SOFT))
        y += _BAR + 4
    return Chart(title, y + 4, tuple(marks))


def _names(bars: Series) -> dict[str, str]:
    """Each series' colour: what went through first, then what did not, then the others."""
    found = {name for bar in bars.values() for name in bar}
    order = [*_KNOWN, *_STOPPED]
    ordered = [name for name in order if name in found] + sorted(found - set(order))
    known = {**_KNOWN, **_STOPPED}
    others = iter(_OTHERS * (1 + len(found) // len(_OTHERS)))
    return {name: known.get(name) or next(others) for name in ordered}


def _legend(names: Mapping[str, str]) -> Iterable[Mark]:
    x = float(_LEFT)
    for name, color in names.items():
        yield Mark(x, 3, 9, 9, color=color)
        yield Mark(x + 13, 11, text=name[:24])
        x += 26 + 6.2 * len(name[:24])


def _nested(rows: Iterable[Mapping[str, Any]], outer: str, inner: str, count: str) -> Series:
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        bar = found.setdefault(str(row[outer]), {})
        bar[str(row[inner])] = bar.get(str(row[inner]), 0) + int(row[count])
    return found


def _filled(days: Series, scope: Mapping[str, Any]) -> Series:
    """A bar for every day of the period, or for every month of one that is long: an empty one where
    nothing was."""
    first, end = (date.fromisoformat(str(scope[name])[:10]) for name in ("from", "to"))
    whole = str(scope["to"]).endswith("T00:00:00.000000Z")
    num = (end - first).days + (not whole)
    names = [(first + timedelta(days=n)).isoformat() for n in range(num)]
    if len(names) <= _MAX_BARS:
        return {name: days.get(name, {}) for name in names}
    months: dict[str, dict[str, int]] = {name[:7]: {} for name in names}
    for day, bar in days.items():
        month = months.setdefault(day[:7], {})
        for name, count in bar.items():
            month[name] = month.get(name, 0) + count
    return months
