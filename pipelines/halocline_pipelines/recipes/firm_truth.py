"""What is true of a generated firm, by construction: where each planted thing lies.

External ids are unique across the firm, so they alone name a document.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from halocline_governance.detect.canary import Canary


@dataclass(frozen=True, slots=True)
class PlantedSpan:
    """A value in a document: byte offsets into its UTF-8 text, end excluded, and its kind.

    Of a near miss, `kind` is the kind it only looks like.
    """

    external_id: str
    start: int
    end: int
    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents of one source: the second was made from the first."""

    original: str
    copy: str


@dataclass(frozen=True, slots=True)
class PlantedCanary:
    """A secret that a fixed prefix leads to, and the documents that hold both.

    `sentence` is `prefix`, a space, the secret and a full stop.
    """

    canary: Canary
    prefix: str
    external_ids: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"{self.prefix} {self.canary.text}."


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything planted; ids in the order in which they were planted."""

    pii: tuple[PlantedSpan, ...]
    near_misses: tuple[PlantedSpan, ...]
    exact_duplicates: tuple[Pair, ...]
    near_duplicates: tuple[Pair, ...]
    toxic: tuple[str, ...]
    low_quality: tuple[str, ...]
    foreign: tuple[str, ...]
    canaries: tuple[PlantedCanary, ...]
    refused_sources: tuple[str, ...]

    @property
    def faulty(self) -> frozenset[str]:
        """Documents that curation has a reason of its own to drop, duplicates left out."""
        return frozenset((*self.toxic, *self.low_quality, *self.foreign))
