"""What a regulator gets: events, each with its proof, and all it takes to check them.

events.jsonl        the records as they stand in the journal, one a line, log by log, in order
proofs.jsonl        the proof of each, in the same order
checkpoints/<log>   the signed heads that the proofs lead to
journal.pub         the keys, to be compared with what the firm says they are
README.md           what this is, how many of each kind there are, how to check it
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from halocline_governance import durable
from halocline_governance.audit.question import Question
from halocline_governance.audit.search import in_log
from halocline_governance.errors import Refused, Unverified
from halocline_governance.journal import Trust
from halocline_governance.journal.evidence import logs
from halocline_governance.journal.proof import Proof, Prover, check

EVENTS, PROOFS, HEADS, KEYS, README = (
    "events.jsonl", "proofs.jsonl", "checkpoints", "journal.pub", "README.md",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """What was handed out."""

    start: str
    end: str
    kinds: tuple[str, ...]
    counts: dict[str, int]
    events_sha256: str

    @property
    def num_events(self) -> int:
        return sum(self.counts.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.start,
            "to": self.end,
            "kinds": list(self.kinds),
            "events": self.num_events,
            "counts": dict(self.counts),
            "events_sha256": self.events_sha256,
        }


def export(
    directory: Path,
    trust: Trust,
    out: Path,
    period: tuple[str, str],
    kinds: Sequence[str],
    record: Callable[[Exported], object],
) -> Exported:
    """Write the events of a period, with their proofs, into a new folder.

    Args:
        directory: of the journal.
        trust: whose heads count.
        out: the folder; nothing may be there.
        period: from, to before; as the journal writes times.
        kinds: of events; none means all.
        record: called with what will be handed out, before anybody can have it.

    Raises:
        Refused: the folder exists, or an event of the period is not signed yet.
        JournalCorrupt, Unverified: the journal is not what was signed. Nothing is left then.
    """
    if out.exists():
        raise Refused(f"{out} exists: name a folder that does not")
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.mkdir(mode=0o700, parents=True)
        (draft / HEADS).mkdir(mode=0o700)
        counts, digest = _fill(
            draft, directory, trust, Question(start=period[0], end=period[1]), kinds
        )
        told = Exported(*period, tuple(kinds), counts, digest)
        durable.write(draft / KEYS, trust.text())
        durable.write(draft / README, _readme(told))
        for name in (EVENTS, PROOFS, HEADS):
            durable.sync(draft / name)
        durable.sync(draft)
        record(told)
        _take_place(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    durable.sync(out.parent)
    return told


def _fill(
    draft: Path,
    directory: Path,
    trust: Trust,
    question: Question,
    kinds: Sequence[str],
) -> tuple[dict[str, int], str]:
    counts, digest = Counter[str](), hashlib.sha256()
    with ExitStack() as stack:
        events = stack.enter_context((draft / EVENTS).open("xb"))
        proofs = stack.enter_context((draft / PROOFS).open("x", encoding="utf-8"))
        for folder in logs(directory):
            numbers = _numbers(folder, question, kinds)
            if not numbers:
                continue
            with Prover(directory, folder.name) as prover:
                if numbers[-1] >= prover.head.size:
                    raise Refused(
                        f"{folder.name} record {numbers[-1]} is not signed yet: its process was"
                        " killed, or has not answered for seconds. Run the export again"
                    )
                durable.write(draft / HEADS / folder.name, prover.checkpoint)
                for seq in numbers:
                    proof = prover.prove(seq)
                    counts[check(proof, trust)["kind"]] += 1
                    line = proof.record.encode() + b"\n"
                    digest.update(line)
                    events.write(line)
                    proofs.write(json.dumps(proof.as_json(), separators=(",", ":")) + "\n")
    return dict(sorted(counts.items())), digest.hexdigest()


def _numbers(folder: Path, question: Question, kinds: Sequence[str]) -> list[int]:
    """The records of a log that are asked for."""
    asked = [replace(question, kind=kind) for kind in kinds] or [question]
    return sorted({found.seq for one in asked for found in in_log(folder, one)})


def _take_place(draft: Path, out: Path) -> None:
    """Give the folder its name, unless somebody took that meanwhile."""
    try:
        draft.rename(out)
    except OSError:
        raise Refused(f"{out} exists: name a folder that does not") from None


def checked(folder: Path, trust: Trust) -> dict[str, int]:
    """Check an export with the key alone; how many events there are of each kind.

    Raises:
        Refused: it is no export.
        Unverified: a proof does not hold, or the events are not those that are proven.
    """
    try:
        with (folder / EVENTS).open("rb") as events, (folder / PROOFS).open("rb") as proofs:
            counts, before = Counter[str](), ("", -1)
            for number, line in enumerate(events, start=1):
                try:
                    proof = Proof.parse(proofs.readline())
                    event = check(proof, trust)
                except (Refused, Unverified) as error:
                    raise Unverified(f"{PROOFS} line {number}: {error}") from None
                if proof.record.encode() + b"\n" != line:
                    raise Unverified(f"{EVENTS} line {number} is not the record that is proven")
                if (proof.log, proof.seq) <= before:
                    raise Unverified(f"{EVENTS} line {number} stands there twice, or out of order")
                before = (proof.log, proof.seq)
                counts[str(event["kind"])] += 1
            if proofs.readline():
                raise Unverified(f"{EVENTS} lacks records that {PROOFS} has")
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(f"{folder} is no export: it has {EVENTS} and {PROOFS}") from None
    return dict(sorted(counts.items()))


def _readme(told: Exported) -> str:
    kinds = ", ".join(told.kinds) or "all kinds"
    rows = "".join(f"| {kind} | {count} |\n" for kind, count in told.counts.items())
    return f"""# Events of the audit journal

From {told.start} to before {told.end}, {kinds}: {told.num_events} events.

| kind | events |
| --- | --- |
{rows}
- `{EVENTS}`: the records as they stand in the journal, one a line, log by log, in order. SHA-256
  {told.events_sha256}.
- `{PROOFS}`: for each line of `{EVENTS}`, the proof that this record, at this place, is part of
  what the journal's key signed.
- `{HEADS}/`: the signed heads.
- `{KEYS}`: the keys. Compare them with what the firm told you by another way.

## Check it

    halocline audit check . --key {KEYS}

needs this folder and nothing of the firm's. One proof for itself is a line of `{PROOFS}`; its form
is in `docs/journal-format.md`, "Proofs", and takes SHA-256 and Ed25519 to check.

The proofs show that each record here was written and not changed since. That none of the period is
left out is shown by the journal itself, with a head that you kept: `halocline audit verify JOURNAL
--key {KEYS} --head {HEADS}/log-0000`, or the stand-alone verifier.
"""
