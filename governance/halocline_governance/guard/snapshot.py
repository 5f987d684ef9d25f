"""Versions of Delta tables, opened once: what a version holds never changes.

Which one is the newest is looked up each time. On a local lake that costs two file tests: commits
are numbered without gaps and created exclusively, so version n is the newest while n + 1 is not
there.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import StorageUnavailable, TableMissing
from halocline_governance.guard.kept import Kept

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from halocline_governance.lake import Location

_KEPT_TABLES = 4096
_KEPT_DATASETS = 128


class Snapshots:
    """Opened versions, the most recently used ones kept. Safe to use from many threads."""

    def __init__(self) -> None:
        self._newest: Kept[str, tuple[tuple[int, int] | None, int]] = Kept(_KEPT_TABLES)
        self._datasets: Kept[tuple[str, object, int], Any] = Kept(_KEPT_DATASETS)

    def newest(self, location: Location) -> int | None:
        """The newest committed version, or None when there is no table."""
        known = self._newest.get(location.uri)
        if known and _is_newest(location, *known):
            return known[1]
        if _is_absent(location):
            # Told as quickly as what is there and known: delta-rs would take a tenth of a
            # millisecond to find nothing, and a denial's time would tell which it was.
            return None
        opened = _open(location)
        if opened is None:
            return None
        version = int(opened.version())
        self._newest.put(location.uri, (_commit(location, version), version))
        return version

    def dataset(self, location: Location, version: int) -> Any:
        """A `pyarrow.dataset.Dataset` of exactly this version.

        Raises:
            TableMissing: there is none.
            StorageUnavailable: it cannot be read: see `legible`.
        """
        key = (location.uri, _commit(location, version), version)
        dataset = self._datasets.get(key)
        if dataset is not None:
            return dataset
        opened = _open(location, version)
        if opened is None:
            raise TableMissing("the table has gone")
        with legible(location):
            dataset = opened.to_pyarrow_dataset()
        if key[1] is not None:
            self._datasets.put(key, dataset)
        return dataset


@contextmanager
def legible(location: Location) -> Generator[None]:
    """Open or read a table within.

    Raises:
        StorageUnavailable: its log or files are gone, damaged, or of a kind that is not read here;
            or delta-rs is used in a process that was forked from one that used it.
    """
    import pyarrow as pa
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        with location.reached():
            yield
    except TableNotFoundError:
        raise
    except (OSError, DeltaError, pa.ArrowException) as error:
        what = f"not what the guard can read ({type(error).__name__})"
        raise StorageUnavailable(f"the log or a file of {location.uri} is {what}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException" or "Forked" not in str(error):
            raise
        raise StorageUnavailable("read tables in a process that was spawned, not forked") from None


def _open(location: Location, version: int | None = None) -> DeltaTable | None:
    from deltalake.exceptions import TableNotFoundError

    try:
        with legible(location):
            return location.delta(version)
    except TableNotFoundError:
        return None


def _is_absent(location: Location) -> bool:
    return "://" not in location.uri and not os.path.isdir(os.path.join(location.uri, "_delta_log"))


def _is_newest(location: Location, commit: tuple[int, int] | None, version: int) -> bool:
    same = commit is not None and commit == _commit(location, version)
    return same and _commit(location, version + 1) is None


def _commit(location: Location, version: int) -> tuple[int, int] | None:
    """What tells one commit from another of the same number, in a table made anew under the same
    name; None when it is not there, or lies where only opening the table would tell."""
    if "://" in location.uri:
        return None
    try:
        file = os.stat(os.path.join(location.uri, "_delta_log", f"{version:020d}.json"))
    except OSError:
        return None
    return (file.st_ino, file.st_mtime_ns)
