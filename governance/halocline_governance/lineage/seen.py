"""What of lineage somebody may see, as an answer is worked out: what is hidden is not walked over.

Three questions, asked of a node of the graph, of a compartment and of a row's label. What is not
seen is answered as what is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """
    Args:
        node: whether a node of the graph may be named, by its id.
        place: whether a compartment may be.
        label: whether rows of a label may be counted and listed, by its id.
    """

    node: Callable[[str], bool]
    place: Callable[[str], bool]
    label: Callable[[str], bool]


def _all(_id: str) -> bool:
    return True


WHOLE = Seen(_all, _all, _all)
