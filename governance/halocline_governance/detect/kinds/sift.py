"""From folded texts to findings: anchors and numbers, the rules at them, overlaps resolved.

The engines only say where to look. What a rule sees is a window of the folded row around the
place, so a finding depends on no more than that, whatever the engine and however the text came.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.engines.anchor import Anchor, Engine, engine, fastest
from halocline_governance.detect.kinds import number_kernel, token_kernel
from halocline_governance.detect.kinds.catalog import KINDS
from halocline_governance.detect.kinds.money import COUNTRIES
from halocline_governance.detect.kinds.rules import ANCHORS, RULES, TOKENS, WORDS
from halocline_governance.detect.kinds.shape import (
    AHEAD,
    BEHIND,
    LEFT,
    NEAR,
    NUMBER,
    REACH,
    RIGHT,
    SHORT,
    Hit,
    Rule,
)
from halocline_governance.detect.kinds.words import GROUPS, Beside, Read, open_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.engines.fold import Folded

_RANK = {name: rank for rank, name in enumerate(KINDS)}
_NAMES = tuple(RULES)
_STREET = _NAMES.index("street")
_BESIDE = (NEAR + 4, NUMBER + RIGHT)
_AT_ONCE = 1024
_SHORT = np.isin(np.arange(len(_NAMES)), [_NAMES.index(name) for name in TOKENS])
"""Whose values start at their place, but for a phone's signs, and are no longer than NUMBER."""
_AHEAD = np.where(_SHORT, SHORT, AHEAD)
"""How far behind its place what a rule finds may start."""
_TOKENS = np.array([_NAMES.index(name) for name in TOKENS], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Sieve:
    """An engine with the anchors of the rules."""

    engine: Engine
    rules: NDArray[np.int64] = field(repr=False)
    ats: NDArray[np.int64] = field(repr=False)
    before: NDArray[np.int64] = field(repr=False)
    behind: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, engine: Engine, anchors: Sequence[Anchor] = ANCHORS) -> Sieve:
        numbers = [(_NAMES.index(anchor.rule), anchor.at, *anchor.digit) for anchor in anchors]
        columns = np.array(numbers, dtype=np.int64)
        return cls(engine, columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])

    def candidates(
        self, folded: Folded, begin: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(rule numbers, places) worth a look, in order of place, each once.

        Args:
            begin: what starts before this place is of no interest.
        """
        first = max(0, begin - BEHIND)
        data = folded.data[first:]
        ids, starts = self.engine.places(data)
        spots = starts + self.ats[ids]
        kept = number_kernel.near_digit(data, spots, self.before[ids], self.behind[ids])
        streets = self.rules[ids] == _STREET
        kept[streets] = token_kernel.housed(data, spots[streets])
        ids, spots = ids[kept], spots[kept]
        tokens = number_kernel.numbers(data, *word_tables(), _countries(), NEAR, RIGHT)
        rules = np.concatenate((self.rules[ids], _TOKENS[tokens[:, 0]]))
        places = np.concatenate((spots, tokens[:, 1]))
        pairs = np.unique(places * len(_NAMES) + rules)
        rules, places = pairs % len(_NAMES), pairs // len(_NAMES) + first
        if first or begin:
            near = places >= begin - _AHEAD[rules]
            rules, places = rules[near], places[near]
        return rules, places


@cache
def sieve(name: str | None = None) -> Sieve:
    """With the engine of this name; the fastest that is installed if None."""
    return Sieve.of(fastest(ANCHORS) if name is None else engine(name, ANCHORS))


@cache
def word_tables() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """`words` and `deep` of `number_kernel.numbers`, so that no word of a phrase is missed."""
    words = np.zeros(number_kernel.LETTERS**4, dtype=np.uint8)
    deep = np.zeros(number_kernel.DEEP + 1, dtype=np.bool_)
    for phrase in {phrase for group in WORDS for phrase in group.phrases}:
        parts = phrase.replace(".", " ").replace("/", " ").replace("'", " ").split()
        head = parts[0].rstrip("*")
        if len(parts) > 1:
            words[list(_stems(parts[0][:4] if len(head) >= 4 else parts[0]))] |= number_kernel.FIRST
            words[list(_stems(parts[1]))] |= number_kernel.SECOND
        elif len(head) >= 4 and parts[0] != head[:4] + "*":
            (index,) = _stems(head[:4])
            words[index] |= number_kernel.LONGER
            for rest in _stems(parts[0][4:7] if len(head) >= 7 else parts[0][4:], 3):
                deep[(index * 7919 + rest) & number_kernel.DEEP] = True
        else:
            words[list(_stems(parts[0]))] |= number_kernel.ALONE
    return words, deep


@cache
def group_table() -> NDArray[np.int64]:
    """`table` of `token_kernel.named`: the groups that have a word which starts so."""
    table = np.zeros((number_kernel.LETTERS,) * 3, dtype=np.int64)
    for number, keys in enumerate(GROUPS):
        for key in keys:
            one, two, three = (*(ord(letter) - 96 for letter in key), 0, 0)[:3]
            if three:
                table[one, two, three] |= 1 << number
            elif two:
                table[one, two, :] |= 1 << number
            else:
                table[one, 0, 0] |= 1 << number
    return table.ravel()


@cache
def _countries() -> NDArray[np.bool_]:
    """Which two letters name a country that has IBANs."""
    table = np.zeros(26 * 26, dtype=np.bool_)
    table[[26 * (ord(one) - 65) + ord(two) - 65 for one, two in COUNTRIES]] = True
    return table


def _stems(word: str, size: int = 4) -> Iterator[int]:
    """The table's places for a word; one cut short by `*` may go on with any letters."""
    stem = word.rstrip("*")[:size]
    index = 0
    for letter in stem.ljust(size):
        index = index * number_kernel.LETTERS + (ord(letter) - 96 if letter != " " else 0)
    if word.endswith("*") and len(stem) < size:
        yield from range(index, index + number_kernel.LETTERS ** (size - len(stem)))
    else:
        yield index


def row_hits(
    folded: Folded, candidates: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Iterator[tuple[int, Hit]]:
    """(row, hit) at the candidates, in folded places of the whole buffer, rows in order."""
    rules, places = candidates
    for low in range(0, len(places), _AT_ONCE):
        yield from _some_hits(folded, rules[low : low + _AT_ONCE], places[low : low + _AT_ONCE])


def _some_hits(
    folded: Folded, rules: NDArray[np.int64], places: NDArray[np.int64]
) -> Iterator[tuple[int, Hit]]:
    rows = folded.rows(places)
    lows = np.maximum(folded.starts[rows], places - LEFT)
    highs = np.minimum(folded.starts[rows + 1] - 1, places + REACH)
    short = _SHORT[rules]
    starts, bits, beside = token_kernel.named(folded.data, places[short], group_table(), *_BESIDE)
    read = Read(starts.tolist(), bits.tolist())
    words = iter(beside.tolist())
    data = folded.data.data
    calls: list[Rule] = [RULES[name] for name in _NAMES]
    columns = (rules, places, rows, lows, highs, short)
    listed: list[list[int]] = np.column_stack(columns).tolist()
    for rule, place, row, low, high, is_short in listed:
        window = str(data[low:high], "latin-1")
        if is_short:
            near, first, last = next(words)
            open_window(Beside(window, low, read, near, (first, last)))
        for hit in calls[rule](window, place - low):
            yield row, Hit(hit.start + low, hit.end + low, hit.kind, hit.score)


def resolved(found: Iterable[tuple[int, Hit]], kinds: frozenset[str]) -> Iterator[tuple[int, Hit]]:
    """The hits of the kinds asked for, overlaps in a row as one."""
    for row, group in groupby(found, key=lambda pair: pair[0]):
        for hit in merged(hit for _, hit in group if hit.kind in kinds):
            yield row, hit


def merged(hits: Iterable[Hit]) -> list[Hit]:
    """Overlapping hits as one, in order of their start.

    It covers them all and takes the kind of the longest, then the surest, then the first in
    `KINDS`. A plain URL gives way to whatever stands in it.
    """
    ordered = sorted(set(hits))
    solid = list(_clusters(hit for hit in ordered if hit.kind != "url"))
    urls = [hit for hit in ordered if hit.kind == "url"]
    ends = [hit.end for hit in solid]
    free: list[Hit] = []
    for url in _clusters(urls):
        first = bisect_right(ends, url.start)
        if first == len(solid) or solid[first].start >= url.end:
            free.append(url)
    return sorted((*solid, *free), key=lambda hit: hit.start) if free else solid


def _clusters(ordered: Iterable[Hit]) -> Iterator[Hit]:
    cluster: list[Hit] = []
    end = 0
    for hit in ordered:
        if cluster and hit.start >= end:
            yield _one(cluster)
            cluster = []
        end = max(hit.end, end) if cluster else hit.end
        cluster.append(hit)
    if cluster:
        yield _one(cluster)


def _one(cluster: list[Hit]) -> Hit:
    if len(cluster) == 1:
        return cluster[0]
    best = max(cluster, key=lambda hit: (hit.end - hit.start, hit.score, -_RANK[hit.kind]))
    start = min(hit.start for hit in cluster)
    return Hit(start, max(hit.end for hit in cluster), best.kind, best.score)
