"""`halocline lineage`: what was made from what, and what changes if something must go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands import lineage_check
from halocline_infra.commands.lineage_sight import labels, officer
from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    print_json,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.label import Label
    from halocline_governance.lineage.checks import Flag
    from halocline_governance.lineage.sight import Sight
    from halocline_governance.lineage.trace import Trace
    from halocline_infra.commands.lineage_thing import Taken
    from halocline_infra.platform import Platform

app = typer.Typer(
    help="Follow rows, models and outputs to what they came from and what they reached.",
    no_args_is_help=True,
)
_HASH = re.compile(r"(\w=)([0-9a-f]{12})[0-9a-f]{52}\b")
_LABEL = re.compile(r"\blabel_id=(l[0-9a-f]{32})\b")
Thing = Annotated[
    str,
    typer.Argument(
        help="An id, MODEL/VERSION, MODEL@ALIAS, COMPARTMENT:TABLE/UID, or KIND:NAME such as"
        " source:edgar, licence:MIT, subject:KEY, decision:ID."
    ),
]
At = Annotated[
    str | None, typer.Option(help="As it was then: 2026-11-21T12:00:00Z. Now when left out.")
]


@app.command("trace")
def trace(  # noqa: PLR0913 - the command's options are its interface
    thing: Thing,
    at: At = None,
    forward: Annotated[bool, typer.Option("--forward", help="What it reached.")] = False,
    backward: Annotated[bool, typer.Option("--backward", help="What it came from.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Both ways.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="List so many of a kind; count all.")] = 100,
    rows: Annotated[bool, typer.Option("--rows", help="List its rows instead.")] = False,
    all_rows: Annotated[
        bool, typer.Option("--all", help="With --rows: every one, a JSON object a line.")
    ] = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid flowchart.")] = False,
    checked: Annotated[
        bool, typer.Option("--check/--no-check", help="Flag what the journal contradicts.")
    ] = True,
    html: Annotated[Path | None, typer.Option(help="Write a page with a drawing there.")] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Trace anything that has an id, as an officer cleared for audit.

    A bare id is looked for among outputs, rows, dataset versions, runs, models and the journal's
    records, and you are told what it was taken for. Outputs are traced back, sources, licences and
    subjects forward, other things both ways. A tree, unless you ask for another form; flags mark
    what the journal contradicts.

    Example:

        halocline lineage trace 0197f3c2-... --token officer.jwt

        halocline lineage trace source:edgar --html edgar.html --token officer.jwt

        halocline lineage trace research-note@champion --rows --all --token officer.jwt
    """
    from halocline_infra.commands import lineage_erased
    from halocline_infra.commands.lineage_thing import take

    _check_form(mermaid, html is not None, as_json and not rows, rows or all_rows)
    with officer(token) as (platform, sight):
        taken = take(platform, sight, thing)
        direction = _direction(taken, forward=forward, backward=backward, both=both)
        if rows or all_rows:
            from halocline_infra.commands import lineage_rows

            rows_of = lineage_rows.Rows(sight.asks, taken, at)
            rows_of.show(every=all_rows, as_json=as_json)
            return
        found = sight.asks.trace(taken.asked, at, direction, limit)
        found.gaps += lineage_erased.gaps(platform, sight, found)
        flags = _flags(platform, sight, found, at, direction) if checked else []
        _tell_sight(sight)
        if html is not None:
            about = {"taken for": taken.why, "as of": at or "now", "direction": direction,
                     "as far as this clearance sees": sight.told}  # fmt: skip
            _write_page(platform, found, flags, about, html)
        elif not as_json and not mermaid:
            typer.echo(f"{thing}: taken for {taken.why}", err=True)
            _print_tree(platform, found, flags)
    if as_json:
        asked = {"thing": thing, "taken_for": taken.asked, "at": at, "direction": direction}
        told = [flag.as_json() for flag in flags]
        seen = {"clearance": sight.clearance.as_json()}
        print_json({**found.as_json(), "asked": asked, "flags": told, **seen})
    elif mermaid:
        typer.echo(found.mermaid(), nl=False)


@app.command("impact")
def impact(
    thing: Thing,
    at: At = None,
    limit: Annotated[int, typer.Option(min=1, help="List so many of a kind; count all.")] = 20,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """What changes if this source, subject, row, model, endpoint or anything else must go.

    Counts are exact: rows by compartment, dataset versions, mixtures, runs with what they consumed,
    models and those made from them, endpoints now and before, and the outputs they answered.

    Example:

        halocline lineage impact source:edgar --token officer.jwt
    """
    from halocline_governance.lineage import around
    from halocline_infra.commands.lineage_thing import take

    with officer(token) as (platform, sight):
        found = sight.asks.impact(take(platform, sight, thing).asked, at)
        flags, _ = sight.flags(around.flags_ahead(platform.lineage, sight.heard, found, sight.sees))
        _tell_sight(sight)
        lines = [*found.lines(limit), *(f"FLAGGED {lineage_check.line(one)}" for one in flags)]
        inert = [_inert(line, labels(platform)) for line in lines]
    if as_json:
        told = [flag.as_json() for flag in flags]
        seen = {"clearance": sight.clearance.as_json()}
        print_json({**found.as_json(limit), "flags": told, **seen})
    else:
        typer.echo("\n".join(inert))


app.command("check")(lineage_check.check)


@app.command("export")
def export(
    openlineage: Annotated[Path, typer.Option(help="Write OpenLineage events there, one a line.")],
    namespace: Annotated[str, typer.Option(help="Of jobs and datasets.")] = "halocline",
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Write lineage as OpenLineage events, for tools that draw such graphs.

    The same lineage gives the same events: exporting again adds nothing to a tool that has them.

    Example:

        halocline lineage export --openlineage events.ndjson --token officer.jwt
    """
    from halocline_governance import durable
    from halocline_governance.lineage.openlineage import Export, lines

    with officer(token) as (platform, sight):
        lineage = platform.lineage

        def count(model: str, since: str, until: str | None) -> int:
            return sight.asks.outputs([model], since=since, until=until).num

        events = Export(lineage, sight.heard, namespace, count, sight.sees).events()
    durable.write(openlineage, "".join(lines(events)))
    show({"file": str(openlineage), "events": len(events)}, as_json=as_json, title="Exported")


@app.command("index")
def index(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Throw it away and read every table again.")
    ] = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring the index up to date that traces are answered from. Traces do so themselves.

    Example:

        halocline lineage index --rebuild --token officer.jwt
    """
    import time

    with officer(token) as (platform, sight):
        began = time.monotonic()
        if rebuild:
            platform.lineage.rebuild()
        platform.lineage.prepare()
        number = sight.asks.outputs().num
        told = {"outputs": number, "seconds": round(time.monotonic() - began, 2)}
    show(told, as_json=as_json, title="Index")


def _tell_sight(sight: Sight) -> None:
    """Always, so that it tells nothing of what is left out."""
    typer.echo(f"as far as a clearance of {sight.told} sees", err=True)


def _check_form(*forms: bool) -> None:
    from halocline_governance.errors import Refused

    if sum(forms) > 1:
        raise Refused("choose one of --json, --mermaid, --html and --rows")


def _direction(taken: Taken, *, forward: bool, backward: bool, both: bool) -> str:
    from halocline_governance.errors import Refused

    if forward + backward + both > 1:
        raise Refused("choose one of --forward, --backward and --both")
    named = "forward" if forward else "back" if backward else "both" if both else None
    return named or taken.direction


def _flags(
    platform: Platform, sight: Sight, found: Trace, at: str | None, direction: str
) -> list[Flag]:
    """What the checks flag of the things in this trace; forward also of what the journal says was
    made from them, where lineage has lost the link."""
    from halocline_governance.lineage import around, checks

    about = {*found.nodes}
    if direction != "back":
        reached = sight.asks.impact(found.root.id, at)
        about |= around.ahead(platform.lineage, sight.heard, reached, sight.sees)
    flags, _ = sight.flags(checks.check(platform.lineage, sight.heard, about=about).flags)
    return flags


def _print_tree(platform: Platform, found: Trace, flags: list[Flag]) -> None:
    """For people: labels in words, and of hashes that are facts only the beginning."""
    known = labels(platform)
    for line in (*found.tree(), *(f"FLAGGED {lineage_check.line(flag)}" for flag in flags)):
        typer.echo(_inert(line, known))


def _inert(line: str, labels: dict[str, Label]) -> str:
    """What a name holds is shown, and does nothing to the terminal."""
    from halocline_governance.lineage.page import label_text

    said = _HASH.sub("\\1\\2\u2026", line)
    said = _LABEL.sub(lambda m: f"label={label_text(labels.get(m[1]), m[1])}", said)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in said)


def _write_page(
    platform: Platform, found: Trace, flags: list[Flag], about: dict[str, str], target: Path
) -> None:
    from halocline_governance import durable
    from halocline_governance.lineage.page import page

    durable.write(target, page(found, labels(platform), flags, about))
    typer.echo(f"wrote {target}", err=True)
