"""The files that an engine is made from, each read once: what was looked at is what decides.

Read a second time, a file may be another by then, and then be the first one again.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from halocline_governance.errors import Refused

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Files as they were at one moment each: the bytes, why they cannot be had, or None where
    there is no file."""

    contents: Mapping[Path, bytes | Refused | None]

    @classmethod
    def of(cls, files: Iterable[Path]) -> Origin:
        """These files as they are now."""
        return cls({path: _read(path) for path in files})

    @property
    def digest(self) -> bytes:
        """The same for the same contents, and for nothing else."""
        whole = hashlib.sha256()
        for path, content in self.contents.items():
            said = content if isinstance(content, bytes) else repr(content).encode()
            whole.update(repr((str(path), type(content).__name__, len(said))).encode() + said)
        return whole.digest()

    def __contains__(self, path: Path) -> bool:
        """Whether there was such a file, readable or not."""
        return self.contents.get(path) is not None

    def read(self, path: Path) -> bytes:
        """What the file held.

        Raises:
            Refused: it was not there, or could not be read.
        """
        return _had(path, self.contents[path])


def read(path: Path) -> bytes:
    """One file as it is now: a whole one, of a size that can be meant. Waits at no pipe.

    Raises:
        Refused: it is not there, or cannot be read.
    """
    return _had(path, _read(path))


def _had(path: Path, content: bytes | Refused | None) -> bytes:
    if content is None:
        raise Refused(f"{path} is missing; restore it")
    if isinstance(content, Refused):
        raise content
    return content


def _read(path: Path) -> bytes | Refused | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return Refused(f"{path} is no file; put the file in its place")
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Refused(f"{path} cannot be read: {error.strerror}")
    if len(content) > MAX_BYTES:
        return Refused(f"{path} is longer than {MAX_BYTES} bytes, so it is not what is meant")
    return content
