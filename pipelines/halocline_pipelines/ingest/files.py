"""A user's own file or folder as a source: prose converted to text, tables read row by row.

What cannot be read becomes a document with an error, which ingest puts in quarantine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.errors import Refused
from halocline_pipelines.ingest import manifest
from halocline_pipelines.ingest.manifest import Declared
from halocline_pipelines.ingest.source import Document, Source

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 256 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024 * 1024
_ROWS = 256
PLAIN = (".txt", ".md")
CONVERTED = (".html", ".htm", ".pdf", ".docx")
TABLES = (".csv", ".jsonl", ".parquet")
NOT_DECLARED = Declared()

Rows = Iterator[tuple[str, object]]


def files(path: Path, overrides: Declared = NOT_DECLARED) -> Source:
    """The source that a file or folder is, with what its `halocline.yaml` declares.

    Args:
        path: a file, or a folder that is read with all its folders.
        overrides: what the caller declares; wins over the file.

    Raises:
        Refused: nothing there, or not all is declared; the message then holds a file to edit.
    """
    if not path.exists():
        raise Refused(f"{path} does not exist")
    found = _found(path)
    if not found:
        raise Refused(f"{path} holds no file; readable are {_readable()}")
    columns = _columns(found)
    declared, label = manifest.complete(path, overrides.over(manifest.beside(path)), columns)
    root = path if path.is_dir() else path.parent

    def documents() -> Iterator[Document]:
        for file in found:
            yield from _documents(file, file.relative_to(root).as_posix(), declared)

    name = declared.source or path.stem
    return Source(name, declared.licence, label, documents, declared.crossing or None)


def _found(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(
        entry
        for entry in path.rglob("*")
        if not entry.is_dir()
        and entry.name != manifest.NAME
        and not any(part.startswith(".") for part in entry.relative_to(path).parts)
    )


def _documents(file: Path, name: str, declared: Declared) -> Iterator[Document]:
    if fault := _fault(file):
        yield Document(name, error=fault)
    elif file.suffix.lower() in PLAIN:
        yield _read(name, lambda: file.read_bytes().decode("utf-8-sig"))
    elif file.suffix.lower() in CONVERTED:
        yield _read(name, lambda: _convert(file))
    else:
        yield from _table(file, name, declared)


def _fault(file: Path) -> str | None:
    if file.is_symlink():
        return "a link, not a file"
    if file.suffix.lower() not in (*PLAIN, *CONVERTED, *TABLES):
        return f"not a readable kind of file; readable are {_readable()}"
    if file.suffix.lower() != ".parquet" and file.stat().st_size > MAX_BYTES:
        return f"larger than {MAX_BYTES // 2**20} MiB"
    return None


def _read(name: str, read: Callable[[], str]) -> Document:
    try:
        text = read()
    except Refused:
        raise
    except UnicodeDecodeError:
        return Document(name, error="not UTF-8 text")
    except Exception as error:  # noqa: BLE001 - a converter may fail in any way: it is quarantined
        return Document(name, error=f"cannot be read: {type(error).__name__}")
    return Document(name, text) if text.strip() else Document(name, error="no text in it")


def _convert(file: Path) -> str:
    """By the converter of its kind and no other: markitdown's guess would pass damage as text."""
    try:
        from markitdown import StreamInfo, converters
    except ImportError as error:
        raise Refused(
            f"{file.suffix} files need a converter; pip install 'halocline[documents]'"
        ) from error
    kind = file.suffix.lower()
    converter = {".pdf": converters.PdfConverter, ".docx": converters.DocxConverter}.get(
        kind, converters.HtmlConverter
    )()
    with file.open("rb") as stream:
        return converter.convert(stream, StreamInfo(extension=kind)).text_content


def _table(file: Path, name: str, declared: Declared) -> Iterator[Document]:
    rows = _ROW_READERS[file.suffix.lower()](file, declared)
    while True:
        try:
            key, text = next(rows)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - a damaged table: what came before it stands
            yield Document(f"{name}#rest", error=f"cannot be read: {type(error).__name__}")
            return
        if isinstance(text, str):
            yield Document(f"{name}#{key}", text)
        else:
            yield Document(f"{name}#{key}", error=f"no text in column {declared.text}")


def _jsonl(file: Path, declared: Declared) -> Rows:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
            yield _key(fields, declared, number), fields.get(declared.text or "")


def _parquet(file: Path, declared: Declared) -> Rows:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        wanted = _wanted(declared, opened.schema_arrow.names)
        yield from _rows(opened.iter_batches(_ROWS, columns=wanted), declared)


def _csv(file: Path, declared: Declared) -> Rows:
    import pyarrow as pa
    from pyarrow import csv

    bad: list[int] = []

    def skip(row: Any) -> str:
        bad.append(row.number or 0)
        return "skip"

    names = _csv_columns(file)
    with csv.open_csv(
        file,
        csv.ReadOptions(block_size=_BLOCK_BYTES),
        csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        csv.ConvertOptions(
            include_columns=_wanted(declared, names),
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
        ),
    ) as reader:
        yield from _rows(reader, declared)
    for place, number in enumerate(bad):
        yield f"bad-row-{number or place}", None


def _rows(batches: Iterator[pa.RecordBatch], declared: Declared) -> Rows:
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield _key(row, declared, number), row.get(declared.text or "")


def _key(row: Mapping[str, object], declared: Declared, number: int) -> str:
    value = row.get(declared.id) if declared.id else None
    return str(number) if value is None else str(value)


def _wanted(declared: Declared, names: list[str]) -> list[str]:
    """The columns to read; a table without the text column fails, as a whole."""
    if declared.text not in names:
        raise Refused(f"no column {declared.text}")
    return [name for name in dict.fromkeys((declared.text, declared.id)) if name in names]


def _columns(found: list[Path]) -> list[str]:
    """The columns of the readable tables, in the order in which they are met."""
    seen: dict[str, None] = {}
    for file in found:
        read = _COLUMN_READERS.get(file.suffix.lower())
        if read is not None and not file.is_symlink():
            try:
                seen |= dict.fromkeys(read(file))
            except Exception:  # noqa: BLE001 - reading it later tells why, in quarantine
                continue
    return list(seen)


def _parquet_columns(file: Path) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(file).names)


def _csv_columns(file: Path) -> list[str]:
    import csv

    with file.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), list[str]())


def _jsonl_columns(file: Path) -> list[str]:
    with file.open("rb") as lines:
        row = json.loads(next((line for line in lines if line.strip()), b"{}"))
    return list(cast("dict[str, object]", row)) if isinstance(row, dict) else []


def _readable() -> str:
    return " ".join((*PLAIN, *CONVERTED, *TABLES))


_ROW_READERS: Mapping[str, Callable[[Path, Declared], Rows]] = MappingProxyType(
    {".jsonl": _jsonl, ".parquet": _parquet, ".csv": _csv}
)
_COLUMN_READERS: Mapping[str, Callable[[Path], list[str]]] = MappingProxyType(
    {".jsonl": _jsonl_columns, ".parquet": _parquet_columns, ".csv": _csv_columns}
)
