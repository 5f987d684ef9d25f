"""Compartments with text of their own, for the tests of segregation."""

from __future__ import annotations

import random
from functools import cache

from halocline_governance.detect.segregation import FingerprintIndex, SegregationDetector

KEY = b"s" * 32
NAMES = {"sell": ["Acme Holdings", "Initech"], "buy": ["Project Heron"]}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def prose(seed: int, words: int = 400) -> str:
    """Words of random letters: no run of one seed's text stands in another's."""
    rng = random.Random(seed)
    return " ".join("".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(words))


TEXTS = {"sell": prose(1), "sell.acme": prose(2), "buy": prose(3), "public": prose(4)}


@cache
def detector() -> SegregationDetector:
    return SegregationDetector([index(name) for name in TEXTS], KEY)


def index(compartment: str) -> FingerprintIndex:
    return FingerprintIndex.build(
        compartment, [TEXTS[compartment]], KEY, NAMES.get(compartment, ())
    )
