"""A Delta table's history, commit by commit: which files began and which ended at each version.

Reads the log itself, so that what is new costs what is new. Where commits were cleaned away, the
next version that can still be opened stands for them, and the versions between are said to be
missing. Knows no rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from halocline_governance.errors import StorageUnavailable
from halocline_governance.lake import Location

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class File:
    """One data file. `unread` says why its rows cannot be told from it alone."""

    path: str
    constants: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a table at `version`.

    Args:
        version: of the table afterwards.
        added: files that began; for a snapshot, every file there is.
        removed: paths of files that ended; None for a snapshot: all that it does not hold.
        epoch_us: when, by the writer's clock; None when the commit does not say.
        table_id: named where the table was made or its schema changed.
    """

    version: int
    added: tuple[File, ...]
    removed: tuple[str, ...] | None
    epoch_us: int | None = None
    table_id: str = ""


class History:
    """One table's log. Used within `place.reached()`."""

    def __init__(self, place: Location) -> None:
        self._place = place

    def stamp(self, version: int) -> str:
        """What the commit's file looks like from outside; empty when it is not there."""
        name = _commit(version)
        if not self._place.uri.startswith("s3://"):
            try:
                seen = os.stat(f"{self._place.uri}/{name}")
            except OSError:
                return ""
            return f"{seen.st_ino}.{seen.st_mtime_ns}.{seen.st_size}"
        info = self._files.get_file_info(name)
        return f"{info.mtime_ns}.{info.size}" if info.is_file else ""

    def is_at(self, version: int, stamp: str) -> bool:
        """Whether nothing was committed since, which costs two looks at the log."""
        return bool(stamp) and self.stamp(version) == stamp and not self.stamp(version + 1)

    def newest(self) -> int:
        return self._place.delta().version()

    def after(self, version: int) -> Step | None:
        """The next step, None when there is none; -1 stands before the first.

        Raises:
            StorageUnavailable: the log is not as Delta writes it, or its server failed.
        """
        text = self._text(_commit(version + 1))
        if text is not None:
            return _step(version + 1, text)
        newest = self.newest()
        if newest <= version:
            return None
        from deltalake.exceptions import DeltaError

        for candidate in [*self._checkpoints(version), newest]:
            try:
                files = _snapshot(self._place, candidate)
            except (DeltaError, OSError):
                continue
            return Step(candidate, files, None)
        raise StorageUnavailable(f"no version of {self._place.uri} can be opened any more")

    def files_now(self) -> tuple[int, tuple[File, ...]]:
        """The newest version and the files it holds."""
        version = self.newest()
        return version, _snapshot(self._place, version)

    def rows(self, file: File, columns: Iterable[str] | None = None) -> pa.Table:
        """The rows of one file: those of these columns that it has, or all.

        Raises:
            OSError: it is gone.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self._files.open_input_file(file.path) as source:
            parquet: Any = pq.ParquetFile(source)
            there: list[str] = parquet.schema_arrow.names
            wanted = there if columns is None else [c for c in columns if c in there]
            read: pa.Table = parquet.read(columns=wanted)
        # What delta-rs wrote it reads as views, which few of Arrow's functions take.
        read = read.cast(pa.schema([field.with_type(_plain(field.type)) for field in read.schema]))
        for name, text in file.constants.items():
            if name not in there and (columns is None or name in set(columns)):
                read = read.append_column(name, pa.array([text] * read.num_rows, pa.string()))
        return read

    def _checkpoints(self, version: int) -> list[int]:
        """Versions later than this one that a checkpoint keeps, the first first."""
        import pyarrow.fs as fs

        untyped: Any = fs
        selector = untyped.FileSelector("_delta_log", recursive=False)
        names: list[str] = [info.base_name for info in self._files.get_file_info(selector)]
        kept = {int(name[:20]) for name in names if ".checkpoint." in name and name[:20].isdigit()}
        return sorted(one for one in kept if one > version)

    def _text(self, name: str) -> str | None:
        try:
            with self._files.open_input_stream(name) as stream:
                return bytes(stream.read()).decode()
        except FileNotFoundError:
            return None

    @cached_property
    def _files(self) -> Any:
        import pyarrow.fs as fs
        from deltalake.fs.fs_handler import DeltaStorageHandler

        untyped: Any = fs
        return untyped.PyFileSystem(
            DeltaStorageHandler(self._place.uri, dict(self._place.storage_options))
        )


def _plain(type_: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_list(type_):
        return pa.list_(_plain(type_.value_type))
    if pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_binary_view(type_):
        return pa.binary()
    return type_


def _commit(version: int) -> str:
    return f"_delta_log/{version:020d}.json"


def _step(version: int, text: str) -> Step:
    """Delta's protocol, "Actions": one JSON object a line."""
    added: list[File] = []
    removed: list[str] = []
    epoch_us, table_id = None, ""
    try:
        for line in text.splitlines():
            action: dict[str, Any] = json.loads(line) if line.strip() else {}
            if add := action.get("add"):
                unread = "it has a deletion vector" if add.get("deletionVector") else ""
                added.append(File(unquote(add["path"]), add.get("partitionValues") or {}, unread))
            elif remove := action.get("remove"):
                removed.append(unquote(remove["path"]))
            elif about := action.get("commitInfo"):
                told = about.get("inCommitTimestamp", about.get("timestamp"))
                epoch_us = None if told is None else int(told) * 1000
            elif made := action.get("metaData"):
                table_id = str(made["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StorageUnavailable(f"commit {version} of a table is not as Delta writes it") from None
    return Step(version, tuple(added), tuple(removed), epoch_us, table_id)


def _snapshot(place: Location, version: int) -> tuple[File, ...]:
    import pyarrow as pa

    held = pa.table(place.delta(version).get_add_actions(flatten=True))
    fixed = [name for name in held.column_names if name.startswith("partition.")]
    found: list[dict[str, Any]] = held.select(["path", *fixed]).to_pylist()
    return tuple(
        File(
            unquote(row["path"]),
            {name[10:]: None if row[name] is None else str(row[name]) for name in fixed},
        )
        for row in found
    )
