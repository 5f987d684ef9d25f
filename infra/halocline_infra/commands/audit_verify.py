"""Verifying the journal, alone or against heads that somebody kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands.audit_proof import text_of, trusted
from halocline_infra.commands.options import JsonFlag, print_json, print_table

if TYPE_CHECKING:
    from halocline_governance.journal import Verification

_QUIET_S = 2.0


def verify(
    directory: Annotated[
        Path | None, typer.Argument(help="Journal directory; this installation's by default.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Trusted public keys; keys/journal.pub by default.")
    ] = None,
    head: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that you kept: the log must go on from it. Repeatable."),
    ] = None,
    witness: Annotated[
        Path | None, typer.Option(help="A folder of such checkpoints, each under its log's name.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check every record, link, signed head and sibling. Exits with 1 when anything is wrong.

    Needs the files and the key alone. With a head that somebody else kept it also finds what no
    folder can show of itself: records cut off together with the head over them.

    Example:

        halocline audit verify var/journal --key var/keys/journal.pub --witness /srv/witness
    """
    from halocline_governance.journal import verify as verify_journal
    from halocline_infra.environment import from_env

    where, kept = directory or from_env().journal, head or []
    trust = trusted(key)
    heads = [text_of(path, "head") for path in kept]
    num_heads = len(heads) + (_witnessed(witness) if witness is not None else 0)
    _check_place(where, bool(num_heads))
    found = verify_journal(where, trust, heads, witness, _progress())
    files = {f"head {number}": f"head {path}" for number, path in enumerate(kept, start=1)}
    problems = tuple((files.get(place, place), what) for place, what in found.problems)
    result = replace(found, problems=problems)
    adopted = _adopted(where) if result.ok else []
    if as_json:
        told = [{"place": place, "records": num} for place, num in adopted]
        print_json({**result.as_json(), "heads": num_heads, "adopted": told})
    else:
        _tell(result, num_heads, adopted)
    if not result.ok:
        raise typer.Exit(1)


def _check_place(directory: Path, has_heads: bool) -> None:
    """That this is a journal's folder; with heads to compare, that it is not says their check.

    Raises:
        Refused: it is something else.
    """
    from halocline_governance.errors import Refused
    from halocline_governance.journal.evidence import is_log, logs, segments

    if not directory.is_dir():
        what = "is no folder" if directory.exists() else "is not there"
        raise Refused(f"{directory} {what}: give the journal's folder, which holds log-0000")
    if logs(directory):
        return
    if is_log(directory.resolve().name) or segments(directory):
        raise Refused(f"{directory} is one log of a journal: give the folder above")
    if not has_heads:
        raise Refused(
            f"there is no journal in {directory}, which would hold log-0000. If there was one:"
            ' docs/runbook.md, "The journal won\'t verify"'
        )


def _witnessed(folder: Path) -> int:
    """How many heads a witness keeps.

    Raises:
        Refused: none.
    """
    from halocline_governance.errors import Refused
    from halocline_governance.journal.evidence import is_log

    try:
        names = [path.name for path in folder.iterdir() if is_log(path.name) and path.is_file()]
    except OSError as error:
        raise Refused(f"the witness's folder {folder}: {error.strerror}") from None
    if not names:
        raise Refused(
            f"{folder} holds no head, which would be a file log-0000: nothing to compare with."
            " Is it the witness's folder?"
        )
    return len(names)


def _adopted(directory: Path) -> list[tuple[str, int]]:
    """Where a log was opened and took over records that no head covered, and how many."""
    from halocline_governance.audit.question import Question
    from halocline_governance.audit.search import newest
    from halocline_governance.records import Kind

    found = [
        (f"{one.log}/{one.seq}", one.event["object"].get("adopted"))
        for one in newest(directory, Question(kind=Kind.OPENED))
    ]
    return [(place, num) for place, num in found if isinstance(num, int) and num > 0][::-1]


def _tell(result: Verification, num_heads: int, adopted: Sequence[tuple[str, int]]) -> None:
    rows = [(s.name, s.num_records, s.num_sealed, s.root[:16]) for s in result.logs]
    print_table("Journal", ("log", "records", "sealed", "root"), rows)
    for place, what in result.problems:
        typer.echo(f"FAILED {place}: {what}")
    for text in result.unfinished:
        typer.echo(f"note: unfinished last write, relied on by nothing: {text}")
    for place, num in adopted:
        typer.echo(
            f"note: {place}: {num} records that a process left unsigned when it ended were signed"
            " when the log was opened again; no head shows when they were written"
        )
    if num_heads:
        typer.echo(f"heads compared: {num_heads}")
    typer.echo("verified" if result.ok else "NOT verified")
    if not result.ok:
        typer.echo(
            "Change nothing there, and copy the folder away. What to do next: docs/runbook.md, "
            '"The journal won\'t verify".'
        )


def _progress() -> Callable[[int, int], None]:
    """Says on standard error how far it is, once it takes long."""
    told_at = time.monotonic() + _QUIET_S - 1

    def progress(done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at < 1:
            return
        told_at = time.monotonic()
        sys.stderr.write(f"read {done >> 20} of {total >> 20} MiB\n")

    return progress
