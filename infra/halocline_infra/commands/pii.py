"""`halocline pii`: personal data in texts, found and taken out."""

from __future__ import annotations

from typing import Annotated

import typer

from halocline_infra.commands import pii_reveal, pii_scrub
from halocline_infra.commands.detect_options import (
    Engine,
    Files,
    Form,
    Html,
    IdColumn,
    TextColumn,
    Timeout,
    gathered,
    publish,
    tell,
    write,
)
from halocline_infra.commands.options import JsonFlag, print_json, print_table

app = typer.Typer(help="Find personal data in texts, and take it out.", no_args_is_help=True)


@app.command("scan")
def scan(  # noqa: PLR0913 - one option each
    files: Files,
    kinds: Annotated[
        str | None,
        typer.Option(help="Only these, a,b: kinds (see: pii kinds), or structured, or names."),
    ] = None,
    engine: Engine = None,
    form: Form = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "id",
    timeout: Timeout = None,
    html: Html = None,
    as_json: JsonFlag = False,
) -> None:
    """Find personal data: addresses, numbers, identifiers; names of people, firms and places.

    With --json, one line for each text, in the order of the input:

        {"id":"a","spans":[{"kind":"email","start":3,"end":17,"score":0.98}]}

    Offsets count characters. Spans don't overlap: a name that touches another kind gives way.
    What could not be scanned has "spans":[] and "unscanned":"reason", and the exit code is 3 after
    all lines are written. Where a line has no id, "line" says which it is. Findings exit with 0.

    Example:

        halocline pii scan documents.jsonl --json
    """
    from halocline_infra.detecting.asking import PERSONAL, asked, through, words
    from halocline_infra.detecting.inputs import Reading, batches
    from halocline_infra.detecting.jsonlines import encoded
    from halocline_infra.detecting.page import Page
    from halocline_infra.detecting.tally import Tally

    texts = batches(files, Reading(form, text_column, id_column))
    detectors = asked(words(kinds, PERSONAL), engine, timeout)
    page, tally = Page("Personal data") if html else None, Tally()
    if as_json:
        several = len(files) > 1
        code = through(texts, detectors, lambda found: write(encoded(found, files=several)))
    else:
        code = through(texts, detectors, gathered(page, tally))
        tell(page.tally if page else tally)
    if page and html:
        publish(page, html)
    raise typer.Exit(code)


app.command("scrub")(pii_scrub.scrub)
app.command("reveal")(pii_reveal.reveal)
app.add_typer(pii_reveal.vault, name="vault")


@app.command("kinds")
def kinds(as_json: JsonFlag = False) -> None:
    """Every kind of personal data there is: what it is, and what decides.

    Example:

        halocline pii kinds
    """
    from halocline_infra.detecting.kinds import described

    rows = described()
    if as_json:
        print_json(rows)
        return
    columns = ("kind", "what", "counts when", "source", "form", "personal")
    cells = [(*list(row.values())[:5], "yes" if row["personal"] else "no") for row in rows]
    print_table("Kinds", columns, cells, whole=("kind",))
