"""The files that a command is given, as batches of texts: lines of JSON, texts, tables, folders.

Fail closed: what cannot be read is a row with a reason, never left out without a word.
"""

from __future__ import annotations

import csv
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from halocline_governance.errors import Refused
from halocline_infra.detecting.batches import Batch, Gathering, Pace
from halocline_infra.detecting.chunks import Unreadable
from halocline_infra.detecting.forms import FORMS, Reading
from halocline_infra.detecting.readers import opened, read, whole

UNKNOWN = "unreadable: not a form that is known"
NO_COLUMN = "unreadable: no column of that name holds text"
NO_FILE = "unreadable: neither a file nor a folder"
LINKED = "unreadable: a link to a folder"


def batches(names: Sequence[str], reading: Reading) -> Iterator[Batch]:
    """Every text of these files, in order; `-` is standard input.

    Raises:
        Refused: at once, a file that is not there or of no known form.
    """
    pace = Pace(reading.size)
    sources = [_source(name, reading, pace) for name in names]
    if sum(name == "-" for name in names) > 1:
        raise Refused("standard input can be read once only")
    return (batch for source in sources for batch in source.read())


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    reading: Reading
    pace: Pace

    def read(self) -> Iterator[Batch]:
        if self.name != "-" and Path(self.name).is_dir():
            yield from _folder(Path(self.name), self.reading, self.pace)
        else:
            yield from _file(self.name, self.reading, self.pace)


def _source(name: str, reading: Reading, pace: Pace) -> _Source:
    path = Path(name)
    if name == "-":
        if reading.form == "parquet":
            raise Refused("standard input cannot be Parquet: give the file's name")
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - `<&-`
            raise Refused("standard input is closed")
    elif not path.exists():
        raise Refused(f"{name}: no such file")
    elif not path.is_dir() and _form(name, reading) is None:
        forms = " ".join(dict.fromkeys(FORMS.values()))
        raise Refused(
            f"{name}: what does it hold? give --form, one of {forms};"
            f" names that say it end in {', '.join(FORMS)}"
        )
    return _Source(name, reading, pace)


def _form(name: str, reading: Reading) -> str | None:
    """Of what has no name that could say it: lines of JSON."""
    if name != "-" and Path(name).is_file():
        return reading.form_of(Path(name))
    return reading.form or reading.form_of(Path(name)) or "jsonl"


def _folder(folder: Path, reading: Reading, pace: Pace) -> Iterator[Batch]:
    """Every file below it, by name. Hidden ones are no part of it; single texts share batches."""
    rows = Gathering(str(folder), pace)
    place = 0
    for path, wrong in _below(folder):
        form = reading.form_of(path)
        if wrong is None and form not in ("text", None):
            yield from rows.taken()
            try:
                yield from _file(str(path), reading, pace)
            except Refused:
                rows.add(str(path), NO_COLUMN, 0)
            continue
        place += 1
        text = wrong or (UNKNOWN if form is None else _whole(path, reading))
        if rows.add(str(path), text, place):
            yield from rows.taken()
    yield from rows.taken()


def _below(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Each file, and why it is none that can be read."""
    failed: list[OSError] = []
    for top, names, files in os.walk(folder, onerror=failed.append):
        names[:] = sorted(name for name in names if not name.startswith("."))
        linked = {name for name in names if Path(top, name).is_symlink()}
        for name in sorted({*files, *linked}):
            path = Path(top, name)
            if not name.startswith("."):
                yield path, LINKED if name in linked else _no_file(path)
    for error in failed:
        yield Path(error.filename or folder), f"unreadable: {error.strerror}"


def _no_file(path: Path) -> str | None:
    """Why this is none: opening a pipe that nobody writes to would never end."""
    try:
        return None if stat.S_ISREG(path.stat().st_mode) else NO_FILE
    except OSError as error:
        return _why(error)


def _file(name: str, reading: Reading, pace: Pace) -> Iterator[Batch]:
    """A file that fails midway gives a row that says so, behind those that could be read."""
    rows = Gathering(name, pace)
    try:
        form = _form(name, reading) or "text"
        if form == "parquet":
            from halocline_infra.detecting.parquet import rows_of

            yield from rows_of(Path(name), reading.text_column, reading.id_column, pace)
        elif name == "-":
            yield from read(sys.stdin.fileno(), form, reading, rows)
        else:
            with open(name, "rb", buffering=0) as file:
                yield from read(file.fileno(), form, reading, rows)
    except (OSError, ValueError, csv.Error) as error:  # Arrow's are ValueErrors
        rows.add(name, _why(error), 0)
    yield from rows.taken()


def _whole(path: Path, reading: Reading) -> bytes | str:
    """A text, or why there is none."""
    try:
        with path.open("rb", buffering=0) as file:
            return whole(opened(file.fileno(), reading))
    except (OSError, ValueError) as error:
        return _why(error)


def _why(error: OSError | ValueError | csv.Error) -> str:
    """Its message only where it is ours: another may hold a value."""
    if isinstance(error, Unreadable):
        return str(error)
    strerror = error.strerror if isinstance(error, OSError) else None
    return f"unreadable: {strerror or type(error).__name__}"
