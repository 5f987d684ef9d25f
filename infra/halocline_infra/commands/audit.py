"""`halocline audit`: the journal and the compliance report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    show,
)

app = typer.Typer(help="Verify, search and report on the audit journal.", no_args_is_help=True)


@app.command("verify")
def verify(
    directory: Annotated[
        Path | None, typer.Argument(help="Journal directory; this installation's by default.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Trusted public key; keys/journal.pub by default.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check every record, link, signed head and sibling. Exits with 1 when anything is wrong.

    Example:

        halocline audit verify var/journal --key var/keys/journal.pub
    """
    from halocline_governance.errors import Refused
    from halocline_governance.journal import Trust
    from halocline_governance.journal import verify as verify_journal
    from halocline_infra.environment import from_env
    from halocline_infra.platform import trust

    environment = from_env()
    if key is not None and not key.is_file():
        raise Refused(f"no key file {key}")
    trusted = Trust.parse(key.read_text(encoding="utf-8")) if key else trust(environment)
    result = verify_journal(directory or environment.journal, trusted)
    if as_json:
        print_json(result.as_json())
    else:
        rows = [(s.name, s.num_records, s.num_sealed, s.root[:16]) for s in result.logs]
        print_table("Journal", ("log", "records", "sealed", "root"), rows)
        for place, what in result.problems:
            typer.echo(f"FAILED {place}: {what}")
        for text in result.unfinished:
            typer.echo(f"note: unfinished last write, relied on by nothing: {text}")
        typer.echo("verified" if result.ok else "NOT verified")
    if not result.ok:
        raise typer.Exit(1)


@app.command("tail")
def tail(
    count: Annotated[int, typer.Option("-n", min=1, help="How many events.")] = 20,
    kind: Annotated[str | None, typer.Option(help="Only events of this kind.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only events of this subject.")] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the newest events, as an officer cleared for audit.

    Example:

        halocline audit tail -n 5 --kind decision --token officer.jwt
    """
    events = [
        (log, seq, event)
        for log, seq, event in _events(token)
        if kind in (None, event["kind"]) and subject in (None, event["subject"])
    ]
    newest = sorted(events, key=lambda item: item[2]["ts"])[-count:]
    if as_json:
        print_json([{"log": log, "seq": seq, "event": event} for log, seq, event in newest])
        return
    rows = [
        (event["ts"], event["kind"], event["subject"], event["purpose"], f"{log}/{seq}")
        for log, seq, event in newest
    ]
    print_table("Events", ("when", "kind", "who", "purpose", "where"), rows)


@app.command("show")
def show_event(
    ident: Annotated[str, typer.Argument(help="A decision id or an event id.")],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Print one decision or event whole, with the reasons a caller is never told.

    Example:

        halocline audit show 0197f3c2-... --token officer.jwt
    """
    from halocline_governance.errors import Refused

    for log, seq, event in _events(token):
        answer = event["object"].get("answer", {})
        if ident in (event["event_id"], answer.get("id")):
            show({"log": log, "seq": seq, **event}, as_json=as_json, title="Event")
            return
    raise Refused(f"no event or decision {ident} in this journal")


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


def _events(token: str | None) -> list[tuple[str, int, dict[str, Any]]]:
    """All events, for somebody the read gate lets at the audit record; the reading is recorded."""
    from halocline_governance.journal import read
    from halocline_infra.oversight import require_auditor

    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        return list(read(platform.environment.journal))
