"""Reading the journal: its newest events, those that match, one whole. For auditors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    read_token,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.audit.question import Question
    from halocline_governance.audit.search import Found
    from halocline_infra.platform import Platform

Kind = Annotated[str | None, typer.Option(help="Only events of this kind.")]
Subject = Annotated[str | None, typer.Option(help="Only events of this subject.")]
Gate = Annotated[str | None, typer.Option(help="Only decisions of this gate.")]
From = Annotated[
    str | None, typer.Option("--from", help="From this day or time on: 2026-11-01, or with zone.")
]
To = Annotated[
    str | None, typer.Option("--to", help="To the end of this day, or before this time.")
]
_COLUMNS = ("when", "who", "what", "where")
_WHOLE = frozenset({"when", "where"})
_EVERY_S = 0.5
_MOST = 10**9  # as many as nobody has, and a count that every iterator takes


def tail(  # noqa: PLR0913 - the command's options are its interface
    count: Annotated[int, typer.Option("-n", min=1, max=_MOST, help="How many events.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    kind: Kind = None,
    subject: Subject = None,
    gate: Gate = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the newest events, the newest last, as an officer cleared for audit.

    With --follow and --json, one object a line.

    Example:

        halocline audit tail -n 5 --kind decision --gate read --token officer.jwt
    """
    from halocline_governance.audit.question import Question
    from halocline_governance.audit.search import newest
    from halocline_infra.environment import from_env
    from halocline_infra.oversight import require_auditor
    from halocline_infra.platform import Platform

    question = Question(kind=kind, subject=subject, gate=gate)
    question.check()
    environment = from_env()
    held = read_token(environment, token)
    with Platform(environment) as platform:
        require_auditor(platform, platform.caller(held))
        if follow:
            _follow(platform, question, held, count, as_json=as_json)
            return
        found = list(newest(environment.journal, question, count))[::-1]
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        print_table("Events", _COLUMNS, map(_row, found), whole=_WHOLE)


def search(  # noqa: PLR0913 - the command's options are its interface
    count: Annotated[
        int | None, typer.Option("-n", min=1, max=_MOST, help="At most so many.")
    ] = None,
    kind: Kind = None,
    subject: Subject = None,
    purpose: Annotated[str | None, typer.Option(help="Only events of this purpose.")] = None,
    gate: Gate = None,
    allowed: Annotated[
        bool | None, typer.Option("--allowed/--denied", help="Only decisions that came out so.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Part of a denial's reason.")] = None,
    model: Annotated[str | None, typer.Option(help="Events that name this model.")] = None,
    request: Annotated[str | None, typer.Option(help="Events that name this request.")] = None,
    run: Annotated[str | None, typer.Option(help="Events that name this run.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Events that name this dataset version.")
    ] = None,
    table: Annotated[str | None, typer.Option(help="Events that name this table.")] = None,
    start: From = None,
    end: To = None,
    text: Annotated[str | None, typer.Option(help="Part of any text in the event.")] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the events that match all that is given, the newest first.

    Exact: upper and lower case count, and nothing that matches is left out. With --json, one
    object a line. Nothing found is no failure.

    Example:

        halocline audit search --gate read --denied --subject bea --from 2026-11-01 --token o.jwt
    """
    from halocline_governance.audit.question import Question, instant
    from halocline_governance.audit.search import newest
    from halocline_infra.oversight import require_auditor

    question = Question(
        kind=kind,
        subject=subject,
        purpose=purpose,
        gate=gate,
        allowed=allowed,
        reason=reason,
        model=model,
        request=request,
        run=run,
        dataset=dataset,
        table=table,
        start=instant(start) if start is not None else None,
        end=instant(end, ends=True) if end is not None else None,
        text=text,
    )
    question.check()
    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        found = newest(platform.environment.journal, question, count)
        if as_json:
            _print_lines(found)
            return
        rows = [_row(one) for one in found]
    if rows:
        print_table("Events", _COLUMNS, rows, whole=_WHOLE)
    typer.echo(f"{len(rows)} found")


def show_event(
    ident: Annotated[str, typer.Argument(help="A decision id, an event id, or LOG/SEQ.")],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Print one decision or event whole, with the reasons a caller is never told.

    Example:

        halocline audit show 0197f3c2-... --token officer.jwt
    """
    from halocline_governance.audit.search import find
    from halocline_infra.oversight import require_auditor

    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        found = find(platform.environment.journal, ident)
    show({"log": found.log, "seq": found.seq, **found.event}, as_json=as_json, title="Event")


def _follow(
    platform: Platform, question: Question, held: str, count: int, *, as_json: bool
) -> None:
    """Print the newest and then what comes, until interrupted. Each time there is something to be
    told, it is asked anew whether this caller may be told it."""
    from halocline_governance.audit.following import Follower
    from halocline_governance.audit.search import newest
    from halocline_infra.oversight import require_auditor

    directory = platform.environment.journal
    follower = Follower(directory, question)
    told = list(newest(directory, question, count))[::-1]
    seen = {(one.log, one.seq) for one in told}
    while True:
        if as_json:
            _print_lines(told)
        else:
            for one in told:
                _print_line(_row(one))
        time.sleep(_EVERY_S)
        told = [one for one in follower.fresh() if (one.log, one.seq) not in seen]
        if told:
            require_auditor(platform, platform.caller(held))


def _print_line(cells: Iterable[str]) -> None:
    """One event on a line of its own; what it says does nothing to the terminal."""
    text = "  ".join(cells)
    typer.echo("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def _print_lines(found: Iterable[Found]) -> None:
    for one in found:
        typer.echo(json.dumps(one.as_json(), separators=(",", ":"), ensure_ascii=False))


def _row(found: Found) -> tuple[str, ...]:
    event = found.event
    when = event["ts"].split(".")[0] + "Z"
    what = f"{event['kind']}: {_what(event['object'])}"
    return when, event["subject"], what, f"{found.log}/{found.seq}"


def _what(told: dict[str, Any]) -> str:
    """The few words that say most of an event's object."""
    answer = _members(told.get("answer"))
    if answer:
        came_out = "allowed" if answer.get("allow") else "denied"
        return f"{told.get('gate')} {came_out}{_because(answer)}"
    ended = _members(told.get("ended"))
    if ended:
        return f"ended, {ended.get('code')}{_because(ended)}"
    for name in ("request_id", "run_id", "model", "step", "outcome", "log", "table", "dsv_id"):
        if isinstance(told.get(name), str):
            return f"{name} {told[name]}"
    return ", ".join(sorted(told))


def _because(answer: dict[str, Any]) -> str:
    """The reasons of a denial; an answer that allows has none."""
    reasons = answer.get("reasons")
    told = cast("list[object]", reasons) if isinstance(reasons, list) else []
    return ": " + "; ".join(map(str, told)) if told and not answer.get("allow") else ""


def _members(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
