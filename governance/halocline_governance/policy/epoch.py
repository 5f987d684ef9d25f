"""The highest epoch of a signed bundle that was ever loaded here: what was rolled back is refused.

A signature says who made a bundle, not that it is today's. The file moves up only, durably.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from halocline_governance.errors import Refused

MAX_EPOCH = 2**53
_EPOCH = re.compile(rb"([1-9][0-9]{0,15})\n\Z")


def highest(path: Path) -> int:
    """The highest epoch seen; 0 when there was none.

    Raises:
        Refused: the file is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    found = _EPOCH.match(content)
    if found is None:
        raise Refused(f"{path} is damaged: write the epoch of the newest bundle into it")
    return int(found[1])


def check(path: Path, epoch: int) -> None:
    """Is a bundle of this epoch as new as any that was seen?

    Raises:
        Refused: it is older.
    """
    seen = highest(path)
    if epoch < seen:
        raise Refused(
            f"the policy bundle is of epoch {epoch}, but {seen} was loaded here before; "
            "to go back to older policies, build them anew with a higher epoch"
        )


def advance(path: Path, epoch: int) -> None:
    """Remember that this epoch was loaded. On disk before it returns.

    Raises:
        Refused: a newer one was loaded meanwhile.
    """
    with _locked(path):
        check(path, epoch)
        if epoch == highest(path):
            return
        draft = path.with_name(f".{path.name}.draft")
        with draft.open("wb") as file:
            file.write(b"%d\n" % epoch)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
