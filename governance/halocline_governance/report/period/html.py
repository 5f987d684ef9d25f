"""A period report as one page: no scripts, no outside resources, printable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from halocline_governance.report.period.chart import chart, inert, svg

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})\.\d{6}Z\Z")
_LONG_WORD = 30
_FIRST = 6  # of what could not be shown, on the first page
_COLUMNS = {
    "ts": "when (UTC)",
    "told": "decisions told of it",
    "used": "used it",
    "of": "whose",
    "at_most": "with findings, at most",
}
_WORDS = {"sha256": "SHA-256", "pii": "PII"}


def heading(column: str) -> str:
    """A column's name as people read it."""
    return _COLUMNS.get(column) or " ".join(_WORDS.get(word, word) for word in column.split("_"))


def right(told: Mapping[str, Any]) -> list[str]:
    """The columns of numbers, which are aligned to the right."""
    if not told["rows"]:
        return []
    row = told["rows"][0]
    return [name for name in told["columns"] if type(row[name]) is int]


def page(content: Mapping[str, Any]) -> str:
    """The page. It shows what `content` says and nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("halocline_governance.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )

    def drawn(told: Mapping[str, Any]) -> Markup:
        made = chart(told, content["scope"])
        return Markup(svg(made) if made else "")  # `svg` escapes every text

    filters: Any = {
        "heading": heading,
        "chart": drawn,
        "shown": shown,
        "right": right,
        "long": long,
    }
    environment.filters.update(filters)
    template = environment.get_template("period.html.j2")
    return template.render(
        report=content,
        titles=titles(content),
        tiles=summary(content),
        span=span(content),
        known_by=known_by(content),
        missing=missing(content),
    )


def _inert(value: object) -> object:
    """What a template puts in: plain texts without characters that show nothing."""
    return inert(value) if type(value) is str else value


def titles(content: Mapping[str, Any]) -> dict[str, str]:
    """The numbered title of each part, by its id, in order."""
    names = {"evidence": "What is evidence for what"}
    names |= {section["id"]: section["title"] for section in content["sections"]}
    names |= {
        "figures": "Tables behind the figures",
        "journal": "The journal",
        "gaps": "What could not be shown",
    }
    return {name: f"{at}. {title}" for at, (name, title) in enumerate(names.items(), 1)}


def span(content: Mapping[str, Any]) -> str:
    """The period in words."""
    scope = content["scope"]
    first, end = (str(scope[name]).removesuffix("T00:00:00.000000Z") for name in ("from", "to"))
    return f"{shown(first)} up to and without {shown(end)} (UTC)"


def known_by(content: Mapping[str, Any]) -> str:
    """What the installation is known by, in full."""
    keys = (f"{one['key']}, SHA-256 {one['sha256']}" for one in content["installation"]["keys"])
    return "; ".join(keys) or "no key: nothing was signed"


def missing(content: Mapping[str, Any]) -> tuple[list[str], int]:
    """What could not be shown, as far as the first page tells it, and how much more there is."""
    told = [*content["gaps"], *(f"{one}." for one in content["limits"])]
    return told[:_FIRST], len(told[_FIRST:])


def long(text: str) -> bool:
    """Whether it has a word that may be broken anywhere, as a hash may."""
    return any(len(word) > _LONG_WORD for word in text.split())


def summary(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What somebody wants to know first: names and numbers, of what this duty shows."""
    sums = {one["name"]: one["rows"] for part in content["sections"] for one in part["sums"]}
    totals = {one["name"]: one["total"] for part in content["sections"] for one in part["lists"]}
    found: list[tuple[str, int]] = []
    if days := sums.get("days"):
        found.append(("decisions", sum(row["allowed"] + row["denied"] for row in days)))
    for name, title in _TILES.items():
        if name in totals:
            found.append((title, totals[name]))
    if "outcomes" in sums:
        told: Counter[str] = Counter()
        for row in sums["endings"]:  # the journal's: a table may have been changed
            told[row["outcome"]] += row["outputs"]
        found += [(f"calls {outcome}", told[outcome]) for outcome in sorted(told)]
    if totals.get("differing"):
        found.append(("outputs not as recorded", totals["differing"]))
    if "alerts" in sums:
        found.append(("alerts", sum(row["alerts"] for row in sums["alerts"])))
    return [(title, f"{count:,}") for title, count in found]


_TILES = {
    "denials": "kinds of denials",
    "crossings": "crossings",
    "models": "models registered",
    "promotions": "promotions decided",
    "erasures": "steps of erasures",
    "crashes": "logs left open by a kill or a crash",
}


def shown(value: object) -> str:
    """One value of a row. Times are told to the second; the JSON has them whole."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    found = _TIME.match(text := "" if value is None else str(value))
    return f"{found[1]} {found[2]}" if found else text
