"""Every kind of personal data, told to people."""

from __future__ import annotations


def described() -> list[dict[str, str]]:
    """Name, what it is, what decides, where that is written, and the form of one: no real value."""
    from halocline_governance.detect.pii import KINDS

    return [
        {
            "kind": kind.name,
            "what": kind.what,
            "check": kind.check,
            "source": kind.source,
        }
        for kind in KINDS.values()
    ]
