"""Whose text stands in this text: keyed fingerprints of compartments' texts, and restricted names.

    folding, form                   the normal form: letters and digits, however they are written
    windows, prf                    which windows stand for a text, and the keyed tag of each
    filter, index, shelf            tags in memory and on disk
    chains                          from windows in common to the runs that are reported
    restricted, automaton, naming   names, aliases and tickers
    detector, tail, kept            the detector's faces

Importing this loads none of it: each name does so when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.chains import RUN
    from halocline_governance.detect.segregation.detector import PUBLIC, SegregationDetector
    from halocline_governance.detect.segregation.index import FingerprintIndex
    from halocline_governance.detect.segregation.restricted import Restricted, listed
    from halocline_governance.detect.segregation.windows import LETTERS

__all__ = [
    "LETTERS",
    "PUBLIC",
    "RUN",
    "FingerprintIndex",
    "Restricted",
    "SegregationDetector",
    "listed",
]
_PLACES = {
    "LETTERS": "windows",
    "PUBLIC": "detector",
    "RUN": "chains",
    "FingerprintIndex": "index",
    "Restricted": "restricted",
    "SegregationDetector": "detector",
    "listed": "restricted",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
