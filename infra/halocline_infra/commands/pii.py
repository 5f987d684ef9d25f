"""`halocline pii`: personal data in texts, found and taken out."""

from __future__ import annotations

import typer

from halocline_infra.commands import pii_reveal, pii_scrub
from halocline_infra.commands.detect_options import Looked, look, taking
from halocline_infra.commands.options import JsonFlag, print_json, print_table

app = typer.Typer(help="Find personal data in texts, and take it out.", no_args_is_help=True)


@app.command("scan")
@taking(Looked)
def scan(given: Looked) -> None:
    """Find personal data: addresses, numbers, identifiers; names of people, firms and places.

    With --json, one line for each text, in the order of the input:

        {"id":"a","spans":[{"kind":"email","start":3,"end":17,"score":0.98}]}

    Offsets count characters. Spans don't overlap: a name that touches another kind gives way.
    What could not be scanned has "spans":[] and "unscanned":"reason", and the exit code is 3 after
    all lines are written. Where a line has no id, "line" says which it is. Findings exit with 0.

    --kinds takes kinds (see: pii kinds), structured, and names.

    Examples:

        halocline pii scan documents.jsonl --json

        zcat dump.gz | halocline pii scan - --kinds email,phone --json | head

        halocline pii scan crm.csv --text-column notes --html findings.html
    """
    from halocline_infra.detecting.asking import PERSONAL

    look(given, PERSONAL, "Personal data")


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
