"""Every kind of personal data, told to people."""

from __future__ import annotations

from typing import Any

from halocline_infra.detecting.shapes import SHAPES


def described() -> list[dict[str, Any]]:
    """Each kind: its name, what it is, what decides, where that is written, the form of one (no
    real value), and whether it is personal by itself; else scrubbing leaves it alone unless it is
    asked for."""
    from halocline_governance.detect.pii import KINDS

    structured = [
        (kind.name, kind.what, kind.check, kind.source, kind.personal) for kind in KINDS.values()
    ]
    read = "read in its sentence by a trained tagger"
    names = [
        ("person", "name of a person", read, "own", True),
        ("organization", "name of a firm or another body", read, "own", False),
        ("location", "name of a place", read, "own", False),
    ]
    return [
        {
            "kind": name,
            "what": what,
            "check": check,
            "source": source,
            "form": SHAPES.get(name, ""),
            "personal": personal,
        }
        for name, what, check, source, personal in (*structured, *names)
    ]
