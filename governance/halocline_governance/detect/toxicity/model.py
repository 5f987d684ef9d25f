"""The weights that ship, over the base encoder's: first stage, difference, heads, calibration."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect import tensorfile
from halocline_governance.detect.toxicity import encoder
from halocline_governance.detect.toxicity.first import SHAPES, First, Net
from halocline_governance.detect.toxicity.grams import BUCKETS, Grams
from halocline_governance.detect.toxicity.reading import Reader
from halocline_governance.detect.toxicity.whole import Encoder
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FORMAT = "halocline toxicity 3"
ANSWERS = ("toxicity", "hate", "threat", "insult", "sexual", "profanity")
DECIMALS = 4
_BATCH_PIECES = 256


@dataclass(frozen=True, slots=True)
class Second:
    """The encoder with its heads. `calibration` (6, 2) has Platt's numbers for each answer."""

    encoder: Encoder = field(repr=False)
    calibration: NDArray[np.float64] = field(repr=False)
    reader: Reader = field(repr=False)

    def answers(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated probabilities (texts, 6), each text's the same whatever is beside it."""
        return self.calibrated(self.logits(texts))

    def calibrated(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities from logits (texts, 6)."""
        margins = self.calibration[:, 0] * raw + self.calibration[:, 1]
        return np.round(1.0 / (1.0 + np.exp(-np.clip(margins, -30, 30))), DECIMALS)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Before calibration; of a text in several parts, the highest of each."""
        owners: list[int] = []
        parts: list[list[int]] = []
        for number, row in enumerate(self.reader.pieces(texts)):
            owners.extend([number] * len(row))
            parts.extend(row)
        out = np.full((len(texts), len(ANSWERS)), -np.inf)
        with _one_thread():
            for chosen in _batches(parts):
                found = self.encoder.read([parts[at] for at in chosen])
                np.maximum.at(out, [owners[at] for at in chosen], found)
        return out


def _batches(parts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of sequences, few enough that their vectors stay in the cache."""
    chosen: list[int] = []
    count = 0
    for at, part in enumerate(parts):
        if chosen and count + len(part) > _BATCH_PIECES:
            yield chosen
            chosen, count = [], 0
        chosen.append(at)
        count += len(part)
    if chosen:
        yield chosen


@contextmanager
def _one_thread() -> Generator[None]:
    """The calling thread's products on one core: for so few numbers a second costs more than it
    brings, fifty times more where the cores are busy.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def load(path: Path) -> tuple[First, Second]:
    """Both stages, once per process. Raises `Refused` if a file is missing, damaged or another."""
    card, arrays = tensorfile.read(path, FORMAT)
    if card.get("base") != encoder.SHA256 or card.get("answers") != list(ANSWERS):
        raise Refused(f"{path.name}: made for another encoder; train it with the toxicity recipe")
    try:
        second = second_stage(merged(arrays), arrays["calibration"].astype(np.float64))
        first = _first(arrays, second.reader)
    except (KeyError, ValueError, RuntimeError):
        raise Refused(f"{path.name}: arrays missing; train it with the toxicity recipe") from None
    return first, second


def second_stage(weights: Mapping[str, Tensor], calibration: NDArray[np.float64]) -> Second:
    """The encoder made ready for a processor, with the calibration of its answers (6, 2)."""
    if calibration.shape != (len(ANSWERS), 2):
        raise ValueError("calibration has another shape")
    return Second(Encoder.of(weights), calibration, Reader.of(encoder.folder() / "tokenizer.json"))


def _first(arrays: Mapping[str, NDArray[Any]], reader: Reader) -> First:
    parts = {name: arrays[f"first.{name}"] for name in SHAPES}
    weights, linear = arrays["grams.weights"], arrays["grams.numbers"]
    numbers = arrays["first.numbers"]
    if any(parts[name].shape != shape for name, shape in SHAPES.items()) or numbers.shape != (3,):
        raise ValueError("first stage has another shape")
    if weights.shape != (BUCKETS,) or linear.shape != (5,):
        raise ValueError("first stage's linear part has another shape")
    step, *rest_of = (float(number) for number in linear)
    grams = Grams(weights.astype(np.float32) * np.float32(step), *rest_of)
    table = parts.pop("table").astype(np.int8)
    rest = {name: part.astype(np.float32) for name, part in parts.items()}
    slope, shift, clears = (float(number) for number in numbers)
    return First(grams, Net(table=table, **rest), slope, shift, clears, reader)


def merged(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The base weights plus the difference: low-rank for matrices, whole for the rest."""
    import torch

    weights = encoder.base()
    for name, array in arrays.items():
        of, _, part = name.rpartition(".")
        if name.startswith("delta.") and part == "left":
            left, right = array, arrays[f"{of}.right"]
            step = torch.from_numpy(left.astype(np.float32) @ right.astype(np.float32))
            weights[of.removeprefix("delta.")] = weights[of.removeprefix("delta.")] + step
        elif name.startswith("delta.") and part != "right":
            step = torch.from_numpy(array.astype(np.float32))
            weights[name.removeprefix("delta.")] = weights[name.removeprefix("delta.")] + step
    for name in ("head.weight", "head.bias"):
        weights[name] = torch.from_numpy(arrays[name].astype(np.float32))
    return weights
