"""What `isolated` and its child say to each other: a head in JSON, and buffers behind it."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

_SIZES = struct.Struct("<II")
_PART = struct.Struct("<Q")
_MOST = 1 << 33
_COLUMNS = {
    "rows": "int64",
    "starts": "int64",
    "ends": "int64",
    "codes": "int16",
    "scores": "float64",
    "found": "bool",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One message; its parts may hold a text, so its representation doesn't show them."""

    head: dict[str, Any] = field(repr=False)
    parts: list[bytearray] = field(repr=False)


def send(wire: socket.socket, head: dict[str, Any], parts: Sequence[Any] = ()) -> None:
    """Raises `TimeoutError` and other `OSError`s."""
    told = json.dumps(head).encode()
    views = [memoryview(part).cast("B") for part in parts if len(part)]
    sizes = [len(part) * getattr(part, "itemsize", 1) for part in parts]
    wire.sendall(_SIZES.pack(len(told), len(parts)) + told)
    wire.sendall(b"".join(map(_PART.pack, sizes)))
    for view in views:
        wire.sendall(view)


def receive(wire: socket.socket, until: float | None = None) -> Call | None:
    """The next message; None when the other side is gone.

    Args:
        until: when to give up, by the monotonic clock.

    Raises:
        TimeoutError: none came in time.
    """
    sizes = _exactly(wire, _SIZES.size, until)
    if sizes is None:
        return None
    told, count = _SIZES.unpack(sizes)
    head = _exactly(wire, told, until)
    lengths = _exactly(wire, count * _PART.size, until)
    if head is None or lengths is None:
        return None
    parts = list[bytearray]()
    for (length,) in _PART.iter_unpack(lengths):
        part = _exactly(wire, length, until)
        if part is None:
            return None
        parts.append(part)
    return Call(json.loads(head), parts)


def _exactly(wire: socket.socket, size: int, until: float | None) -> bytearray | None:
    if size > _MOST:
        raise ValueError("a message that is none")
    held = bytearray(size)
    view, at = memoryview(held), 0
    while at < size:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            wire.settimeout(left)
        got = wire.recv_into(view[at:])
        if not got:
            return None
        at += got
    return held


def packed(verdicts: BatchVerdict) -> tuple[dict[str, Any], list[Any]]:
    """The verdicts about a batch as a message."""
    head: dict[str, Any] = {
        "kinds": verdicts.kinds,
        "reasons": {str(row): reason for row, reason in verdicts.reasons.items()},
        "scored": verdicts.text_scores is not None,
    }
    parts = [getattr(verdicts, name) for name in _COLUMNS]
    return head, parts if verdicts.text_scores is None else [*parts, verdicts.text_scores]


def unpacked(detector: str, texts: Texts, call: Call) -> BatchVerdict:
    """The same verdicts, about our own copy of the texts.

    Raises:
        ValueError: a message that is none: its sender is not to be believed.
    """
    import numpy as np

    from halocline_governance.detect.batch import BatchVerdict, Spans

    scored = bool(call.head["scored"])
    types = [*_COLUMNS.values(), *(["float64"] if scored else [])]
    columns: list[Any] = [
        np.frombuffer(part, dtype=kind) for part, kind in zip(call.parts, types, strict=True)
    ]
    rows, starts, ends, codes, scores, found = columns[:6]
    kinds = tuple(call.head["kinds"])
    _check(len({len(column) for column in columns[:5]}) == 1)
    _check(len(found) == len(texts) and (not scored or len(columns[6]) == len(texts)))
    if len(rows):
        _check(rows.min() >= 0 and rows.max() < len(texts))
        _check(codes.min() >= 0 and codes.max() < len(kinds))
        _check(bool((starts >= 0).all() and (starts <= ends).all()))
        _check(bool((ends <= np.diff(texts.offsets)[rows]).all()))
    return BatchVerdict.of(
        detector,
        texts,
        Spans(kinds, rows, starts, ends, codes, scores),
        columns[6] if scored else None,
        found,
        {int(row): str(reason) for row, reason in call.head["reasons"].items()},
    )


def _check(holds: bool) -> None:
    if not holds:
        raise ValueError("a message that is none")
