"""One file or pipe as rows: lines of JSON, a document of JSON, a text, lines of text, a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from halocline_governance.detect.verdict import MAX_BYTES, OVERSIZE
from halocline_infra.detecting import tables
from halocline_infra.detecting.batches import Batch, Gathering
from halocline_infra.detecting.chunks import Chunks, chunks, unpacked
from halocline_infra.detecting.encodings import as_utf8
from halocline_infra.detecting.forms import Reading
from halocline_infra.detecting.lines import lines
from halocline_infra.detecting.record import NO_JSON, Fields, document, parsed, utf8

Blocks = Iterator[list[bytes | None]]


def read(handle: int, form: str, reading: Reading, rows: Gathering) -> Iterator[Batch]:
    """Add all its rows, and give batches as they are full. The last stays behind in `rows`.

    Raises:
        OSError, Unreadable, csv.Error: it cannot be read on.
        Refused: a table has no column of that name.
    """
    parts = opened(handle, reading)
    if form in ("csv", "tsv"):
        for ident, text, place in tables.records(parts, rows.source, form, reading):
            if rows.add(ident, text, place):
                yield from rows.taken()
    else:
        yield from _READERS[form](parts, rows, reading.fields)


def opened(handle: int, reading: Reading) -> Chunks:
    """Unpacked, and in UTF-8."""
    return as_utf8(unpacked(chunks(handle)), reading.encoding)


def whole(parts: Chunks) -> bytes | str:
    """All of it as one text, or why there is none."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size > MAX_BYTES:
            return OVERSIZE
    return utf8(b"".join(held))


def _text(parts: Chunks, rows: Gathering, _: Fields) -> Iterator[Batch]:
    rows.add(rows.source, whole(parts), 1)
    yield from ()


def _lines(parts: Chunks, rows: Gathering, _: Fields) -> Iterator[Batch]:
    """A text each. Blank ones are passed over."""
    number = 0
    for block in lines(parts):
        if not block or rows.waited():  # somebody may wait for what he gave us
            yield from rows.taken()
        for line in block:
            number += 1
            text = OVERSIZE if line is None else utf8(line.removesuffix(b"\r"))
            if text and not text.isspace() and rows.add(None, text, number):
                yield from rows.taken()


def _jsonl(parts: Chunks, rows: Gathering, fields: Fields) -> Iterator[Batch]:
    return _records(lines(parts), rows, fields)


def _records(blocks: Blocks, rows: Gathering, fields: Fields) -> Iterator[Batch]:
    number = 0
    for block in blocks:
        if not block or rows.waited():
            yield from rows.taken()
        for line in block:
            number += 1
            if line is None:
                rows.add(None, OVERSIZE, number)
            elif line and not line.isspace() and rows.add(*parsed(line, fields), number):
                yield from rows.taken()


def _json(parts: Chunks, rows: Gathering, fields: Fields) -> Iterator[Batch]:
    """An array of records, one record, or lines of them: many call that `.json` too."""
    blocks = lines(parts)
    first, blocks = _first(blocks)
    if not first or (first.lstrip()[:1] == b"{" and parsed(first)[1] != NO_JSON):
        yield from _records(blocks, rows, fields)
        return
    data = _joined(blocks)
    found = [(None, data)] if isinstance(data, str) else document(data, fields)
    for place, (ident, text) in enumerate(found, start=1):
        if rows.add(ident, text, place):
            yield from rows.taken()


def _first(blocks: Blocks) -> tuple[bytes | None, Blocks]:
    """The first line that is not blank, if it could be read, and all of them."""
    before: list[list[bytes | None]] = []
    for block in blocks:
        before.append(block)
        for line in block:
            if line is None or (line and not line.isspace()):
                return line, chain(before, blocks)
    return None, iter(before)


def _joined(blocks: Blocks) -> bytes | str:
    held: list[bytes] = []
    size = 0
    for line in chain.from_iterable(blocks):
        size += len(line or b"") + 1
        if line is None or size > MAX_BYTES:
            return OVERSIZE
        held.append(line)
    return b"\n".join(held)


_READERS: dict[str, Callable[[Chunks, Gathering, Fields], Iterator[Batch]]] = {
    "jsonl": _jsonl,
    "json": _json,
    "text": _text,
    "lines": _lines,
}
