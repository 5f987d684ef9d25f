"""A durable queue of rows on their way into a Delta table.

Rows are fsynced before `append` returns and are numbered densely; the table's own transaction
number says how many of them it holds, so moving them twice is impossible.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from halocline_governance import durable
from halocline_governance.errors import JournalCorrupt, LeaseHeld
from halocline_governance.journal import frame
from halocline_governance.journal.writer import GroupWriter, cut_tail, write_all


class Spool:
    """One process's queue in `folder`; numbering continues where the file ends.

    Raises:
        LeaseHeld: another process owns this spool.
        JournalCorrupt: a row before the last one cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._path = folder / "rows"
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise LeaseHeld(f"spool {folder.name} belongs to a running process") from error
        if not self._path.exists():
            self._path.touch(mode=0o600)
            durable.sync(folder)
        self._rows = _Rows(self._path, self._recover())
        self._writer = GroupWriter(self._rows)

    def append(self, row: Mapping[str, Any]) -> int:
        """Make one row durable; returns its number, counted from 1.

        Raises:
            JournalUnavailable: it is not durable.
        """
        return self._writer.append(_framed(row))

    async def append_async(self, row: Mapping[str, Any]) -> int:
        """As `append`, for a coroutine."""
        return await self._writer.append_async(_framed(row))

    def rows(self, after: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """The durable rows numbered above `after`, in order."""
        for number, item in enumerate(frame.decode(self._path.read_bytes()), start=1):
            if isinstance(item, frame.Flaw):
                return
            if number > after:
                yield number, json.loads(item[1])

    def close(self) -> None:
        """Idempotent."""
        if self._lock >= 0:
            self._writer.close()
            self._rows.close()
            os.close(self._lock)
            self._lock = -1

    def _recover(self) -> int:
        number, end = 0, 0
        for item in frame.decode(self._path.read_bytes()):
            if isinstance(item, frame.Flaw):
                if not item.torn:
                    raise JournalCorrupt(f"{self.folder.name} byte {item.offset}", item.what)
                cut_tail(self._path, end)
                break
            number, end = number + 1, item[0] + frame.HEAD_BYTES + len(item[1])
        return number


class _Rows:
    """The file of a spool: frames, numbered as they come."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = size

    def write(self, bodies: Sequence[bytes]) -> Sequence[int]:
        write_all(self._file, b"".join(bodies))
        os.fdatasync(self._file)
        first = self._size + 1
        self._size += len(bodies)
        return range(first, self._size + 1)

    def close(self) -> None:
        os.close(self._file)


def _framed(row: Mapping[str, Any]) -> bytes:
    payload = json.dumps(dict(row), separators=(",", ":")).encode("utf-8", "surrogatepass")
    return frame.encode(payload)
