"""A witness: somebody else who keeps the journal's signed heads, and never goes back on one.

Needs to read the journal and to hold the key's public line; shares nothing with who writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance import durable
from halocline_governance.audit.given import text
from halocline_governance.audit.signed import SignedLog
from halocline_governance.errors import HaloclineError, JournalCorrupt, Refused
from halocline_governance.journal import Trust
from halocline_governance.journal.evidence import is_log, logs
from halocline_governance.journal.merkle import EMPTY_ROOT
from halocline_governance.journal.note import MAX_NOTE_BYTES, Checkpoint
from halocline_governance.lake.lease import locked


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What was kept.

    Attributes:
        kept: of each log, how many records the kept head covers now.
        before: of each of these that was kept before, how many it covered then.
        problems: (log, what) of each log whose head was not taken.
    """

    kept: Mapping[str, int]
    before: Mapping[str, int]
    problems: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "kept": dict(self.kept),
            "before": dict(self.before),
            "problems": [{"log": log, "what": what} for log, what in self.problems],
        }


def keep(directory: Path, trust: Trust, folder: Path, *, create: bool = False) -> Witnessed:
    """Keep each log's newest head, once it is shown to continue the one kept before.

    Args:
        directory: of the journal.
        trust: whose heads count; keys that these endorsed in a log count there too.
        folder: of the witness.
        create: make the folder. Whoever mistypes it would else see every log as a new one.

    Raises:
        Refused: there is no journal, the folder is not there, is there and was to be made, or
            cannot be written.
        LeaseHeld: another process keeps heads there now.
    """
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is there, and is no folder")
    if create and not logs(directory):
        raise Refused(f"there is no journal in {directory}")
    try:
        if create:
            folder.mkdir(mode=0o700)
        if not folder.is_dir():
            raise Refused(
                f"there is no folder {folder}: is it where heads were kept before? --create makes a"
                " new one, which knows of nothing that was"
            )
        with locked(folder / ".lock", "the witness's folder"):
            return _keep(directory, trust, folder)
    except FileExistsError:
        raise Refused(f"{folder} is there already: leave --create away") from None
    except FileNotFoundError as error:
        raise Refused(f"there is no folder {Path(error.filename).parent}") from None
    except PermissionError as error:
        raise Refused(f"{error.filename} may not be used: {error.strerror}") from None


def _keep(directory: Path, trust: Trust, folder: Path) -> Witnessed:
    names = {path.name for path in logs(directory)}
    names |= {path.name for path in folder.iterdir() if is_log(path.name)}
    if not names:
        raise Refused(f"there is no journal in {directory}, and no head in {folder}")
    kept: dict[str, int] = {}
    before: dict[str, int] = {}
    problems: list[tuple[str, str]] = []
    for name in sorted(names):
        path = folder / name
        try:
            known = text(path, "kept head", MAX_NOTE_BYTES) if path.exists() else None
            note, size = _newer(directory / name, trust, known)
            if note != known:
                durable.write(path, note)
            if known is not None:
                before[name] = Checkpoint.claimed(known).size
            kept[name] = size
        except HaloclineError as error:
            problems.append((name, str(error)))
    return Witnessed(kept, before, tuple(problems))


def _newer(log: Path, trust: Trust, before: str | None) -> tuple[str, int]:
    """The log's newest head, if it continues the one from before."""
    if not log.is_dir():
        raise JournalCorrupt(log.name, "it was witnessed before and is missing now")
    with SignedLog(log, trust) as found:
        known = found.opened(before) if before is not None else Checkpoint("", 0, EMPTY_ROOT)
        found.check_begins(known.size, known.root, "was witnessed")
        return found.note, found.head.size
