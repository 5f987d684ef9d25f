"""`halocline audit`: the journal: verify it, find in it, prove from it, hand it out."""

from __future__ import annotations

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
