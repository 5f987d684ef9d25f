"""Changes the journal's key: first the old key's word for the new one, then trust, then the key.

In `keys/`, each step on disk before the next, so that a kill between any two leaves a journal that
opens and verifies; the same call goes on where the last one stopped:

    journal.key.next    the new private key
    journal.endorsed    the old key's word for it, which each log records before a head by it
    journal.pub         its line first; the older lines stay, trusted until they are retired
    journal.key         the new key in place of the old one, which is gone then
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance import durable, keys, strict_json
from halocline_governance.audit.question import Question
from halocline_governance.audit.search import in_log
from halocline_governance.errors import Refused, Unverified
from halocline_governance.journal import Journal, Signer, Trust
from halocline_governance.journal.evidence import HEAD_NAME, logs
from halocline_governance.journal.note import Checkpoint, Endorsement, endorsements
from halocline_governance.journal.scan import read_note
from halocline_governance.lake.lease import locked
from halocline_governance.records import timestamp

SETTLE_S = 2.0
KEY, NEXT, PUBLIC, ENDORSED = "journal.key", "journal.key.next", "journal.pub", "journal.endorsed"


@dataclass(frozen=True, slots=True)
class Handover:
    """Which logs sign with the new key now, and which are held by running processes."""

    signed: tuple[str, ...]
    held: tuple[str, ...]


def change(folder: Path) -> tuple[str, str]:
    """Put a new key in place of the journal's.

    Args:
        folder: `keys/` of the home.

    Returns:
        The old key's line and the new one's.

    Raises:
        Refused: there is no key to change, or its files are not what they must be.
        LeaseHeld: another process changes it now.
    """
    if not (folder / KEY).exists():
        raise Refused("there is no key yet: the first command that writes the journal makes one")
    with locked(folder / ".rotation", "the journal's key"):
        old = Signer(keys.ed25519(folder / KEY))
        new = Signer(keys.ed25519(folder / NEXT))
        _endorse(folder / ENDORSED, old.endorse(new.public))
        _trust(folder / PUBLIC, old, new)
        (folder / NEXT).replace(folder / KEY)
        durable.sync(folder)
    return old.trust.line(), new.trust.line()


def hand_over(directory: Path, signer: Signer, witness: Path | None = None) -> Handover:
    """Open each log that no process holds, so that its heads are by the signer's key from now on.

    Raises:
        JournalCorrupt: a log is not what was written.
        JournalUnavailable: it cannot be written.
    """
    names = [folder.name for folder in logs(directory)]
    opened: list[Journal] = []
    try:
        while any(_is_free(directory / name) for name in names):
            opened.append(Journal.open(directory, signer, witness))
        signed = tuple(sorted(journal.name for journal in opened))
    finally:
        for journal in opened:
            journal.close()
    return Handover(signed, tuple(name for name in names if name not in signed))


def settle(directory: Path, signer: Signer, witness: Path | None = None) -> None:
    """Have a head over every record that there is now: a running process signs within a second; a
    log that no process holds any more is opened for it.

    Raises:
        Refused: a process that holds a log does not sign; says which log.
        JournalCorrupt, JournalUnavailable: as `hand_over`.
    """
    newest = {folder: next(in_log(folder, Question()), None) for folder in logs(directory)}
    waiting = {folder: found.seq for folder, found in newest.items() if found is not None}
    until = time.monotonic() + SETTLE_S
    while waiting := {log: seq for log, seq in waiting.items() if signed(log) <= seq}:
        if any(_is_free(log) for log in waiting):
            hand_over(directory, signer, witness)
        elif time.monotonic() > until:
            raise Refused(
                f"the newest records of {', '.join(sorted(log.name for log in waiting))} are not"
                " signed: the process that holds the log does not answer; end it and try again"
            )
        else:
            time.sleep(0.05)


def signed(folder: Path) -> int:
    """How many records a log's newest head claims; 0 without a head."""
    note = read_note(folder)
    return Checkpoint.claimed(note).size if note is not None else 0


def retire(folder: Path, directory: Path) -> tuple[str, ...]:
    """Trust the present key alone.

    Args:
        folder: `keys/` of the home.
        directory: of the journal.

    Returns:
        The lines that are trusted no longer.

    Raises:
        Refused: a log's head is still by an older key; says which.
        LeaseHeld: another process changes the key now.
    """
    with locked(folder / ".rotation", "the journal's key"):
        if (folder / NEXT).exists():
            raise Refused("a change of key was cut short: run `halocline audit rotate-key` first")
        own = Signer(keys.ed25519(folder / KEY)).trust
        before = Trust.parse((folder / PUBLIC).read_text(encoding="utf-8"))
        for log in logs(directory):
            try:
                own.open((log / HEAD_NAME).read_text(encoding="utf-8"))
            except (OSError, ValueError, Unverified):
                raise Refused(
                    f"the head of {log.name} is not by the present key: end the process that holds"
                    " it, run any command that writes the journal, and try again"
                ) from None
        durable.write(folder / PUBLIC, own.text())
        (folder / ENDORSED).unlink(missing_ok=True)
        durable.sync(folder)
    return tuple(key.line() for key in before.keys if key.line() != own.line())


def _endorse(path: Path, said: Endorsement) -> None:
    told: list[dict[str, Any]] = []
    if path.exists():
        known = endorsements(strict_json.loads(path.read_text(encoding="utf-8")))
        told = [one.as_json() for one in known if one.by != said.by]
    durable.write(path, json.dumps([*told, said.as_json()], indent=1) + "\n")


def _trust(path: Path, old: Signer, new: Signer) -> None:
    """The new line before the others; above the old one, since when it is out of use."""
    text = path.read_text(encoding="utf-8") if path.exists() else old.trust.text()
    lines = text.splitlines()
    if new.trust.line() in lines:
        return
    if old.trust.line() in lines:
        at = lines.index(old.trust.line())
        lines.insert(at, f"# out of use since {timestamp()[:10]}; still trusted")
    else:
        lines.append(old.trust.line())
    durable.write(path, "\n".join([new.trust.line(), *lines]) + "\n")


def _is_free(folder: Path) -> bool:
    """Whether no process writes this log now."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
