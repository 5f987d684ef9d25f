"""Lines of a file or a pipe, as they come: bounded memory, whatever is between two line ends."""

from __future__ import annotations

from collections.abc import Iterator

from halocline_infra.detecting.chunks import Chunks

MAX_LINE = 512 * 1024 * 1024
"""Twice what a text may have: JSON writes a byte as two and more."""


def lines(parts: Chunks) -> Iterator[list[bytes | None]]:
    """Every line without its end, some at a time; None for one of more than MAX_LINE bytes.

    Where we would have to wait there is an empty list, so that whoever writes a line and waits for
    its answer gets it.
    """
    held: list[bytes] = []
    size = 0
    for part in parts:
        if not part:
            yield []
            continue
        first, *rest = part.split(b"\n")
        held.append(first)
        size += len(first)
        if size > MAX_LINE:
            held.clear()  # its size is remembered, so that what follows of it is dropped too
        if rest:
            last = rest.pop()
            yield [_joined(held, size), *rest]
            held, size = [last], len(last)
    if size:
        yield [_joined(held, size)]


def _joined(held: list[bytes], size: int) -> bytes | None:
    return None if size > MAX_LINE else b"".join(held)
