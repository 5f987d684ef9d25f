"""Rows of tables that are text: their fields are divided by commas, tabs, semicolons or bars."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain

from halocline_governance.detect.verdict import MAX_BYTES, OVERSIZE
from halocline_governance.errors import Refused
from halocline_infra.detecting.chunks import Chunks, Unreadable
from halocline_infra.detecting.encodings import NOT_UTF8
from halocline_infra.detecting.forms import Reading
from halocline_infra.detecting.lines import lines
from halocline_infra.detecting.record import NO_TEXT, Id

TOO_MANY = "malformed: more cells than columns"
OPEN = "malformed: a quote that is never closed, with all rows behind it"
_DIVIDERS = {"csv": ",;\t|", "tsv": "\t"}


def records(
    parts: Chunks, name: str, form: str, reading: Reading
) -> Iterator[tuple[Id, bytes | str, int]]:
    """Id, text or the reason why there is none, and the row's number from 1.

    What divides a `.csv` is what makes its first row name the text's column: programs set to
    other countries write semicolons.

    Raises:
        Refused: no column of that name. It tells no name that is there: without a header, the
            first row holds values.
        Unreadable: a line that is too long for any field.
        csv.Error: no table.
    """
    csv.field_size_limit(MAX_BYTES)
    rows = _lines(parts)
    first = next(rows, "")
    header, divider = _header(first, _DIVIDERS[form], reading.text_column)
    if not first:
        return
    if header.count(reading.text_column) > 1:
        raise Refused(f"{name}: there are several columns {reading.text_column}")
    if reading.text_column not in header:
        raise Refused(
            f"{name}: no column {reading.text_column}; give --text-column, the name that the"
            " first row has for it"
        )
    text_at = header.index(reading.text_column)
    id_at = header.index(reading.id_column) if reading.id_column in header else len(header)
    quotes = _Quotes(chain([first], rows))
    cells_of = csv.reader(quotes, delimiter=divider)
    next(cells_of)
    quotes.are_odd()
    for place, cells in enumerate(cells_of, start=1):
        is_odd = quotes.are_odd()
        if cells:
            ident = cells[id_at] if id_at < len(cells) else None
            content = _content(cells[text_at]) if text_at < len(cells) else NO_TEXT
            if len(cells) > len(header):  # a text with a divider and no quotes, which is cut
                content = TOO_MANY
            if is_odd and cells[-1].endswith("\n"):  # only a cell that nothing closed ends so
                content = OPEN
            yield ident if ident is None or _is_text(ident) else None, content, place


class _Quotes:
    """Lines as they come; tells whether those since it was last asked have an odd quote."""

    def __init__(self, rows: Iterator[str]) -> None:
        self._rows = rows
        self._count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        row = next(self._rows)
        self._count += row.count('"')
        return row

    def are_odd(self) -> bool:
        count, self._count = self._count, 0
        return count % 2 == 1


def _header(line: str, dividers: str, column: str) -> tuple[list[str], str]:
    found = [(next(csv.reader([line], delimiter=one), list[str]()), one) for one in dividers]
    return next((one for one in found if column in one[0]), found[0])


def _lines(parts: Chunks) -> Iterator[str]:
    """With their ends, as the reader wants them; broken bytes stay broken."""
    for block in lines(parts):
        for line in block:
            if line is None:
                raise Unreadable(OVERSIZE)
            for part in (line + b"\n").splitlines(keepends=True):
                yield part.decode("utf-8", "surrogateescape")


def _content(text: str) -> bytes | str:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return NOT_UTF8


def _is_text(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value)
