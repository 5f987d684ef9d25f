"""`halocline audit`: the journal: verify it, find in it, prove from it, hand it out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands import audit_keep, audit_proof, audit_read
from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.journal import Verification

app = typer.Typer(
    help="Verify, search, prove and hand out the audit journal.", no_args_is_help=True
)
_QUIET_S = 2.0


@app.command("verify")
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

    result = verify_journal(
        directory or from_env().journal,
        audit_proof.trusted(key),
        [audit_proof.text_of(path, "head") for path in head or ()],
        witness,
        _progress(),
    )
    if as_json:
        print_json(result.as_json())
    else:
        _tell(result)
    if not result.ok:
        raise typer.Exit(1)


@app.command("report")
def report(
    request_id: Annotated[str, typer.Argument(help="The output to answer for.")],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Build the compliance report for one output: HTML and JSON under reports/.

    Example:

        halocline audit report 0197f3c2-... --token officer.jwt
    """
    from halocline_infra.oversight import build_report

    with called(token) as (platform, officer):
        paths = build_report(platform, officer, request_id)
    show({"html": str(paths.html), "json": str(paths.json)}, as_json=as_json, title="Report")


app.command("prove")(audit_proof.prove)
app.command("check")(audit_proof.check)
app.command("tail")(audit_read.tail)
app.command("search")(audit_read.search)
app.command("show")(audit_read.show_event)
app.command("export")(audit_keep.export)
app.command("project")(audit_keep.project)
app.command("witness")(audit_keep.witness)
app.command("rotate-key")(audit_keep.rotate_key)


def _tell(result: Verification) -> None:
    rows = [(s.name, s.num_records, s.num_sealed, s.root[:16]) for s in result.logs]
    print_table("Journal", ("log", "records", "sealed", "root"), rows)
    for place, what in result.problems:
        typer.echo(f"FAILED {place}: {what}")
    for text in result.unfinished:
        typer.echo(f"note: unfinished last write, relied on by nothing: {text}")
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
