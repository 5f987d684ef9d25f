"""`halocline audit`: the journal: verify it, find in it, prove from it, hand it out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands import audit_keep, audit_proof, audit_read, audit_verify
from halocline_infra.commands.options import JsonFlag, TokenFile, called, show

app = typer.Typer(
    help="Verify, search, prove and hand out the audit journal.", no_args_is_help=True
)
app.command("verify")(audit_verify.verify)


@app.command("report")
def report(
    request_id: Annotated[str, typer.Argument(help="The output to answer for.")],
    pin: Annotated[
        Path | None,
        typer.Option(metavar="EARLIER.json", help="Build this earlier report of it again."),
    ] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Build the compliance report for one output: HTML and JSON under reports/.

    With --pin it is built from the same records and table versions as an earlier one; when that
    gives other bytes, it says which parts differ and exits with an error.

    Example:

        halocline audit report 0197f3c2-... --token officer.jwt
    """
    from halocline_governance.errors import Refused
    from halocline_infra.oversight import build_report

    try:
        earlier = pin.read_bytes() if pin else None
    except OSError as error:
        raise Refused(f"{pin} cannot be read: {error.strerror}") from None
    with called(token) as (platform, officer):
        paths = build_report(platform, officer, request_id, earlier)
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
