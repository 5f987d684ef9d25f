"""Verifies a whole journal directory from its files and the trusted keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal.evidence import first_of, frames, is_log, logs, opened, segments
from halocline_governance.journal.frame import Flaw
from halocline_governance.journal.note import MAX_NOTE_BYTES, Checkpoint, Trust
from halocline_governance.journal.scan import Cut, Problem, Scan, scan, take_cut


@dataclass(frozen=True, slots=True)
class LogState:
    """One log as found. Records after the last signed head are linked but not yet `sealed`."""

    name: str
    num_records: int
    num_sealed: int
    root: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`ok` only when nothing at all is wrong. `problems` are (place, what); `unfinished` names
    last writes cut short by a kill, which nothing relied on."""

    ok: bool
    logs: tuple[LogState, ...]
    problems: tuple[Problem, ...]
    unfinished: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "logs": [
                {"name": s.name, "records": s.num_records, "sealed": s.num_sealed, "root": s.root}
                for s in self.logs
            ],
            "problems": [{"place": place, "what": what} for place, what in self.problems],
            "unfinished": list(self.unfinished),
        }


@dataclass(frozen=True, slots=True)
class _Known:
    """A head that somebody outside a log knows of it."""

    place: str
    verb: str
    log: str
    size: int
    root: str


def verify(
    directory: Path,
    trust: Trust,
    heads: Sequence[str] = (),
    witness: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Check every record, link, head and sibling under `directory`, also while it is written.

    Args:
        heads: older checkpoints of its logs, as text, wherever they were kept.
        witness: a folder of such checkpoints, each under its log's name.
        progress: called now and then with how many bytes were read, and how many there are.

    Raises:
        Refused: the witness cannot be read.
    """
    older = [(f"head {number}", text, "") for number, text in enumerate(heads, start=1)]
    if witness is not None:
        older += [(f"witness/{log}", text, log) for log, text in _witnessed(witness)]
    cuts = {folder.name: take_cut(folder) for folder in logs(directory)}
    folders = logs(directory)  # again: a log that one of the others names was there before its cut
    done, total = 0, sum(_num_bytes(folder) for folder in folders)

    def more(num_bytes: int) -> None:
        nonlocal done
        done += num_bytes
        if progress is not None:
            progress(done, max(done, total))

    # Of a log that was begun since, what it says of the others is newer than what is read of them.
    none = Cut("", 0)
    scans = {path.name: scan(path, trust, cuts.get(path.name) or none, more) for path in folders}
    problems = [problem for found in scans.values() for problem in found.problems]
    problems += _check_known(_siblings(scans), scans)
    known, bad = _older(older, scans, trust)
    problems += [*bad, *_check_known(known, scans)]
    if not scans:
        problems.append((directory.name, "there is no journal here"))
    states = tuple(
        LogState(
            name,
            found.num_records,
            found.checkpoint.size if found.checkpoint else 0,
            found.tree.root.hex(),
        )
        for name, found in scans.items()
    )
    unfinished = tuple(found.unfinished for found in scans.values() if found.unfinished)
    return Verification(not problems, states, tuple(problems), unfinished)


def read(directory: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every event as (log, seq, event), log by log; links and signatures are `verify`'s business.

    Raises:
        JournalCorrupt: a record that cannot be read. An unfinished last write ends its log.
    """
    for folder in logs(directory):
        for seq, payload in records(directory, folder.name):
            try:
                event = json.loads(payload)["event"]
            except (ValueError, TypeError, KeyError):
                raise JournalCorrupt(
                    f"{folder.name} record {seq}", "the record is not a journal record"
                ) from None
            yield folder.name, seq, event


def records(
    directory: Path, log: str, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """The number and payload of a log's records from `start` to before `stop`, as they stand.

    Raises:
        JournalCorrupt: a record that cannot be read, or a segment that is missing. An unfinished
            last write ends the log.
    """
    named = segments(directory / log)
    seq = first_of(named[0]) if named else 0
    if seq:
        raise JournalCorrupt(f"{log} record 0", f"records 0 to {seq - 1} are missing")
    for number, path in enumerate(named):
        after = first_of(named[number + 1]) if number + 1 < len(named) else None
        if after is not None and after <= start:
            seq = after
            continue
        for item in frames(path):
            if stop is not None and seq >= stop:
                return
            if isinstance(item, Flaw):
                if item.torn and after is None:
                    return
                raise JournalCorrupt(
                    f"{log} record {seq} (byte {item.offset} of {path.name})", item.what
                )
            if seq >= start:
                yield seq, item[1]
            seq += 1
        if after is not None and seq != after:
            raise JournalCorrupt(f"{log} record {seq}", f"{after} records stand before the next")


def _num_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in segments(folder))


def _witnessed(witness: Path) -> list[tuple[str, str]]:
    """Each log's checkpoint as a witness keeps it."""
    found: list[tuple[str, str]] = []
    try:
        for path in sorted(witness.iterdir()):
            if is_log(path.name):
                with opened(path) as file:
                    found.append((path.name, file.read(MAX_NOTE_BYTES + 1).decode()))
    except (OSError, JournalCorrupt, UnicodeDecodeError) as error:
        raise Refused(f"the witness {witness.name} cannot be read: {error}") from error
    return found


def _siblings(scans: dict[str, Scan]) -> list[_Known]:
    return [
        _Known(f"{found.name} record {seq}", "saw", head.log, head.size, head.root)
        for found in scans.values()
        for seq, head in found.siblings
    ]


def _older(
    texts: list[tuple[str, str, str]], scans: dict[str, Scan], trust: Trust
) -> tuple[list[_Known], list[Problem]]:
    """What older checkpoints say, and what is wrong with themselves."""
    known: list[_Known] = []
    problems: list[Problem] = []
    for place, text, log in texts:
        try:
            claimed = Checkpoint.claimed(text)
            if not is_log(claimed.log) or log not in ("", claimed.log):
                problems.append((place, "it is the head of another log"))
                continue
            found = scans.get(claimed.log)
            (found.trust if found else trust).open(text)
        except Unverified as error:
            problems.append((place, str(error)))
            continue
        known.append(_Known(place, "knows", claimed.log, claimed.size, claimed.root.hex()))
    return known, problems


def _check_known(known: list[_Known], scans: dict[str, Scan]) -> Iterator[Problem]:
    """What heads that are known elsewhere say against the logs."""
    wanted: dict[str, set[int]] = {}
    for head in known:
        wanted.setdefault(head.log, set()).add(head.size)
    roots = {
        log: scans[log].roots(size for size in sizes if size <= scans[log].num_records)
        for log, sizes in wanted.items()
        if log in scans
    }
    for head in known:
        found = scans.get(head.log)
        if found is None:
            yield head.place, f"it {head.verb} {head.log}, which is missing"
        elif head.size > found.num_records:
            if not found.broken:  # else it is said there
                what = f"it {head.verb} {head.size} records of {head.log}, which has fewer"
                yield head.place, f"{what}: {found.num_records}"
        elif (root := roots[head.log].get(head.size)) is None or root.hex() != head.root:
            what = f"it {head.verb} other records of {head.log} than stand there now"
            yield head.place, what
