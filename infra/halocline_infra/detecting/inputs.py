"""The files that a command is given, as batches of texts: lines of JSON, texts, tables, folders.

Fail closed: what cannot be read is a row with a reason, never left out without a word.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from halocline_governance.detect.verdict import MAX_BYTES, OVERSIZE
from halocline_governance.errors import Refused
from halocline_infra.detecting.batches import FAST, Batch, Gathering, Size
from halocline_infra.detecting.lines import lines
from halocline_infra.detecting.record import NO_TEXT, parsed

FORMS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "text",
    ".md": "text",
    ".csv": "csv",
    ".parquet": "parquet",
}
UNKNOWN = "unreadable: not a form that is known"
NO_COLUMN = "unreadable: no column of that name holds text"


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read.

    Args:
        form: of every file, whatever its name: jsonl, text, csv or parquet.
        text_column, id_column: of tables.
        size: of a batch.
    """

    form: str | None = None
    text_column: str = "text"
    id_column: str = "id"
    size: Size = FAST

    def __post_init__(self) -> None:
        if self.form is not None and self.form not in FORMS.values():
            raise Refused(f"--form is one of {', '.join(dict.fromkeys(FORMS.values()))}")


def batches(names: Sequence[str], reading: Reading) -> Iterator[Batch]:
    """Every text of these files, in order; `-` is standard input.

    Raises:
        Refused: at once, a file that is not there or of no known form.
    """
    sources = [_source(name, reading) for name in names]
    if sum(name == "-" for name in names) > 1:
        raise Refused("standard input can be read once only")
    return (batch for source in sources for batch in source.read())


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    reading: Reading

    def read(self) -> Iterator[Batch]:
        if self.name == "-":
            yield from _stream(sys.stdin.fileno(), self.name, self.reading, "jsonl")
        elif Path(self.name).is_dir():
            yield from _folder(Path(self.name), self.reading)
        else:
            yield from _file(Path(self.name), self.reading)


def _source(name: str, reading: Reading) -> _Source:
    path = Path(name)
    if name == "-":
        if reading.form in ("csv", "parquet"):
            raise Refused("standard input holds lines of JSON, or with --form text one text")
    elif not path.exists():
        raise Refused(f"{name}: no such file")
    elif not path.is_dir() and _form(path, reading) is None:
        raise Refused(f"{name}: what is in it? give --form, or name it {', '.join(FORMS)}")
    return _Source(name, reading)


def _form(path: Path, reading: Reading) -> str | None:
    return reading.form or FORMS.get(path.suffix.lower())


def _folder(folder: Path, reading: Reading) -> Iterator[Batch]:
    """Every file below it, by name. Hidden ones are no part of it; single texts share batches."""
    rows = Gathering(str(folder), reading.size)
    place = 0
    for path in _below(folder):
        form = _form(path, reading)
        if form in ("jsonl", "csv", "parquet"):
            yield from rows.taken()
            try:
                yield from _file(path, reading)
            except Refused:
                rows.add(str(path), NO_COLUMN, 0)
            continue
        place += 1
        if rows.add(str(path), UNKNOWN if form is None else _whole(path), place):
            yield from rows.taken()
    yield from rows.taken()


def _below(folder: Path) -> Iterator[Path]:
    for top, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from (Path(top, name) for name in sorted(files) if not name.startswith("."))


def _file(path: Path, reading: Reading) -> Iterator[Batch]:
    """A file that fails midway gives a row that says so, behind those that could be read."""
    rows = Gathering(str(path), reading.size)
    try:
        form = _form(path, reading)
        if form == "parquet":
            from halocline_infra.detecting.parquet import rows_of

            yield from rows_of(path, reading.text_column, reading.id_column, reading.size)
        elif form == "csv":
            yield from _csv(path, reading)
        else:
            with path.open("rb", buffering=0) as file:
                yield from _stream(file.fileno(), str(path), reading, form or "text")
    except OSError as error:
        rows.add(str(path), f"unreadable: {error.strerror or type(error).__name__}", 0)
    except (ValueError, csv.Error) as error:  # Arrow's are ValueErrors; a message may hold a value
        rows.add(str(path), f"unreadable: {type(error).__name__}", 0)
    yield from rows.taken()


def _stream(handle: int, name: str, reading: Reading, form: str) -> Iterator[Batch]:
    form = reading.form or form
    rows = Gathering(name, reading.size)
    if form == "text":
        rows.add(name, _read(handle), 1)
        yield from rows.taken()
        return
    number = 0
    for block in lines(handle):
        if not block:  # we would have to wait for the next
            yield from rows.taken()
        for line in block:
            number += 1
            if line is None:
                rows.add(None, OVERSIZE, number)
                continue
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line and not line.isspace() and rows.add(*parsed(line), number):
                yield from rows.taken()
    yield from rows.taken()


def _whole(path: Path) -> bytes | str:
    """A text, or why there is none."""
    try:
        with path.open("rb", buffering=0) as file:
            return _read(file.fileno())
    except OSError as error:
        return f"unreadable: {error.strerror or type(error).__name__}"


def _read(handle: int) -> bytes | str:
    parts: list[bytes] = []
    size = 0
    while chunk := os.read(handle, 1 << 22):
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            return OVERSIZE
    return b"".join(parts)


def _csv(path: Path, reading: Reading) -> Iterator[Batch]:
    """By the standard library, whose fields may hold anything; broken bytes stay broken."""
    csv.field_size_limit(MAX_BYTES)
    rows = Gathering(str(path), reading.size)
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        header = [name.removeprefix("\ufeff") for name in next(reader, list[str]())]
        if reading.text_column not in header:
            raise Refused(f"{path}: no column {reading.text_column}; give --text-column")
        text_at = header.index(reading.text_column)
        id_at = header.index(reading.id_column) if reading.id_column in header else None
        for place, cells in enumerate(reader, start=1):
            ident = cells[id_at] if id_at is not None and id_at < len(cells) else None
            ident = ident if ident is None or _is_text(ident) else None
            text = cells[text_at] if text_at < len(cells) else None
            content = NO_TEXT if text is None else text.encode("utf-8", "surrogateescape")
            if rows.add(ident, content, place):
                yield from rows.taken()
    yield from rows.taken()


def _is_text(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value)
