"""Values that are nobody's in the place of values that are somebody's."""

from __future__ import annotations

from halocline_governance.scrub.pseudonym import PseudonymKey


class Surrogates:
    """Surrogates under one key."""

    def __init__(self, key: PseudonymKey) -> None:
        self._key = key

    def of(self, kind: str, value: str) -> str | None:
        """The surrogate of a value; None where the kind has none."""
        return None

    def regions(self, data: bytes) -> list[tuple[int, int]]:
        """Where in a text surrogates of this key stand, in bytes."""
        return []
