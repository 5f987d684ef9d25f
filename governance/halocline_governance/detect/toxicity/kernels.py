"""The encoder's work between its products, compiled, in one order of sums on every processor.

Floats are 32 bits wide, each operation is rounded by itself, and nothing is reordered or fused (no
`fastmath`): where lanes run side by side, they are written so. A text's numbers are the same to the
last bit wherever and beside whatever it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bytes = NDArray[np.int8]
    Sums = NDArray[np.int32]
    Places = NDArray[np.int64]

HEAD = 32
STEPS = np.float32(127)  # of an activation in a row, on either side of 0
_SCALE = np.float32(HEAD**-0.5)
_LEAST = np.float32(1e-30)
_LANES = 16
_EPS = np.float32(1e-12)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_MAGNITUDE = np.int32(0x7FFFFFFF)
# The normal distribution below x is 1/2 + x p(2 x^2 / 4.5^2 - 1) for |x| < 4.5: our own fit, with
# an error of x times it below 1e-5.
_EDGE = np.float32(4.5)
_PHI = tuple(
    np.float32(number)
    for number in (
        -0.00156603427, 0.0046554668, -0.00668214902, 0.0101402245, -0.0181596547,
        0.0286240827, -0.0402956904, 0.0546718338, -0.0771833757, 0.156905301,
    )
)  # fmt: skip
_P9, _P8, _P7, _P6, _P5, _P4, _P3, _P2, _P1, _P0 = _PHI
_UNIT = np.float32(2 / 4.5**2)
_E6, _E5, _E4, _E3 = (np.float32(1 / number) for number in (720, 120, 24, 6))
_PART, _LOWEST = np.float32(1 / 64), np.float32(-20)


@njit(cache=True, nogil=True, inline="always")
def _exp(x: np.float32) -> np.float32:
    """Of a number from -20 to 0: Taylor's sum for a 64th of it, squared six times."""
    y = min(max(x, _LOWEST), _ZERO) * _PART
    e = (((((_E6 * y + _E5) * y + _E4) * y + _E3) * y + _HALF) * y + _ONE) * y + _ONE
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@njit(cache=True, nogil=True, inline="always")
def _gelu(x: np.float32) -> np.float32:
    near = min(max(x, -_EDGE), _EDGE)
    t = near * near * _UNIT - _ONE
    p = (((((((_P9 * t + _P8) * t + _P7) * t + _P6) * t + _P5) * t + _P4) * t + _P3) * t + _P2) * t
    return x * (_HALF + near * ((p + _P1) * t + _P0))


@njit(cache=True, nogil=True, inline="always")
def _stepped(rows: Floats, row: int, peak: Floats, out: Bytes, to: int) -> np.float32:
    """Writes a row in whole steps; the step. `peak` is room for one number."""
    bits, width = rows.view(np.int32), rows.shape[1]
    largest = np.int32(0)
    for at in range(width):
        largest = max(largest, bits[row, at] & _MAGNITUDE)  # ordered as the floats are
    peak.view(np.int32)[0] = largest
    scale = STEPS / max(peak[0], _LEAST)
    for at in range(width):
        out[to, at] = np.int8(np.int32(np.rint(rows[row, at] * scale)))
    return peak[0] / STEPS


@njit(cache=True, nogil=True, inline="always")
def _normed(row: Floats, scale: Floats, shift: Floats, lanes: Floats) -> None:
    """Layer norm, in place."""
    count = np.float32(len(row))
    lanes[:] = _ZERO
    for at in range(0, len(row), _LANES):
        for lane in range(_LANES):
            lanes[lane] += row[at + lane]
    total = _ZERO
    for lane in range(_LANES):
        total += lanes[lane]
    mean = total / count
    lanes[:] = _ZERO
    for at in range(0, len(row), _LANES):
        for lane in range(_LANES):
            off = row[at + lane] - mean
            lanes[lane] += off * off
    total = _ZERO
    for lane in range(_LANES):
        total += lanes[lane]
    spread = _ONE / np.sqrt(total / count + _EPS)
    for at in range(len(row)):
        row[at] = (row[at] - mean) * spread * scale[at] + shift[at]


@njit(cache=True, nogil=True)
def embed(  # noqa: PLR0913 - a kernel knows no objects
    ids: Places,
    places: Places,
    words: Floats,
    where: Floats,
    scale: Floats,
    shift: Floats,
    x: Floats,
    steps: Floats,
    out: Bytes,
) -> None:
    """The vectors of pieces at their places, normed: as they are into `x`, stepped into `out`."""
    lanes, peak = np.empty(_LANES, dtype=np.float32), np.empty(1, dtype=np.float32)
    for row in range(len(ids)):
        line, word, place = x[row], words[ids[row]], where[places[row]]
        for at in range(len(line)):
            line[at] = word[at] + place[at]
        _normed(line, scale, shift, lanes)
        steps[row] = _stepped(x, row, peak, out, row)


@njit(cache=True, nogil=True)
def added(  # noqa: PLR0913 - as above
    sums: Sums,
    unit: Floats,
    bias: Floats,
    scale: Floats,
    shift: Floats,
    x: Floats,
    steps: Floats,
    out: Bytes,
) -> None:
    """Adds a product to `x` and norms it; `steps` holds the step of the rows multiplied, and of
    those written.
    """
    lanes, peak = np.empty(_LANES, dtype=np.float32), np.empty(1, dtype=np.float32)
    for row in range(len(sums)):
        line, found, step = x[row], sums[row], steps[row]
        for at in range(len(line)):
            line[at] += np.float32(found[at]) * (step * unit[at]) + bias[at]
        _normed(line, scale, shift, lanes)
        steps[row] = _stepped(x, row, peak, out, row)


@njit(cache=True, nogil=True)
def bent(sums: Sums, unit: Floats, bias: Floats, steps: Floats, out: Bytes) -> None:
    """GELU of a product."""
    line = np.empty((1, sums.shape[1]), dtype=np.float32)
    peak = np.empty(1, dtype=np.float32)
    for row in range(len(sums)):
        step = steps[row]
        for at in range(line.shape[1]):
            line[0, at] = _gelu(np.float32(sums[row, at]) * (step * unit[at]) + bias[at])
        steps[row] = _stepped(line, 0, peak, out, row)


@njit(cache=True, nogil=True)
def attended(  # noqa: C901 - as above
    sums: Sums, unit: Floats, bias: Floats, ends: Places, steps: Floats, out: Bytes
) -> None:
    """Attention within each sequence; `sums` has queries, keys and values side by side.

    Keys, values and shares lie in blocks of 32 pieces, the last one filled up with nothing.
    """
    width = sums.shape[1] // 3
    longest, start = 0, 0
    for end in ends:
        longest = max(longest, end - start)
        start = end
    blocks = (longest + HEAD - 1) // HEAD
    mixed = np.empty((longest, width), dtype=np.float32)
    query = np.zeros((longest, HEAD), dtype=np.float32)
    key = np.zeros((blocks, HEAD, HEAD), dtype=np.float32)
    value = np.zeros((blocks, HEAD, HEAD), dtype=np.float32)
    shares = np.empty((blocks, longest, HEAD), dtype=np.float32)
    found = np.empty((longest, HEAD), dtype=np.float32)
    peak = np.empty(1, dtype=np.float32)
    start = 0
    for end in ends:
        size = end - start
        blocks = (size + HEAD - 1) // HEAD
        value[blocks - 1] = _ZERO
        for first in range(0, width, HEAD):
            for row in range(size):
                here, block, place = start + row, row // HEAD, row % HEAD
                step = steps[here]
                for at in range(HEAD):
                    n = first + at
                    q = np.float32(sums[here, n]) * (step * unit[n]) + bias[n]
                    query[row, at] = q * _SCALE
                    n += width
                    key[block, at, place] = np.float32(sums[here, n]) * (step * unit[n]) + bias[n]
                    n += width
                    value[block, place, at] = np.float32(sums[here, n]) * (step * unit[n]) + bias[n]
            for block in range(blocks):
                _multiplied(query, key[block], size, True, shares[block])
            _shared(shares, size)
            for block in range(blocks):
                _multiplied(shares[block], value[block], size, block == 0, found)
            for row in range(size):
                for at in range(HEAD):
                    mixed[row, first + at] = found[row, at]
        for row in range(size):
            steps[start + row] = _stepped(mixed, row, peak, out, start + row)
        start = end


@njit(cache=True, nogil=True)
def _multiplied(a: Floats, b: Floats, rows: int, fresh: bool, out: Floats) -> None:
    """The product of `a` and `b`, which is 32 by 32; or what it adds to `out`. Eight terms are
    summed in pairs.
    """
    for row in range(rows):
        if fresh:
            for at in range(HEAD):
                out[row, at] = _ZERO
        for k in range(0, HEAD, 8):
            a0, a1, a2, a3 = a[row, k], a[row, k + 1], a[row, k + 2], a[row, k + 3]
            a4, a5, a6, a7 = a[row, k + 4], a[row, k + 5], a[row, k + 6], a[row, k + 7]
            for at in range(HEAD):
                low = (a0 * b[k, at] + a1 * b[k + 1, at]) + (a2 * b[k + 2, at] + a3 * b[k + 3, at])
                up = (a4 * b[k + 4, at] + a5 * b[k + 5, at]) + (
                    a6 * b[k + 6, at] + a7 * b[k + 7, at]
                )
                out[row, at] += low + up


@njit(cache=True, nogil=True)
def _shared(shares: Floats, size: int) -> None:  # noqa: C901 - loops side by side
    """Softmax of each row's first `size` numbers, in place; 0 behind them.

    The largest is sought among whole numbers that are ordered as the floats are.
    """
    blocks = (size + HEAD - 1) // HEAD
    bits, room = shares.view(np.int32), np.empty(1, dtype=np.float32)
    for row in range(size):
        last = blocks - 1
        for at in range(size - last * HEAD, HEAD):
            shares[last, row, at] = shares[0, row, 0]
        most = np.int32(-_MAGNITUDE)
        for block in range(blocks):
            for at in range(HEAD):
                found = bits[block, row, at]
                most = max(most, found ^ ((found >> 31) & _MAGNITUDE))
        room.view(np.int32)[0] = most ^ ((most >> 31) & _MAGNITUDE)
        peak = room[0]
        total = _ZERO
        for block in range(blocks):
            for at in range(HEAD):
                shares[block, row, at] = _exp(shares[block, row, at] - peak)
            for at in range(max(0, size - block * HEAD), HEAD):
                shares[block, row, at] = _ZERO
            t0 = t1 = t2 = t3 = _ZERO
            for at in range(0, HEAD, 4):
                t0 += shares[block, row, at]
                t1 += shares[block, row, at + 1]
                t2 += shares[block, row, at + 2]
                t3 += shares[block, row, at + 3]
            total += (t0 + t1) + (t2 + t3)
        part = _ONE / total
        for block in range(blocks):
            for at in range(HEAD):
                shares[block, row, at] *= part


@njit(cache=True, nogil=True)
def told(
    x: Floats, ends: Places, weights: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The heads' numbers (sequences, answers) over each sequence's mean and maximum."""
    answers, width = len(bias), x.shape[1]
    out = np.empty((len(ends), answers), dtype=np.float64)
    pooled = np.empty(2 * width, dtype=np.float64)
    start = 0
    for number in range(len(ends)):
        end = ends[number]
        pooled[:width] = 0.0
        pooled[width:] = -np.inf
        for row in range(start, end):
            for at in range(width):
                pooled[at] += x[row, at]
                pooled[width + at] = max(pooled[width + at], np.float64(x[row, at]))
        for at in range(width):
            pooled[at] /= end - start
        for answer in range(answers):
            total = bias[answer]
            for at in range(2 * width):
                total += pooled[at] * weights[answer, at]
            out[number, answer] = total
        start = end
    return out
