"""Calls the compiled scan on many rows or on the window of a stream, as columns of spans."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.names.found import Found
from halocline_governance.detect.names.labels import cleaned
from halocline_governance.detect.names.model import load
from halocline_governance.detect.names.tagger import scan
from halocline_governance.detect.names.tokens import CAPACITY

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read(
    path: Path, data: NDArray[np.uint8], offsets: NDArray[np.int64], skipped: Mapping[int, str]
) -> Found:
    """All rows but the skipped ones, which may be no UTF-8. Raises `Refused` without weights."""
    parts: list[Found] = []
    edges = [-1, *sorted(skipped), len(offsets) - 1]
    for before, after in pairwise(edges):
        if after - before > 1:
            part, _ = _scanned(path, data, offsets[: after + 1], before + 1, 0, final=True)
            parts.append(part)
    return cleaned(data, offsets, _joined(parts))


def read_on(path: Path, window: bytes, start: int, final: bool) -> tuple[Found, int]:
    """The segments from `start` on that no later text can change, and where they end."""
    data = np.frombuffer(window, dtype=np.uint8)
    offsets = np.array([0, len(window)], dtype=np.int64)
    found, settled = _scanned(path, data, offsets, 0, start, final)
    return cleaned(data, offsets, found), settled


def _scanned(
    path: Path,
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    row: int,
    at: int,
    final: bool,
) -> tuple[Found, int]:
    model = load(path)
    room = 16 * CAPACITY
    parts: list[Found] = []
    done = False
    while not done:
        found = np.empty((room, 4), dtype=np.int64)
        sureness = np.empty(room, dtype=np.float64)
        count, row, at, read_, gated = scan(
            data, offsets, row, at, final, *model.tables, model.weights, model.moves,
            model.scale, found, sureness,
        )  # fmt: skip
        parts.append(_columns(found[:count], model.calibrated(sureness[:count]), read_, gated))
        done = row >= len(offsets) - 1 or count + CAPACITY <= room
        room = min(room * 4, 1 << 20)
    return _joined(parts), at


def _columns(found: NDArray[Any], scores: NDArray[np.float64], read_: int, gated: int) -> Found:
    rows, starts, ends = (found[:, column].copy() for column in range(3))
    return Found(rows, starts, ends, found[:, 3].astype(np.int16), scores, read_, gated)


def _joined(parts: list[Found]) -> Found:
    def column(name: str, kind: Any) -> Any:
        return np.concatenate([np.zeros(0, dtype=kind), *(getattr(p, name) for p in parts)])

    return Found(
        column("rows", np.int64),
        column("starts", np.int64),
        column("ends", np.int64),
        column("kinds", np.int16),
        column("scores", np.float64),
        sum(part.read for part in parts),
        sum(part.gated for part in parts),
    )
