"""The compiled scan: segment by segment, tokens, gate, features, int8 scores, Viterbi, spans.

Tags: 0 none, 1 and 2 the begin and inside of a person, 3 and 4 of an organization, 5 and 6 of a
location, 7 any other name. A linear-chain CRF (Lafferty, McCallum, Pereira 2001); scores are whole
numbers in units of `scale`, so every face decodes alike to the bit. A span's score is the smallest
marginal probability of its tokens' tags.
"""

# ruff: noqa: C901, PLR0913 - compiled code: its tables come as arguments, one by one

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.names.compiled import DIGEST, entry, part
from halocline_governance.detect.names.features import FEATURES, features_of, runs_of
from halocline_governance.detect.names.gate import gate, look_up, style_of
from halocline_governance.detect.names.tokens import (
    CAPACITY,
    COLUMNS,
    END,
    GAP,
    START,
    segment_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAGS = 8
BARRED = -1_000_000_000


@part
def scores_of(
    count: int,
    style: int,
    tokens: NDArray[Any],
    open_: NDArray[Any],
    runs: NDArray[Any],
    parents: NDArray[Any],
    weights: NDArray[Any],
    buckets: NDArray[Any],
    scores: NDArray[Any],
) -> None:
    """Sums each open token's weights to `scores`; a token that is not open can only be 0."""
    mask = len(weights) - 1
    for index in range(count):
        for tag in range(8):
            scores[index, tag] = 0 if open_[index] != 0 or tag == 0 else -1_000_000_000
        if open_[index] != 0:
            features_of(index, count, style, tokens, runs, parents, mask, buckets)
            for number in range(FEATURES):
                bucket = buckets[number]
                for tag in range(8):
                    scores[index, tag] += weights[bucket, tag]


@part
def may_follow(before: int, tag: int, gap: int) -> bool:
    """An inside follows its begin or inside, and not over a wide gap."""
    if tag == 2 or tag == 4 or tag == 6:
        return gap != 2 and (before == tag or before == tag - 1)
    return True


@part
def best_path(
    count: int, tokens: NDArray[Any], moves: NDArray[Any], scores: NDArray[Any],
    back: NDArray[Any], tags: NDArray[Any],
) -> bool:  # fmt: skip
    """Viterbi: writes the best tags, and sums over `scores`; whether any is a span's."""
    for tag in (2, 4, 6):
        scores[0, tag] = -1_000_000_000
    for index in range(1, count):
        gap = tokens[index, GAP]
        for tag in range(8):
            best, chosen = -4_000_000_000_000, 0
            if scores[index, tag] > -900_000_000:
                for before in range(8):
                    if may_follow(before, tag, gap):
                        total = scores[index - 1, before] + moves[before, tag]
                        if total > best:
                            best, chosen = total, before
                scores[index, tag] = max(scores[index, tag] + best, -1_000_000_000)
            back[index, tag] = chosen
    tag = 0
    for other in range(1, 8):
        if scores[count - 1, other] > scores[count - 1, tag]:
            tag = other
    found = False
    for index in range(count - 1, -1, -1):
        tags[index] = tag
        found = found or 1 <= tag <= 6
        tag = back[index, tag]
    return found


@part
def marginals(
    count: int, scale: float, tokens: NDArray[Any], moves: NDArray[Any], scores: NDArray[Any],
    tags: NDArray[Any], ahead: NDArray[Any], behind: NDArray[Any], sure: NDArray[Any],
) -> None:  # fmt: skip
    """Forward and backward sums of the CRF; `sure` gets each token's probability of its tag."""
    for index in range(count):
        top = -1e30
        for tag in range(8):
            value = -1e30
            if scores[index, tag] > -900_000_000:
                value = 0.0
                if index > 0:
                    value = _log_sum(index, tag, scale, tokens, moves, ahead)
                value += scores[index, tag] * scale
            ahead[index, tag] = value
            top = max(top, value)
        for tag in range(8):
            ahead[index, tag] -= top
    for tag in range(8):
        behind[count - 1, tag] = 0.0
    for index in range(count - 2, -1, -1):
        gap = tokens[index + 1, GAP]
        peak = -1e30
        for tag in range(8):
            top, total = -1e30, 0.0
            for after in range(8):
                if scores[index + 1, after] > -900_000_000 and may_follow(tag, after, gap):
                    value = (
                        behind[index + 1, after]
                        + (moves[tag, after] + scores[index + 1, after]) * scale
                    )
                    if value > top:
                        total = total * math.exp(top - value) + 1.0 if total > 0 else 1.0
                        top = value
                    else:
                        total += math.exp(value - top)
            behind[index, tag] = top + math.log(total) if total > 0 else -1e30
            peak = max(peak, behind[index, tag])
        for tag in range(8):
            behind[index, tag] -= peak
    for index in range(count):
        top = -1e30
        for tag in range(8):
            top = max(top, ahead[index, tag] + behind[index, tag])
        total = 0.0
        for tag in range(8):
            total += math.exp(ahead[index, tag] + behind[index, tag] - top)
        chosen = tags[index]
        sure[index] = math.exp(ahead[index, chosen] + behind[index, chosen] - top) / total


@part
def _log_sum(
    index: int, tag: int, scale: float, tokens: NDArray[Any], moves: NDArray[Any],
    ahead: NDArray[Any],
) -> float:  # fmt: skip
    gap = tokens[index, GAP]
    top, total = -1e30, 0.0
    for before in range(8):
        if may_follow(before, tag, gap):
            value = ahead[index - 1, before] + moves[before, tag] * scale
            if value > top:
                total = total * math.exp(top - value) + 1.0 if total > 0 else 1.0
                top = value
            else:
                total += math.exp(value - top)
    return top + math.log(total) if total > 0 else -1e30


def _scan(version: int) -> Any:
    @entry
    def scan(
        data: NDArray[Any], rows: NDArray[Any], row: int, at: int, final: bool,
        classes: NDArray[Any], folded: NDArray[Any], dotted: NDArray[Any], keys: NDArray[Any],
        bits: NDArray[Any], clusters: NDArray[Any], parents: NDArray[Any], weights: NDArray[Any],
        moves: NDArray[Any], scale: float, found: NDArray[Any], sureness: NDArray[Any],
    ) -> tuple[int, int, int, int, int]:  # fmt: skip
        """Spans from place `at` of `row` on: (row, start, end, kind) into `found`.

        Returns how many, the row and place to go on from (one past the last row at the end), and
        the bytes of segments read and of those that the gate left out.
        """
        tokens = np.zeros((CAPACITY, COLUMNS), dtype=np.int64)
        open_ = np.zeros(CAPACITY, dtype=np.int64)
        runs = np.zeros((CAPACITY, 2), dtype=np.int64)
        buckets = np.zeros(FEATURES, dtype=np.int64)
        scores = np.zeros((CAPACITY, 8), dtype=np.int64)
        local = np.zeros((CAPACITY, 8), dtype=np.int64)
        back = np.zeros((CAPACITY, 8), dtype=np.int64)
        tags = np.zeros(CAPACITY, dtype=np.int64)
        ahead = np.zeros((CAPACITY, 8), dtype=np.float64)
        behind = np.zeros((CAPACITY, 8), dtype=np.float64)
        sure = np.zeros(CAPACITY, dtype=np.float64)
        total, read, left = 0 * version, 0, 0
        while row < len(rows) - 1:
            begin, end = rows[row], rows[row + 1]
            at = max(at, begin)
            while at < end:
                if total + CAPACITY > len(found):
                    return total, row, at, read, left
                following, count, closed = segment_at(
                    data, at, end, begin, classes, folded, dotted, tokens
                )
                if closed == 0 and not final:
                    return total, row, at, read, left
                read += following - at
                marked, style = 0, 0
                if count > 0:
                    look_up(count, tokens, keys, bits, clusters)
                    style = style_of(count, tokens)
                    marked = gate(count, style, tokens, open_)
                if marked == 0:
                    left += following - at
                else:
                    runs_of(count, tokens, open_, runs)
                    scores_of(count, style, tokens, open_, runs, parents, weights, buckets, scores)
                    for index in range(count):
                        for tag in range(8):
                            local[index, tag] = scores[index, tag]
                    if best_path(count, tokens, moves, scores, back, tags):
                        for tag in (2, 4, 6):
                            local[0, tag] = -1_000_000_000
                        marginals(count, scale, tokens, moves, local, tags, ahead, behind, sure)
                        total = _spans(
                            count, row, begin, tokens, tags, sure, found, sureness, total
                        )
                at = following
            row += 1
        return total, row, at, read, left

    return scan


@part
def _spans(
    count: int, row: int, begin: int, tokens: NDArray[Any], tags: NDArray[Any],
    sure: NDArray[Any], found: NDArray[Any], sureness: NDArray[Any], total: int,
) -> int:  # fmt: skip
    index = 0
    while index < count:
        tag = tags[index]
        if tag != 1 and tag != 3 and tag != 5:
            index += 1
            continue
        last, least = index, sure[index]
        while last + 1 < count and tags[last + 1] == tag + 1:
            last += 1
            least = min(least, sure[last])
        found[total, 0] = row
        found[total, 1] = tokens[index, START] - begin
        found[total, 2] = tokens[last, END] - begin
        found[total, 3] = (tag + 1) // 2
        sureness[total] = least
        total += 1
        index = last + 1
    return total


scan = _scan(DIGEST)
