"""The first stage, which may pass clear text on, and no more: a linear model, then a small net.

The linear model reads bytes and is soon done; what it does not clear the net reads: a vector for
each word piece (32 numbers in whole steps, begun as the encoder's own), one convolution over five
pieces, their mean and maximum, one hidden layer, two numbers: is there an attack in it, and is
there anything at all that the second stage would tell. It reads the same plain text as the encoder,
so that a hidden word looks as the plain one. Each text is summed by itself in one order: its margin
cannot depend on what is beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.toxicity.grams import Grams
    from halocline_governance.detect.toxicity.reading import Reader

    Bytes = NDArray[np.uint8]
    Places = NDArray[np.int64]
    Floats = NDArray[np.float32]

PIECES, WIDTH, REACH, CHANNELS, HIDDEN = 30_522, 32, 5, 48, 32
SHAPES = {
    "table": (PIECES, WIDTH),
    "conv": (REACH * WIDTH, CHANNELS),
    "conv_bias": (CHANNELS,),
    "hidden": (2 * CHANNELS, HIDDEN),
    "hidden_bias": (HIDDEN,),
    "out": (HIDDEN, 2),
    "out_bias": (2,),
}
_LETTER = re.compile(r"[^\W\d_]")
_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Net:
    """The weights by `SHAPES`; the table's step is multiplied into `conv`."""

    table: NDArray[np.int8] = field(repr=False)
    conv: Floats = field(repr=False)
    conv_bias: Floats = field(repr=False)
    hidden: Floats = field(repr=False)
    hidden_bias: Floats = field(repr=False)
    out: Floats = field(repr=False)
    out_bias: Floats = field(repr=False)

    def read(self, ids: NDArray[np.int32], ends: Places) -> NDArray[np.float64]:
        """The larger of the two numbers for each text; the pieces of text i end at `ends[i]`."""
        weights = (self.table, self.conv, self.conv_bias, self.hidden, self.hidden_bias)
        return _read(ids, ends, *weights, self.out, self.out_bias)


@dataclass(frozen=True, slots=True)
class First:
    """The linear model and the net, Platt's two numbers, and the margin below which it clears."""

    grams: Grams
    net: Net
    slope: float
    shift: float
    clears: float
    reader: Reader = field(repr=False)

    def margins(self, data: Bytes, starts: Places, ends: Places) -> NDArray[np.float64]:
        """One number for each `data[start:end]`; NaN for one without a letter.

        The net reads what the linear model does not clear. What that clears has the margin at which
        the net would be as sure, below the limit.
        """
        plain = self.grams.margins(data, starts, ends)
        sure = (self.grams.slope * plain + self.grams.shift - self.shift) / self.slope
        found = np.minimum(sure, self.clears - 1e-6)
        read = np.flatnonzero(plain >= self.grams.clears)
        for at in range(0, len(read), _AT_ONCE):
            some = read[at : at + _AT_ONCE]
            places = zip(starts[some], ends[some], strict=True)
            found[some] = self.seen([data[a:b].tobytes().decode() for a, b in places])
        return found

    def of(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """`margins` of whole texts."""
        rows = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
        starts = ends - np.array([len(row) for row in rows], dtype=np.int64)
        return self.margins(np.frombuffer(b"".join(rows), dtype=np.uint8), starts, ends)

    def seen(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """What the net alone says of each text; NaN for one without a letter."""
        found = np.full(len(texts), np.nan)
        lettered = [at for at, text in enumerate(texts) if _LETTER.search(text)]
        pieces = self.reader.ids([texts[at] for at in lettered])
        flat = np.array([piece for row in pieces for piece in row], dtype=np.int32)
        places = np.cumsum([len(row) for row in pieces], dtype=np.int64)
        found[lettered] = self.net.read(flat, places)
        return found

    def probability(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely the text is an attack; 0 where there is no letter."""
        likely = 1.0 / (1.0 + np.exp(-np.clip(self.slope * margins + self.shift, -30, 30)))
        return np.where(np.isnan(margins), 0.0, likely)


@njit(cache=True, nogil=True)
def _read(  # noqa: C901, PLR0913 - a kernel is one loop and knows no objects
    ids: NDArray[np.int32],
    ends: Places,
    table: NDArray[np.int8],
    conv: Floats,
    conv_bias: Floats,
    hidden: Floats,
    hidden_bias: Floats,
    out: Floats,
    out_bias: Floats,
) -> NDArray[np.float64]:
    answers = np.empty(len(ends), dtype=np.float64)
    channels, width = conv.shape[1], table.shape[1]
    reach = conv.shape[0] // width
    seen = np.empty(channels, dtype=np.float32)
    pooled = np.empty(2 * channels, dtype=np.float32)
    inner = np.empty(len(hidden_bias), dtype=np.float32)
    start = 0
    for row in range(len(ends)):
        end = ends[row]
        pooled[:] = 0.0
        for at in range(start, end):
            seen[:] = conv_bias
            for step in range(reach):
                near = at + step - reach // 2
                if near < start or near >= end:
                    continue
                for number in range(width):
                    value = np.float32(table[ids[near], number])
                    line = conv[step * width + number]
                    for channel in range(channels):
                        seen[channel] += value * line[channel]
            for channel in range(channels):
                value = max(seen[channel], np.float32(0.0))
                pooled[channel] += value
                pooled[channels + channel] = max(pooled[channels + channel], value)
        for channel in range(channels):
            pooled[channel] /= np.float32(max(1, end - start))
        inner[:] = hidden_bias
        for place in range(2 * channels):
            for number in range(len(inner)):
                inner[number] += pooled[place] * hidden[place, number]
        best = -np.inf
        for answer in range(len(out_bias)):
            total = out_bias[answer]
            for number in range(len(inner)):
                total += max(inner[number], np.float32(0.0)) * out[number, answer]
            best = max(best, np.float64(total))
        answers[row] = best
        start = end
    return answers
