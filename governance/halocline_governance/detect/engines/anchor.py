"""Anchors: byte patterns of a fixed length that mark where a value may stand, and who finds them.

A fixed length makes every engine find the very same places: all of them, overlapping ones too.
What an anchor finds decides nothing; the rules of `detect.kinds` do, with the same code for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = tuple[NDArray[np.int64], NDArray[np.int64]]

_ATOM = re.compile(r"(\[\^?(?:\\.|[^\]\\])+\]|\\x[0-9a-f]{2}|\\.|[^\\\[{(|*+?.])(?:\{(\d+)\})?")
EDGE = r"[^0-9A-Za-z_\xff]"
"""What may stand right before a value: no word."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A pattern of bytes, and the rule that it calls.

    Args:
        rule: which rule looks there.
        pattern: literals, classes and `{n}` only.
        at: how far behind the anchor's start the rule looks.
        caseless: whether ASCII letters match in either case.
        digit: the rule needs a digit this close: so many bytes before, behind; (0, 0) if none.
    """

    rule: str
    pattern: str
    at: int = 0
    caseless: bool = False
    digit: tuple[int, int] = (0, 0)

    @property
    def size(self) -> int:
        """How many bytes it covers."""
        atoms = list(_ATOM.finditer(self.pattern))
        if "".join(atom[0] for atom in atoms) != self.pattern:
            raise ValueError("anchor: a pattern of fixed length has literals, classes and {n} only")
        return sum(int(atom[2] or 1) for atom in atoms)


class Engine(Protocol):
    """Finds all places of all anchors in a buffer."""

    @property
    def name(self) -> str: ...

    def places(self, data: NDArray[np.uint8]) -> Places:
        """(anchor numbers, starts), in any order."""
        ...


Builder = Callable[[Sequence[Anchor]], Engine]
ENGINES = ("hyperscan", "re2", "stdlib")


def engine(name: str, anchors: Sequence[Anchor]) -> Engine:
    """The engine with this name.

    Raises:
        ValueError: there is none.
        ImportError: its package is not installed.
    """
    if name == "hyperscan":
        from halocline_governance.detect.engines.by_hyperscan import HyperscanEngine

        return HyperscanEngine(anchors)
    if name == "re2":
        from halocline_governance.detect.engines.by_re2 import Re2Engine

        return Re2Engine(anchors)
    if name == "stdlib":
        from halocline_governance.detect.engines.by_stdlib import StdlibEngine

        return StdlibEngine(anchors)
    raise ValueError(f"engine: choose from {', '.join(ENGINES)}")


def fastest(anchors: Sequence[Anchor]) -> Engine:
    """The first of `ENGINES` that is installed."""
    for name in ENGINES[:-1]:
        try:
            return engine(name, anchors)
        except ImportError:
            continue
    return engine(ENGINES[-1], anchors)
