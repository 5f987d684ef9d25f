"""Rows on their way out: to standard output or to a file, batch by batch."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".arrow", ".csv", ".jsonl")
PIPED = ("json", "arrow")


def watched(rows: pa.RecordBatchReader, *, shown: bool) -> Iterator[pa.RecordBatch]:
    """The batches, with a count of rows and bytes on a terminal's standard error."""
    if not (shown and sys.stderr.isatty()):
        yield from rows
        return
    from rich.console import Console
    from rich.filesize import decimal
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    num_rows = num_bytes = 0
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("waiting for the first rows", total=None)
        for batch in rows:
            yield batch
            num_rows += batch.num_rows
            num_bytes += batch.nbytes
            progress.update(task, description=f"{num_rows:,} rows, {decimal(num_bytes)}")


def to_pipe(form: str, rows: pa.RecordBatchReader, file: IO[bytes], *, shown: bool) -> None:
    """The rows in one of `PIPED`, such that what was cut short cannot be read as the whole.

    Arrow's readers take the end of a pipe between two messages for the end of the rows, and so do
    readers of lines between two lines. So no batch is finished before the next has come: whatever
    ends this earlier, a denial or a kill, leaves the beginning of a message or of a line.
    """
    out, batches = _Late(file), watched(rows, shown=shown)
    if form == "arrow":
        import pyarrow as pa

        # No `with`: it would mark the end, whatever ended it.
        writer = pa.ipc.new_stream(cast("Any", out), rows.schema)
        for batch in batches:
            writer.write_batch(batch)
            out.part()
        writer.close()
    else:
        for batch in batches:
            out.write(_lines(batch))
            out.part()
    out.finish()


class _Late:
    """A file to which of each part only a beginning is written until the next part has come."""

    # In each of `PIPED`: too little to be taken for a whole, and too much for nothing.
    _BEGINNING = 4

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._written: list[bytes] = []
        self._rest = b""
        self.closed = False

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(self._written[-1])

    def flush(self) -> None:
        self._file.flush()

    def part(self) -> None:
        """What was written since the last part is one."""
        part = b"".join(self._written)
        self._written.clear()
        if part:
            # In one write, so that nothing ends where the part before does.
            self._file.write(self._rest + part[: self._BEGINNING])
            self._rest = part[self._BEGINNING :]

    def finish(self) -> None:
        """The rows came to their end."""
        self.part()
        self._file.write(self._rest)
        self._file.flush()


def check(target: Path) -> None:
    """Whether a file can be written there, before anything is read for it.

    Raises:
        Refused: a suffix that says no format, or no such folder.
    """
    if target.suffix not in SUFFIXES:
        raise Refused(f"--to takes a file that ends in {', '.join(SUFFIXES)}")
    if not target.absolute().parent.is_dir():
        raise Refused(f"{target.parent} is not a folder")


def export(rows: pa.RecordBatchReader, target: Path, *, shown: bool = True) -> int:
    """Write the rows to a new file, its owner's alone, there only when it is whole.

    Returns:
        How many rows were written.

    Raises:
        Refused: as `check`, or a column that the format cannot hold.
    """
    check(target)
    write, count = _FORMATS[target.suffix], 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in watched(rows, shown=shown):
            yield batch
            count += batch.num_rows

    with _unwound_on_sigterm(), _draft(target) as file:
        write(rows.schema, counted(), file)
    return count


@contextmanager
def _unwound_on_sigterm() -> Generator[None]:
    """Asked to end, end as by Ctrl-C: what is half done is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _draft(target: Path) -> Generator[IO[bytes]]:
    """A file beside the target that takes its place at the end, or goes."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    _remove_stale(target)
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # where nothing can be locked, nothing is removed as stale
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _remove_stale(target: Path) -> None:
    """Remove the drafts of exports to this file that were killed: those that nobody holds."""
    name = re.compile(re.escape(f".{target.name}.") + r"\d+")
    for draft in target.absolute().parent.iterdir():
        if not name.fullmatch(draft.name):
            continue
        with suppress(OSError), draft.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()


def _parquet(schema: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _arrow(schema: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(file, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _csv(schema: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.csv as csv

    nested = [
        str(name)
        for name, type_ in zip(schema.names, schema.types, strict=True)
        if pa.types.is_nested(type_) or pa.types.is_binary(type_)
    ]
    if nested:
        raise Refused(f"CSV cannot hold {', '.join(nested)}: leave it out with --columns")
    with cast("Any", csv).CSVWriter(file, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _json_lines(_: pa.Schema, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> None:
    for batch in batches:
        file.write(_lines(batch))


def _lines(batch: pa.RecordBatch) -> bytes:
    return "".join(json.dumps(row, default=str) + "\n" for row in batch.to_pylist()).encode()


_Write = Callable[[Any, Any, Any], None]
_FORMATS = cast(
    "dict[str, _Write]",
    {".parquet": _parquet, ".arrow": _arrow, ".csv": _csv, ".jsonl": _json_lines},
)
