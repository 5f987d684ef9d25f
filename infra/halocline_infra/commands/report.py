"""`halocline report`: the report of a period, and its verification from the file alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halocline_infra.commands.options import JsonFlag, TokenFile, called, print_json, show

if TYPE_CHECKING:
    from halocline_governance.report.period import Document
    from halocline_governance.report.period.checked import Checked

app = typer.Typer(
    help="Build the compliance report of a period, and verify one.", no_args_is_help=True
)


@app.command("build")
def build(
    period: Annotated[
        str | None,
        typer.Option(help="2026-11, 2026-Q4, 2026, 2026-11-01..2026-11-30 or last-30d, in UTC."),
    ] = None,
    duty: Annotated[str | None, typer.Option(help="ai-act, sr-26-2, mar or all.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the three files; reports/ by default.")
    ] = None,
    pin: Annotated[
        Path | None,
        typer.Option(metavar="EARLIER.json", help="Build this earlier report again, to the byte."),
    ] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Build the report of a period: HTML, PDF and JSON that say the same, with their proofs.

    A report built again with --pin has the same bytes, whatever was written since; when it cannot,
    it says which part differs.

    Example:

        halocline report build --period 2026-Q4 --duty mar --token officer.jwt
    """
    from halocline_governance.errors import Refused
    from halocline_infra.oversight import build_period_report

    if (pin is None) == (period is None):
        raise Refused("give --period, or an earlier report with --pin")
    if pin is not None and duty is not None:
        raise Refused("an earlier report has its duty; leave --duty out")
    earlier = _document(pin) if pin else None
    with called(token) as (platform, officer):
        paths = build_period_report(
            platform, officer, period or "", duty or "all", out_dir=out, earlier=earlier, say=_say
        )
    told = {"html": str(paths.html), "pdf": str(paths.pdf), "json": str(paths.json)}
    show(told, as_json=as_json, title="Report")
    if not as_json:
        typer.echo(f"check it: halocline report verify {paths.json}")


@app.command("verify")
def verify(  # noqa: PLR0913 - one option each
    file: Annotated[Path, typer.Argument(metavar="REPORT.json")],
    key: Annotated[
        Path | None, typer.Option(help="Trusted public key; keys/journal.pub by default.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="The HTML file, to check it too.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="The PDF file, to check it too.")] = None,
    journal: Annotated[
        Path | None, typer.Option(help="A copy of the journal, to count its sums again.")
    ] = None,
    lake: Annotated[
        bool, typer.Option("--lake", help="Read the tables again, as the officer of --token.")
    ] = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a report from its file and the journal's public key. Exits with 1 when it is wrong.

    Says what was checked, and what was not. With --journal everything that was counted is counted
    again; with --lake everything that was drawn from tables is drawn again.

    Example:

        halocline report verify report-2026-10-01-to-2026-12-31-mar-*.json
    """
    from halocline_infra.oversight import verify_report

    document = _document(file)
    files = {name: _bytes(path) for name, path in (("html", html), ("pdf", pdf)) if path}
    if lake:
        with called(token) as (platform, officer):
            found = verify_report(
                document, key, files, journal=journal, lake=(platform, officer), say=_say
            )
    else:
        found = verify_report(document, key, files, journal=journal)
    _tell(found, as_json=as_json)
    if not found.ok:
        raise typer.Exit(1)


def _tell(found: Checked, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = found.as_json()
        print_json(told)
        return
    for text in found.held:
        typer.echo(f"checked: {text}")
    for text in found.open.values():
        typer.echo(f"not checked: {text}")
    for text in found.faults:
        typer.echo(f"FAILED: {text}")
    whole = "as far as it was checked" if found.open else "whole"
    typer.echo(f"verified, {whole}" if found.ok else "NOT verified")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _document(path: Path) -> Document:
    from halocline_governance.report.period import Document

    return Document.parse(_bytes(path))


def _bytes(path: Path) -> bytes:
    from halocline_governance.errors import Refused

    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
