"""Which sequence is trained on at which position: a pure function of (mixture, position).

Its only state is the position, so a run resumes from one integer, on any number of ranks.
Knows nothing of tokens.

Laws (tests/pipelines/test_sampler.py), with p any position and n any prefix length:
- each source's share of the first n differs from weight / cycle * n by less than one sequence;
- a source's sequences come once each per epoch, in an order keyed by (seed, name, epoch), which
  adding or removing other sources does not change;
- `position_of` is the exact inverse of `at`;
- the ranks' strided shares of a range, interleaved, are that range, for every world size.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from halocline_governance.errors import Refused
from halocline_pipelines.mixture.mixture import Mixture
from halocline_pipelines.mixture.permutation import Permutation

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draws:
    """Parallel arrays: index of the source in `mixture.sources`, its sequence, its epoch."""

    source: NDArray[np.int64]
    seq_no: NDArray[np.int64]
    epoch: NDArray[np.int64]


class Sampler:
    """The stream of one mixture."""

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture
        self._weights = np.array([source.weight for source in mixture.sources], dtype=np.int64)
        self._sizes = np.array([s.num_sequences for s in mixture.sources], dtype=np.int64)
        self._index = {source.name: i for i, source in enumerate(mixture.sources)}
        self._cycle = schedule([source.weight for source in mixture.sources])
        self._slots = [np.flatnonzero(self._cycle == i) for i in range(len(mixture.sources))]
        self._turn = np.empty_like(self._cycle)
        for slots in self._slots:
            self._turn[slots] = np.arange(len(slots))

    def at(self, positions: Positions) -> Draws:
        """What is drawn at each position."""
        if positions.size and int(positions.min()) < 0:
            raise Refused("a position in the stream is not negative")
        cycle, slot = np.divmod(positions, len(self._cycle))
        source = self._cycle[slot]
        draw = cycle * self._weights[source] + self._turn[slot]
        epoch, index = np.divmod(draw, self._sizes[source])
        seq_no = np.empty_like(index)
        for number, of_epoch in _groups(source, epoch):
            part = index[of_epoch].astype(np.uint64)
            order = self._order(number, int(epoch[of_epoch[0]]))
            seq_no[of_epoch] = order.forward(part).astype(np.int64)
        return Draws(source, seq_no, epoch)

    def batch(self, start: int, size: int, rank: int = 0, world: int = 1) -> Draws:
        """One rank's part of the global batch `start .. start + size - 1`."""
        if not 0 <= rank < world:
            raise Refused(f"rank {rank} is not one of {world}")
        return self.at(np.arange(start + rank, start + size, world, dtype=np.int64))

    def position_of(self, source: str, seq_no: int, epoch: int = 0) -> int:
        """At which position a sequence is drawn in an epoch.

        Raises:
            Refused: no such source, sequence or epoch.
        """
        number = self._number(source)
        size, weight = int(self._sizes[number]), int(self._weights[number])
        if not 0 <= seq_no < size or epoch < 0:
            raise Refused(f"{source} has sequences 0 to {size - 1}, and epochs from 0")
        target = np.array([seq_no], dtype=np.uint64)
        index = int(self._order(number, epoch).inverse(target)[0])
        cycle, turn = divmod(epoch * size + index, weight)
        return cycle * len(self._cycle) + int(self._slots[number][turn])

    def num_drawn(self, source: str, position: int) -> int:
        """How many sequences of a source lie before a position, repeats counted."""
        number = self._number(source)
        cycle, rest = divmod(position, len(self._cycle))
        begun = int(np.searchsorted(self._slots[number], rest))
        return cycle * int(self._weights[number]) + begun

    def num_consumed(self, source: str, position: int) -> int:
        """How many distinct sequences of a source lie before a position."""
        return min(self.num_drawn(source, position), int(self._sizes[self._number(source)]))

    def _number(self, source: str) -> int:
        if source not in self._index:
            raise Refused(f"no source {source}; there are: {', '.join(self._index)}")
        return self._index[source]

    def _order(self, number: int, epoch: int) -> Permutation:
        source = self.mixture.sources[number]
        return Permutation.keyed(source.num_sequences, self.mixture.seed, source.name, epoch)


def schedule(weights: list[int]) -> NDArray[np.int64]:
    """One cycle of sources, in which no prefix is a whole sequence off its exact share.

    The j-th turn of a source of weight w in a cycle of W may come after slot floor((j - 1) W / w)
    and must by slot ceil(j W / w). With shares adding up to one, the earliest deadline first
    always meets them all; the largest deficit first does not (1, 1, 1, 7, 7, 7 is off by 1.08).
    """
    cycle = sum(weights)
    order = np.empty(cycle, dtype=np.int64)
    waiting = [(0, -weight, source, 0) for source, weight in enumerate(weights)]
    heapq.heapify(waiting)
    ready: list[tuple[int, int, int]] = []
    for slot in range(cycle):
        while waiting and waiting[0][0] <= slot:
            _, _, source, turn = heapq.heappop(waiting)
            deadline = -(-(turn + 1) * cycle // weights[source])
            heapq.heappush(ready, (deadline, source, turn))
        _, source, turn = heapq.heappop(ready)
        order[slot] = source
        release = (turn + 1) * cycle // weights[source]
        heapq.heappush(waiting, (release, -weights[source], source, turn + 1))
    return order


def _groups(
    source: NDArray[np.int64], epoch: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Positions that share a source and an epoch, and therefore an order."""
    if not source.size:
        return
    by_order = np.lexsort((epoch, source))
    new = np.diff(source[by_order]).astype(bool) | np.diff(epoch[by_order]).astype(bool)
    for group in np.split(by_order, np.flatnonzero(new) + 1):
        yield int(source[group[0]]), group
