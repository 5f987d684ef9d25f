"""Fits the tagger's CRF: texts to hashed features by the detector's own kernels, then AdaGrad.

Words are left out at random, so that the model learns from shape, affixes, lists and context
too, and a name that it never saw is still one (word dropout; Iyyer et al. 2015). Conditional
random field with log-likelihood loss; AdaGrad (Duchi et al. 2011); the last epochs are averaged.
"""

# ruff: noqa: C901, PLR0913 - compiled code: its tables come as arguments, one by one

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.names.compiled import DIGEST, entry, part
from halocline_governance.detect.names.features import FEATURES, features_of, runs_of
from halocline_governance.detect.names.gate import gate, look_up, style_of
from halocline_governance.detect.names.tagger import may_follow
from halocline_governance.detect.names.tokens import (
    CAPACITY,
    COLUMNS,
    END,
    GAP,
    START,
    segment_at,
)
from halocline_pipelines.recipes.names_silver import Example

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAG = {"person": 1, "organization": 3, "location": 5, "other": 7}
# Features that hold the token's own word, a neighbour's word, a list's or a cluster's word.
_OWN = (1, 2, 4, 7, 27, 28, 30, 31)
_NEAR = (12, 13, 14, 15, 16, 17, 23, 24, 33, 34, 37, 42)
_KNOWN = (9, 10, 11, 19, 20, 21, 22, 32, 35, 38, 39, 40, 41, 43, 47)
GROUPS = np.zeros(FEATURES, dtype=np.int64)
GROUPS[list(_OWN)], GROUPS[list(_NEAR)], GROUPS[list(_KNOWN)] = 1, 2, 3


# How often a token loses the features of each group.
DROPPED = (0.0, 0.4, 0.15, 0.1)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Segments one after another: tokens' gaps, tags and feature rows (-1: not open)."""

    ends: NDArray[np.int64]
    weights: NDArray[np.float32]
    gaps: NDArray[np.int64]
    tags: NDArray[np.int64]
    rows: NDArray[np.int64]
    features: NDArray[np.int32]
    gold_spans: int
    gate_lost: int


def _extract(version: int) -> Any:
    @entry
    def extract(
        data: NDArray[Any], at: int, classes: NDArray[Any], folded: NDArray[Any],
        dotted: NDArray[Any], keys: NDArray[Any], bits: NDArray[Any], clusters: NDArray[Any],
        parents: NDArray[Any], mask: int, tokens: NDArray[Any], open_: NDArray[Any],
        out: NDArray[Any],
    ) -> tuple[int, int, int]:  # fmt: skip
        """One segment: where the next begins, its tokens, and how many are open."""
        runs = np.zeros((CAPACITY, 2), dtype=np.int64)
        following, count, _ = segment_at(
            data, at + 0 * version, len(data), 0, classes, folded, dotted, tokens
        )
        if count == 0:
            return following, 0, 0
        look_up(count, tokens, keys, bits, clusters)
        style = style_of(count, tokens)
        marked = gate(count, style, tokens, open_)
        if marked > 0:
            runs_of(count, tokens, open_, runs)
            for index in range(count):
                if open_[index] != 0:
                    features_of(index, count, style, tokens, runs, parents, mask, out[index])
        return following, count, marked

    return extract


extract = _extract(DIGEST)


def corpus(
    parts: Sequence[tuple[Sequence[Example], float]], tables: Sequence[NDArray[Any]], mask: int
) -> Corpus:
    """All parts' examples as one corpus; segments that hold a doubtful part are left out."""
    tokens = np.zeros((CAPACITY, COLUMNS), dtype=np.int64)
    open_ = np.zeros(CAPACITY, dtype=np.int64)
    out = np.zeros((CAPACITY, FEATURES), dtype=np.int64)
    ends: list[int] = []
    weights: list[float] = []
    gaps: list[NDArray[np.int64]] = []
    tags: list[NDArray[np.int64]] = []
    rows: list[NDArray[np.int64]] = []
    features: list[NDArray[np.int32]] = []
    total = opened = spans = lost = 0
    for examples, weight in parts:
        for example in examples:
            data, marks = _marked(example)
            buffer = np.frombuffer(data, dtype=np.uint8)
            at = 0
            spans += len(example.spans)
            while at < len(data):
                at, count, marked = extract(buffer, at, *tables, mask, tokens, open_, out)
                if count == 0:
                    continue
                found, gone = _tags(tokens[:count], open_[:count] * (marked > 0), marks)
                lost += gone
                if marked == 0 or found is None:
                    continue
                which = open_[:count] != 0
                total += count
                ends.append(total)
                weights.append(weight)
                gaps.append(tokens[:count, GAP].copy())
                tags.append(found)
                numbers = np.full(count, -1, dtype=np.int64)
                numbers[which] = opened + np.arange(int(which.sum()))
                opened += int(which.sum())
                rows.append(numbers)
                features.append(out[:count][which].astype(np.int32))
    return Corpus(
        np.array(ends, dtype=np.int64), np.array(weights, dtype=np.float32),
        np.concatenate(gaps), np.concatenate(tags), np.concatenate(rows),
        np.concatenate(features), spans, lost,
    )  # fmt: skip


def _marked(example: Example) -> tuple[bytes, NDArray[np.int64]]:
    """The bytes, and for each 8 * the number of its span + tag; -1 where nobody judges."""
    data = example.text.encode()
    marks = np.zeros(len(data), dtype=np.int64)
    ascii_ = example.text.isascii()
    place: Callable[[int], int] = (
        (lambda at: at) if ascii_ else (lambda at: len(example.text[:at].encode()))
    )
    for number, (start, end, kind) in enumerate(example.spans, 1):
        marks[place(start) : place(end)] = 8 * number + TAG[kind]
    if example.source == "silver":
        for start, end in example.ignored:
            marks[place(start) : place(end)] = -1
    return data, marks


def _tags(
    tokens: NDArray[Any], open_: NDArray[Any], marks: NDArray[np.int64]
) -> tuple[NDArray[np.int64] | None, int]:
    """The tokens' tags (None: not to be learnt), and how many spans lose a token to the gate."""
    found = np.zeros(len(tokens), dtype=np.int64)
    before, lost = 0, set[int]()
    for index, token in enumerate(tokens):
        inside = marks[token[START] : token[END]]
        if (inside < 0).any():
            return None, 0
        mark = int(inside.max()) if len(inside) else 0
        if mark and not open_[index]:
            if mark % 8 != 7:
                lost.add(mark)
            mark = 0
        tag = mark % 8
        if tag and tag != 7 and mark == before:
            tag += 1
        found[index], before = tag, mark
    return found, len(lost)


def fit(
    learnt: Corpus, buckets: int, epochs: int, tell: Callable[[str], None], rate: float = 0.15
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights [buckets, 8] and moves [8, 8]; the same corpus gives the same numbers."""
    weights = np.zeros((buckets, 8), dtype=np.float32)
    moves = np.zeros((8, 8), dtype=np.float32)
    squares, move_squares = np.full_like(weights, 1e-2), np.full_like(moves, 1.0)
    means, move_means, taken = np.zeros_like(weights), np.zeros_like(moves), 0
    rng = np.random.default_rng(0)
    for epoch in range(epochs):
        order = rng.permutation(len(learnt.ends))
        loss = _epoch(
            order, learnt.ends, learnt.weights, learnt.gaps, learnt.tags, learnt.rows,
            learnt.features, GROUPS, weights, moves, squares, move_squares, rate, epoch + 1,
        )  # fmt: skip
        tell(f"names: epoch {epoch + 1} of {epochs}, loss {loss / len(learnt.ends):.4f}")
        if epoch >= epochs // 2:
            means, move_means, taken = means + weights, move_means + moves, taken + 1
    return (means / taken).astype(np.float32), (move_means / taken).astype(np.float32)


@part
def _step(
    first: int, last: int, gaps: NDArray[Any], tags: NDArray[Any], rows: NDArray[Any],
    scores: NDArray[Any], moves: NDArray[Any], ahead: NDArray[Any], behind: NDArray[Any],
    edges: NDArray[Any],
) -> float:  # fmt: skip
    """Marginals into `ahead` (tokens) and expected moves into `edges`; returns the loss."""
    count = last - first
    for index in range(count):
        for tag in range(8):
            value = -1e30
            if rows[first + index] >= 0 or tag == 0:
                if index == 0:
                    if tag != 2 and tag != 4 and tag != 6:
                        value = scores[0, tag]
                else:
                    top = -1e30
                    for before in range(8):
                        if may_follow(before, tag, gaps[first + index]):
                            top = max(top, ahead[index - 1, before] + moves[before, tag])
                    if top > -1e29:
                        total = 0.0
                        for before in range(8):
                            if may_follow(before, tag, gaps[first + index]):
                                total += math.exp(
                                    ahead[index - 1, before] + moves[before, tag] - top
                                )
                        value = top + math.log(total) + scores[index, tag]
            ahead[index, tag] = value
    for tag in range(8):
        behind[count - 1, tag] = 0.0
    for index in range(count - 2, -1, -1):
        gap = gaps[first + index + 1]
        closed = rows[first + index + 1] < 0
        for tag in range(8):
            top = -1e30
            for after in range(1 if closed else 8):
                if may_follow(tag, after, gap):
                    top = max(
                        top, behind[index + 1, after] + moves[tag, after] + scores[index + 1, after]
                    )
            total = 0.0
            for after in range(1 if closed else 8):
                if may_follow(tag, after, gap):
                    total += math.exp(
                        behind[index + 1, after]
                        + moves[tag, after]
                        + scores[index + 1, after]
                        - top
                    )
            behind[index, tag] = top + math.log(total)
    top = ahead[count - 1, 0]
    for tag in range(8):
        top = max(top, ahead[count - 1, tag])
    total = 0.0
    for tag in range(8):
        total += math.exp(ahead[count - 1, tag] - top)
    norm = top + math.log(total)
    gold = 0.0
    for index in range(count):
        gold += scores[index, tags[first + index]]
        if index > 0:
            gold += moves[tags[first + index - 1], tags[first + index]]
    for before in range(8):
        for tag in range(8):
            edges[before, tag] = 0.0
    for index in range(1, count):
        gap = gaps[first + index]
        for tag in range(1 if rows[first + index] < 0 else 8):
            for before in range(8):
                if may_follow(before, tag, gap) and ahead[index - 1, before] > -1e29:
                    edges[before, tag] += math.exp(
                        ahead[index - 1, before] + moves[before, tag] + scores[index, tag]
                        + behind[index, tag] - norm
                    )  # fmt: skip
        edges[tags[first + index - 1], tags[first + index]] -= 1.0
    for index in range(count):
        for tag in range(8):
            ahead[index, tag] = math.exp(max(-700.0, ahead[index, tag] + behind[index, tag] - norm))
    return norm - gold


def _train(version: int) -> Any:
    @entry
    def train(
        order: NDArray[Any], ends: NDArray[Any], shares: NDArray[Any], gaps: NDArray[Any],
        tags: NDArray[Any], rows: NDArray[Any], features: NDArray[Any], groups: NDArray[Any],
        weights: NDArray[Any], moves: NDArray[Any], squares: NDArray[Any],
        move_squares: NDArray[Any], rate: float, seed: int,
    ) -> float:  # fmt: skip
        """One pass of AdaGrad over all segments; the summed loss."""
        np.random.seed(seed + 0 * version)
        scores = np.zeros((CAPACITY, 8))
        ahead, behind = np.zeros((CAPACITY, 8)), np.zeros((CAPACITY, 8))
        edges = np.zeros((8, 8))
        dropped = np.zeros((CAPACITY, 4), dtype=np.int64)
        loss = 0.0
        for number in order:
            first = ends[number - 1] if number > 0 else 0
            last, share = ends[number], shares[number]
            for index in range(last - first):
                row = rows[first + index]
                for tag in range(8):
                    scores[index, tag] = 0.0
                dropped[index, 1] = np.random.random() < DROPPED[1]
                dropped[index, 2] = np.random.random() < DROPPED[2]
                dropped[index, 3] = np.random.random() < DROPPED[3]
                if row >= 0:
                    for place in range(FEATURES):
                        if dropped[index, groups[place]] == 0:
                            bucket = features[row, place]
                            for tag in range(8):
                                scores[index, tag] += weights[bucket, tag]
            loss += _step(
                int(first), int(last), gaps, tags, rows, scores, moves, ahead, behind, edges
            )
            for index in range(last - first):
                row = rows[first + index]
                if row < 0:
                    continue
                ahead[index, tags[first + index]] -= 1.0
                for place in range(FEATURES):
                    if dropped[index, groups[place]] == 0:
                        bucket = features[row, place]
                        for tag in range(8):
                            slope = share * (ahead[index, tag] + 2e-6 * weights[bucket, tag])
                            squares[bucket, tag] += slope * slope
                            weights[bucket, tag] -= rate * slope / math.sqrt(squares[bucket, tag])
            for before in range(8):
                for tag in range(8):
                    slope = share * edges[before, tag]
                    move_squares[before, tag] += slope * slope
                    moves[before, tag] -= rate * slope / math.sqrt(move_squares[before, tag])
        return loss

    return train


_epoch = _train(DIGEST)
