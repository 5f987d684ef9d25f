"""What the tagger looks at: for each open token some forty hashed features of a bounded context."""

# ruff: noqa: PLR0913 - compiled code: its tables come as arguments, one by one

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halocline_governance.detect.names.compiled import part
from halocline_governance.detect.names.tokens import (
    BITS,
    CLUSTER,
    GAP,
    HEAD,
    KIND,
    SHAPE,
    SIZE,
    TAIL,
    WORD,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = 48
M32 = 0xFFFFFFFF
EDGE = 0x5EED1


@part
def mixed(number: int, value: int) -> int:
    """A 32-bit hash of the value under the template's number (finaliser by Mueller's method)."""
    word = (value ^ (number * 0x2545F491)) & 0xFFFFFFFF
    word = ((word ^ word >> 16) * 0x2C1B3C6D) & 0xFFFFFFFF
    word = ((word ^ word >> 15) * 0x297A2D39) & 0xFFFFFFFF
    return word ^ word >> 15


@part
def pair(left: int, right: int) -> int:
    return ((left * 0x01000193) ^ right ^ (left >> 15)) & 0xFFFFFFFF


@part
def runs_of(count: int, tokens: NDArray[Any], open_: NDArray[Any], runs: NDArray[Any]) -> None:
    """First and last token of the run of open tokens that each open token stands in."""
    index = 0
    while index < count:
        if open_[index] == 0:
            index += 1
            continue
        last = index
        while last + 1 < count and open_[last + 1] != 0 and tokens[last + 1, GAP] < 2:
            if tokens[last + 1, TAIL] == 44 and tokens[last + 1, KIND] == 6:
                break
            last += 1
        for inner in range(index, last + 1):
            runs[inner, 0] = index
            runs[inner, 1] = last
        index = last + 1


@part
def features_of(
    index: int,
    count: int,
    style: int,
    tokens: NDArray[Any],
    runs: NDArray[Any],
    parents: NDArray[Any],
    mask: int,
    out: NDArray[Any],
) -> None:
    """Writes the buckets of the token's FEATURES features to `out`."""
    token = tokens[index]
    word, kind, gap = int(token[WORD]), int(token[KIND]), int(token[GAP])
    bits, cluster, shape = int(token[BITS]), int(token[CLUSTER]), int(token[SHAPE])
    parent = int(parents[cluster])
    w1, k1, b1, c1, p1, s1 = EDGE, 15, 0, 0, 0, 0
    w2 = EDGE
    if index > 0:
        near = tokens[index - 1]
        w1, k1, b1, s1 = int(near[WORD]), int(near[KIND]), int(near[BITS]), int(near[SHAPE])
        c1 = int(near[CLUSTER])
        p1 = int(parents[c1])
        w2 = int(tokens[index - 2, WORD]) if index > 1 else EDGE + 1
    n1, m1, d1, e1, q1, z1, g1 = EDGE, 15, 0, 0, 0, 0, 3
    n2 = EDGE
    if index + 1 < count:
        near = tokens[index + 1]
        n1, m1, d1, z1 = int(near[WORD]), int(near[KIND]), int(near[BITS]), int(near[SHAPE])
        e1, g1 = int(near[CLUSTER]), int(near[GAP])
        q1 = int(parents[e1])
        n2 = int(tokens[index + 2, WORD]) if index + 2 < count else EDGE + 1
    first, last = int(runs[index, 0]), int(runs[index, 1])
    left = int(tokens[first - 1, WORD]) if first > 0 else EDGE
    right = int(tokens[last + 1, WORD]) if last + 1 < count else EDGE
    left_parent = int(parents[tokens[first - 1, CLUSTER]]) if first > 0 else 999
    right_parent = int(parents[tokens[last + 1, CLUSTER]]) if last + 1 < count else 999
    place = min(index - first, 3) * 4 + min(last - index, 3)
    ends = 0
    for inner in range(first, last + 1):
        ends |= int(tokens[inner, BITS])
    key = _key(index, tokens)
    key_word = int(tokens[key, WORD]) if key >= 0 else 0
    key_cluster = int(tokens[key, CLUSTER]) if key >= 0 else 999
    left_cluster = int(tokens[first - 1, CLUSTER]) if first > 0 else 999
    right_cluster = int(tokens[last + 1, CLUSTER]) if last + 1 < count else 999
    form = kind * 4 + style
    start = 1 if index == 0 or k1 == 6 else 0
    small = bits & 0x7FF

    out[0] = mixed(1, form * 2 + start)
    out[1] = mixed(2, word)
    out[2] = mixed(3, pair(word, form))
    out[3] = mixed(4, pair(int(token[HEAD]) >> 8, form))
    out[4] = mixed(5, int(token[HEAD]))
    out[5] = mixed(6, pair(int(token[TAIL]) & 0xFFFF, form))
    out[6] = mixed(7, pair(int(token[TAIL]) & 0xFFFFFF, form))
    out[7] = mixed(8, int(token[TAIL]))
    out[8] = mixed(9, pair(shape, style * 2 + start))
    out[9] = mixed(10, pair(cluster, form))
    out[10] = mixed(11, pair(parent, form * 2 + start))
    out[11] = mixed(12, pair(bits, form))
    out[12] = mixed(13, w1)
    out[13] = mixed(14, n1)
    out[14] = mixed(15, w2)
    out[15] = mixed(16, n2)
    out[16] = mixed(17, pair(w1, form))
    out[17] = mixed(18, pair(n1, form))
    out[18] = mixed(19, pair(pair(s1, shape), z1))
    out[19] = mixed(20, pair(pair(pair(b1, bits), d1), style))
    out[20] = mixed(21, pair(pair(p1, parent), kind))
    out[21] = mixed(22, pair(pair(parent, q1), kind))
    out[22] = mixed(23, pair(pair(p1, form), q1))
    out[23] = mixed(24, pair(w2, w1))
    out[24] = mixed(25, pair(n1, n2))
    out[25] = mixed(26, pair(c1, form))
    out[26] = mixed(27, pair(e1, form))
    out[27] = mixed(28, pair(w1, word))
    out[28] = mixed(29, pair(word, n1))
    out[29] = mixed(30, pair(gap * 64 + g1 * 16 + k1, form * 16 + m1))
    out[30] = mixed(31, pair(int(tokens[last, WORD]), place))
    out[31] = mixed(32, pair(int(tokens[first, WORD]), place))
    out[32] = mixed(33, pair(pair(ends & 0x7FF, min(last - first, 5)), place))
    out[33] = mixed(34, pair(left, kind))
    out[34] = mixed(35, pair(right, kind))
    out[35] = mixed(36, pair(pair(int(tokens[first, BITS]), int(tokens[last, BITS])), place))
    out[36] = mixed(37, pair(pair(left_parent, right_parent), place))
    out[37] = mixed(38, pair(key_word, form))
    out[38] = mixed(39, pair(pair(gap, g1), pair(small, style)))
    out[39] = mixed(40, pair(pair(b1 & 0x7FF, small), form))
    out[40] = mixed(41, pair(pair(small, d1 & 0x7FF), form))
    out[41] = mixed(
        42, pair(pair(int(parents[tokens[last, CLUSTER]]), place), min(last - first, 4))
    )
    out[42] = mixed(43, pair(pair(left, right), kind))
    out[43] = mixed(44, pair(pair(small, int(token[SIZE])), form))
    out[44] = mixed(45, pair(key_cluster, form))
    out[45] = mixed(46, pair(left_cluster, kind * 8 + min(last - first, 3)))
    out[46] = mixed(47, pair(right_cluster, kind * 8 + min(last - first, 3)))
    out[47] = mixed(48, pair(pair(left_cluster, right_parent), small))
    for number in range(FEATURES):
        out[number] &= mask


@part
def _key(index: int, tokens: NDArray[Any]) -> int:
    """The token before the nearest colon, if one stands at most six tokens before; else -1."""
    for back in range(index - 1, max(index - 7, 0), -1):
        if tokens[back, KIND] == 6 and tokens[back, TAIL] == 58:
            return back - 1
    return -1
