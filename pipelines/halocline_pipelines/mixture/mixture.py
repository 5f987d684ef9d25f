"""What a run is made of: dataset versions and their weights in tokens.

Every source is packed to the same sequence length, so a weight in sequences is one in tokens.
Knows nothing of tables or labels; a mixture is named by the hash of its canonical JSON.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import rfc8785

from halocline_governance.errors import Refused

MAX_CYCLE = 1 << 20


@dataclass(frozen=True, slots=True)
class MixtureSource:
    """One dataset version, packed. `name` keys its order; `weight` is relative to the others'."""

    name: str
    dsv_id: str
    weight: int
    num_sequences: int

    def __post_init__(self) -> None:
        if self.weight < 1 or self.num_sequences < 1:
            raise Refused(
                f"source {self.name}: weight and number of sequences must be at least 1;"
                " leave an empty source out"
            )


@dataclass(frozen=True, slots=True)
class Mixture:
    """Sources, seed and sequence length. Sources are kept sorted by name, weights reduced."""

    sources: tuple[MixtureSource, ...]
    seed: int
    sequence_length: int

    def __post_init__(self) -> None:
        names = [source.name for source in self.sources]
        if not names or len(set(names)) != len(names):
            raise Refused("a mixture needs sources with distinct names")
        if not 0 <= self.seed < 1 << 53:
            raise Refused("a mixture's seed is an integer of at most 53 bits")
        divisor = math.gcd(*(source.weight for source in self.sources))
        reduced = (
            MixtureSource(s.name, s.dsv_id, s.weight // divisor, s.num_sequences)
            for s in sorted(self.sources, key=lambda s: s.name)
        )
        object.__setattr__(self, "sources", tuple(reduced))
        if self.cycle > MAX_CYCLE:
            raise Refused(
                f"the weights add up to {self.cycle} in lowest terms, at most {MAX_CYCLE} are"
                " possible: round them"
            )

    @property
    def cycle(self) -> int:
        """After this many sequences the schedule of sources repeats."""
        return sum(source.weight for source in self.sources)

    def as_json(self) -> dict[str, Any]:
        return {
            "sources": [
                {
                    "name": source.name,
                    "dsv_id": source.dsv_id,
                    "weight": source.weight,
                    "num_sequences": source.num_sequences,
                }
                for source in self.sources
            ],
            "seed": self.seed,
            "sequence_length": self.sequence_length,
        }

    def canonical(self) -> str:
        """RFC 8785 JSON."""
        return rfc8785.dumps(self.as_json()).decode()

    @property
    def sha256(self) -> str:
        """The mixture's name."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def integer_weights(shares: dict[str, Fraction | int]) -> dict[str, int]:
    """Rational shares as the smallest integers in the same proportion.

    Raises:
        Refused: a share that is not positive.
    """
    if any(share <= 0 for share in shares.values()):
        raise Refused("every source's share must be positive")
    common = math.lcm(*(Fraction(share).denominator for share in shares.values()))
    scaled = {name: int(Fraction(share) * common) for name, share in shares.items()}
    divisor = math.gcd(*scaled.values())
    return {name: weight // divisor for name, weight in scaled.items()}
