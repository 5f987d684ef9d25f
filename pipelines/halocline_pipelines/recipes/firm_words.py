"""The generated firm's lexicon, in `prose/words.txt`. Every name in it is fictional."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType

_WORDS = Path(__file__).with_name("prose") / "words.txt"

# Issuers on the restricted list: their ids, and the names the firm calls them by.
RESTRICTED = MappingProxyType(
    {
        "brightwater": "Brightwater Biologics",
        "corvane": "Corvane Aerospace",
        "dellmont": "Dellmont Grid",
        "halvorsen": "Halvorsen Marine",
        "tessaly": "Tessaly Semiconductors",
    }
)

CUSTOMERS = MappingProxyType({"acme": "Acme Logistics", "globex": "Globex Freight"})


def words(slot: str) -> tuple[str, ...]:
    """What may fill a slot of this name."""
    return _lexicon()[slot]


@cache
def _lexicon() -> dict[str, tuple[str, ...]]:
    lines = _WORDS.read_text(encoding="utf-8").splitlines()
    entries = (line.split(": ", 1) for line in lines)
    return {slot: tuple(options.split("|")) for slot, options in entries}
