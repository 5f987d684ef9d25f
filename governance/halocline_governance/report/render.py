"""Turns a report's JSON into one self-contained page. Escapes everything; knows no tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def page(content: Mapping[str, Any]) -> str:
    """The report as HTML without scripts, links or outside resources."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("halocline_governance.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["label"] = label_text
    return environment.get_template("report.html.j2").render(report=content)


def label_text(label: Mapping[str, Any] | None) -> str:
    """A label on one line, in the form `parse_compact` reads; `not known` without one."""
    if not label or "sensitivity" not in label:
        return "not known"
    axes = ("sides", "tenants", "ndas", "issuers")
    parts = [f"{axis}={','.join(label[axis])}" for axis in axes if label[axis]]
    return " ".join([str(label["sensitivity"]), *parts])
