"""The highest epoch of a signed bundle that was ever loaded here: what was rolled back is refused.

A signature says who made a bundle, not that it is today's. The file moves up only, durably.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from halocline_governance import durable
from halocline_governance.errors import Refused

MAX_EPOCH = 2**53
_EPOCH = re.compile(r"([1-9][0-9]{0,15}) (sha256:[0-9a-f]{64})\n\Z")


def highest(path: Path) -> tuple[int, str]:
    """The highest epoch seen and the revision it had; 0 and nothing when there was none.

    Raises:
        Refused: the file is damaged.
    """
    try:
        content = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return 0, ""
    found = _EPOCH.match(content)
    if found is None:
        raise Refused(f"{path} is damaged: write into it EPOCH REVISION of the newest bundle")
    return int(found[1]), found[2]


def check(path: Path, epoch: int, revision: str) -> None:
    """Is a bundle of this epoch as new as any that was seen?

    Raises:
        Refused: it is older, or another one of the same epoch.
    """
    seen, loaded = highest(path)
    if epoch < seen:
        raise Refused(
            f"the policy bundle is of epoch {epoch}, but {seen} was loaded here before; "
            "to go back to older policies, build them anew with a higher epoch"
        )
    if epoch == seen and revision != loaded:
        raise Refused(f"another policy bundle of epoch {epoch} was loaded before; build it anew")


def advance(path: Path, epoch: int, revision: str) -> None:
    """Remember that this epoch was loaded. On disk before it returns.

    Raises:
        Refused: a newer one was loaded meanwhile, or another one of the same epoch.
    """
    with _locked(path):
        check(path, epoch, revision)
        if epoch == highest(path)[0]:
            return
        durable.write(path, f"{epoch} {revision}\n")


@contextmanager
def _locked(path: Path) -> Generator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
