"""Files that are whole, and on disk, or not there: after a power cut as after a kill."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes | str) -> None:
    """Put a file of the owner's alone (0600) at `path`, in place of what is there.

    Text is written in UTF-8. When this returns, the file and its name are on disk; until then
    whoever opens `path` gets the old file, whole.
    """
    draft = _draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    sync(path.parent)


def create(path: Path, content: bytes | str) -> bool:
    """As `write`, but leaves a file that is there as it is; whether this one was made."""
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    sync(path.parent)
    return True


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _draft(path: Path, content: bytes | str) -> Path:
    # Named by its writer: two that write at once never write into one draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with suppress(FileNotFoundError):
        draft.unlink()  # a killed process of this id left it, with whatever mode
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink()
        raise
    return draft
