"""A period report as one page: no scripts, no outside resources, printable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from halocline_governance.report.period.chart import chart, svg

NUMBERS = frozenset(
    {"allowed", "denied", "denials", "decisions", "records", "outputs", "rows", "rows_with_pii",
     "pii_found", "alerts", "told", "used", "num_rows", "version"}
)  # fmt: skip
"""Columns that are right-aligned."""


def heading(column: str) -> str:
    """A column's name as people read it."""
    return column.replace("_", " ").replace("sha256", "SHA-256")


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
    )

    def drawn(told: Mapping[str, Any]) -> Markup:
        made = chart(told, content["scope"])
        return Markup(svg(made) if made else "")  # `svg` escapes every text

    environment.filters["heading"] = heading
    environment.filters["chart"] = drawn
    environment.filters["shown"] = shown
    template = environment.get_template("period.html.j2")
    return template.render(report=content, titles=titles(content), numbers=NUMBERS)


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


def shown(value: object) -> str:
    """One value of a row."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)
