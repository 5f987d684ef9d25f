"""Hands out what a regulator gets: events, each with its proof, and all it takes to check them.

The files are made and hashed first; then the journal records them, signs that, and the proof of its
record goes with them. `handed` says what each file is, and checks them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from halocline_governance import durable
from halocline_governance.audit.handed import (
    EVENTS,
    HEADS,
    KEYS,
    PROOFS,
    README,
    RECORD,
    Exported,
    Known,
)
from halocline_governance.audit.question import Question
from halocline_governance.audit.search import in_order
from halocline_governance.errors import Refused
from halocline_governance.journal import Trust
from halocline_governance.journal.evidence import logs
from halocline_governance.journal.proof import Prover, check


def export(
    directory: Path,
    trust: Trust,
    out: Path,
    period: tuple[str, str],
    kinds: Sequence[str],
    record: Callable[[Exported], tuple[str, int]],
) -> Exported:
    """Write the events of a period, with their proofs, into a new folder.

    Args:
        directory: of the journal.
        trust: whose heads count.
        out: the folder; nothing may be there, and the folder above must be.
        period: from, to before; as the journal writes times.
        kinds: of events; none means all.
        record: called with what will be handed out, before anybody can have it; returns log and
            number of the journal's record of it, which a head must cover by then.

    Raises:
        Refused: the folder exists, or an event of the period is not signed yet.
        JournalCorrupt, Unverified: the journal is not what was signed. Nothing is left then.
    """
    check_free(out)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise Refused(f"{out} cannot be made: {error.strerror}") from None
    try:
        (draft / HEADS).mkdir(mode=0o700)
        counts, files = _fill(draft, directory, Known(trust.keys), period, kinds)
        for name, text in (
            (KEYS, trust.text()),
            (README, _readme(period, kinds, counts, files[EVENTS])),
        ):
            durable.write(draft / name, text)
            files[name] = _sha256(text)
        told = Exported(*period, tuple(kinds), counts, dict(sorted(files.items())))
        for name in (EVENTS, PROOFS, HEADS):
            durable.sync(draft / name)
        log, seq = record(told)
        with Prover(directory, log) as prover:
            proof = prover.prove(seq)
        check(proof, trust)
        durable.write(draft / RECORD, json.dumps(proof.as_json(), indent=2) + "\n")
        _take_place(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    durable.sync(out.parent)
    return told


def check_free(out: Path) -> None:
    """That a folder can be made there.

    Raises:
        Refused: something is there, or the folder above is not.
    """
    if out.exists() or out.is_symlink():
        raise Refused(f"{out} exists: name a folder that does not")
    if not out.parent.is_dir():
        raise Refused(f"there is no folder {out.parent} to make it in")


def _fill(
    draft: Path,
    directory: Path,
    trust: Trust,
    period: tuple[str, str],
    kinds: Sequence[str],
) -> tuple[dict[str, int], dict[str, str]]:
    """Write events, proofs and heads; how many events of each kind, and each file's SHA-256."""
    counts, files = Counter[str](), dict[str, str]()
    digests = hashlib.sha256(), hashlib.sha256()
    question = Question(start=period[0], end=period[1])
    with (draft / EVENTS).open("xb") as events, (draft / PROOFS).open("xb") as proofs:
        for folder in logs(directory):
            with ExitStack() as stack:
                prover: Prover | None = None
                for seq, payload in in_order(folder, question, kinds):
                    if prover is None:
                        prover = stack.enter_context(Prover(directory, folder.name))
                        durable.write(draft / HEADS / folder.name, prover.checkpoint)
                        files[f"{HEADS}/{folder.name}"] = _sha256(prover.checkpoint)
                    if seq >= prover.head.size:
                        raise Refused(
                            f"{folder.name} record {seq} is not signed yet: its process was killed,"
                            " or has not answered for seconds. Run the export again"
                        )
                    proof = prover.prove(seq, payload)
                    counts[check(proof, trust)["kind"]] += 1
                    event = payload + b"\n"
                    proven = json.dumps(proof.as_json(), separators=(",", ":")).encode() + b"\n"
                    events.write(event)
                    proofs.write(proven)
                    digests[0].update(event)
                    digests[1].update(proven)
    files[EVENTS], files[PROOFS] = (digest.hexdigest() for digest in digests)
    return dict(sorted(counts.items())), files


def _take_place(draft: Path, out: Path) -> None:
    """Give the folder its name, unless somebody took that meanwhile."""
    try:
        draft.rename(out)
    except OSError:
        raise Refused(f"{out} exists: name a folder that does not") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _readme(
    period: tuple[str, str], kinds: Sequence[str], counts: dict[str, int], events_sha256: str
) -> str:
    named = ", ".join(kinds) or "all kinds"
    rows = "".join(f"| {kind} | {count} |\n" for kind, count in counts.items())
    return f"""# Events of the audit journal

From {period[0]} to before {period[1]}, {named}: {sum(counts.values())} events.

| kind | events |
| --- | --- |
{rows}
- `{EVENTS}`: the records as they stand in the journal, one a line, log by log, in order. SHA-256
  {events_sha256}.
- `{PROOFS}`: for each line of `{EVENTS}`, the proof that this record, at this place, is part of
  what the journal's key signed.
- `{HEADS}/`: the signed heads.
- `{KEYS}`: the keys. Compare them with what the firm told you by another way.
- `{RECORD}`: the proof of the journal's own record of this export, which names the period, the
  counts and the SHA-256 of every other file here, this page too.

## Check it

    halocline audit check . --key {KEYS}

needs this folder and nothing of the firm's. A file that is missing, changed or added is a fault.
One proof for itself is a line of `{PROOFS}`; its form is in `docs/journal-format.md`, "Proofs", and
takes SHA-256 and Ed25519 to check.

This shows that each record here was written and not changed since, and that these are all that the
firm handed out. That the firm left none of the period out is shown by the journal itself, with a
head that you kept: `halocline audit verify JOURNAL --key {KEYS} --head {HEADS}/log-0000`, or the
stand-alone verifier.
"""
