"""`halocline cross`: crossings of a wall, from the request to the end, and their register."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.control_room import ControlRoom
    from halocline_governance.principal import Principal
    from halocline_governance.report import Period
    from halocline_governance.state.crossings import Crossing, Request
    from halocline_infra.platform import Platform

app = typer.Typer(
    help="Ask for, approve, end, list and report crossings of a wall.", no_args_is_help=True
)

Ident = Annotated[str, typer.Argument(help="One of: halocline cross list.")]
_AHEAD = re.compile(r"\+(\d{1,6})([smhd])\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_AUDITORS = "told to who may read the audit record: role compliance, cleared to `restricted`"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@app.command("request")
def request(  # noqa: PLR0913 - one option each
    purpose: Annotated[str, typer.Option(help="What for; see docs/policies/cross.md.")],
    subject: Annotated[list[str], typer.Option(help="Who crosses; once for each.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    expires: Annotated[str, typer.Option(help="When it ends: 2026-12-01T18:00:00Z, or +8h.")],
    side: Annotated[list[str] | None, typer.Option(help="A side; once for each.")] = None,
    tenant: Annotated[list[str] | None, typer.Option(help="A tenant; once for each.")] = None,
    start: Annotated[str, typer.Option(help="When it begins, likewise.")] = "+0s",
    ident: Annotated[str | None, typer.Option("--id", help="A name for it; else drawn.")] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask for a crossing in your own name. Two others must approve it before anybody crosses.

    Example:

        halocline cross request --purpose analysis --subject bea --side sell --expires +8h \\
            --reason 'fairness opinion for the merger' --token bea.jwt
    """
    from halocline_governance.errors import Refused
    from halocline_governance.principal import Purpose
    from halocline_governance.state.crossings import Request

    if purpose not in list(Purpose):
        raise Refused(f"no purpose {purpose}; there are: {', '.join(Purpose)}")
    with _room(token) as (platform, room, principal):
        asked = Request(
            id=ident or f"c-{secrets.token_hex(5)}",
            requester=principal.subject,
            subjects=tuple(sorted(set(subject))),
            purpose=Purpose(purpose),
            sides=tuple(sorted(set(side or []))),
            tenants=tuple(sorted(set(tenant or []))),
            reason=reason,
            not_before=_time(start),
            expires=_time(expires),
        )
        _check_can_open(platform, asked)
        made = room.request(principal, asked)
    show(_told(made), as_json=as_json, title="Crossing")


@app.command("approve")
def approve(ident: Ident, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Approve a crossing; it opens once the cross gate finds enough approvals.

    Example:

        halocline cross approve c-0a1b2c3d4e --token ada.jwt
    """
    with _room(token) as (_, room, principal):
        crossing, decision = room.approve(principal, ident)
    told = _told(crossing)
    if decision is not None:
        told["decision_id"] = decision.id
    show(told, as_json=as_json, title="Crossing")


@app.command("revoke")
def revoke(ident: Ident, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """End a crossing at once, or withdraw a request.

    Example:

        halocline cross revoke c-0a1b2c3d4e --token ada.jwt
    """
    with _room(token) as (_, room, principal):
        crossing = room.revoke(principal, ident)
    show(_told(crossing), as_json=as_json, title="Crossing")


@app.command("list")
def list_crossings(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """The crossings you have a part in; all of them for approvers and compliance.

    Example:

        halocline cross list --token ada.jwt
    """
    with _room(token) as (_, room, principal):
        told = [_told(one) for one in room.seen_by(principal)]
    if as_json:
        print_json(told)
        return
    names = ("id", "state", "purpose", "subjects", "sides", "tenants", "expires")
    print_table("Crossings", names, [[_cell(one[name]) for name in names] for one in told])


@app.command("show")
def show_crossing(ident: Ident, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """One crossing, and to whom the audit record is open, every decision that used it.

    Example:

        halocline cross show c-0a1b2c3d4e --token cora.jwt
    """
    with _room(token) as (platform, room, principal):
        told = _told(room.one(principal, ident))
        told["uses"] = _uses(platform, principal, ident)
    uses = told["uses"]
    if as_json:
        print_json(told)
        return
    told["uses"] = _AUDITORS if uses is None else len(uses)
    show(told, as_json=False, title="Crossing")
    if uses:
        names = ("ts", "subject", "gate", "purpose", "decision_id", "num_acts")
        print_table("Used by", names, [[use[name] for name in names] for use in uses])


@app.command("report")
def report(
    start: Annotated[str, typer.Option("--from", help="A day, 2026-07-01, or a time with zone.")],
    end: Annotated[str, typer.Option("--to", help="The last day, or the time it ends before.")],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """The register of crossings for a period, in UTC, as an officer cleared for audit.

    Example:

        halocline cross report --from 2026-07-01 --to 2026-07-31 --token officer.jwt
    """
    from halocline_infra.oversight import crossing_register

    period = _period(start, end)
    with called(token) as (platform, officer):
        told = crossing_register(platform, officer, period)
    if as_json:
        print_json(told)
        return
    show({"from": told["from"], "to": told["to"], **told["totals"]}, as_json=False, title="Walls")
    if not told["crossings"]:
        typer.echo("crossings in this period: none")
    for one in told["crossings"]:
        _print_line(one)


def _print_line(one: dict[str, Any]) -> None:
    """One crossing of the register, for people."""
    names = (
        "standing", "requester", "subjects", "purpose", "reason", "sides", "tenants",
        "not_before", "expires", "expired",
    )  # fmt: skip
    facts = [(name, _cell(one[name])) for name in names]
    facts += [
        ("approver", f"{by['subject']} ({_cell(by['roles'])}), {by['ts']}")
        for by in one["approvers"]
    ]
    facts += [(step["step"], f"{step['ts']}, {step['subject']}") for step in one["steps"]]
    facts += [
        (f"{gate['gate']} decisions", f"{gate['told']}, {gate['allowed']} allowed, "
         f"{gate['used']} of them used it")
        for gate in one["decisions"]
    ]  # fmt: skip
    facts += [
        ("denied", f"{no['ts']}, {no['subject']}, {no['gate']}: {'; '.join(no['reasons'])}")
        for no in one["denials"]
    ]
    if not one["decisions"]:
        facts.append(("decisions", "none"))
    facts.append(("denials", one["num_denials"] or "none"))
    print_table(f"Crossing {one['id']}", ("what", "value"), facts)


@contextmanager
def _room(token: str | None) -> Generator[tuple[Platform, ControlRoom, Principal]]:
    from halocline_governance.control_room import ControlRoom

    with called(token) as (platform, principal):
        yield platform, ControlRoom(platform.crossings, platform.gates), principal


def _check_can_open(platform: Platform, asked: Request) -> None:
    """What the policies here would never open is not asked for.

    Raises:
        Refused: it lasts too long, or its reason is too short.
    """
    from halocline_governance.errors import Refused
    from halocline_infra.oversight import installed_policies

    bounds = installed_policies(platform).data.get("cross", {})  # a firm's own may have no such
    longest, shortest = bounds.get("max_duration_s"), bounds.get("min_reason_characters")
    if isinstance(longest, int) and asked.expires - asked.not_before > longest:
        raise Refused(
            f"a crossing lasts {timedelta(seconds=longest)} at most (data.cross.max_duration_s),"
            " and this one could never open: let it end sooner"
        )
    if isinstance(shortest, int) and len(asked.reason) < shortest:
        raise Refused(
            f"a reason has {shortest} characters at least (data.cross.min_reason_characters),"
            " and this crossing could never open: say more"
        )


def _uses(platform: Platform, principal: Principal, ident: str) -> list[dict[str, Any]] | None:
    from dataclasses import asdict

    from halocline_governance.control_room import uses
    from halocline_governance.errors import Denied
    from halocline_governance.journal import read
    from halocline_infra.oversight import require_auditor

    try:
        require_auditor(platform, principal)
    except Denied:
        return None
    events = [event for _, _, event in read(platform.environment.journal)]
    return [asdict(use) for use in uses(events, ident)]


def _told(crossing: Crossing) -> dict[str, Any]:
    from halocline_governance.records import timestamp

    asked = crossing.request
    return {
        **crossing.as_json(),
        "state": crossing.standing(time.time()),
        "not_before": timestamp(asked.not_before),
        "expires": timestamp(asked.expires),
        "approvers": [
            {"subject": one.subject, "roles": list(one.roles)} for one in crossing.approvers
        ],
        "decision_id": crossing.decision_id,
        "revoked_by": crossing.revoked_by,
    }


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore


def _period(start: str, end: str) -> Period:
    """The days from `start` to `end`, or the times; what is still to come is left out."""
    from halocline_governance.errors import Refused
    from halocline_governance.records import timestamp
    from halocline_governance.report import Period

    period = Period(_bound(start, timedelta(0)), min(_bound(end, timedelta(days=1)), timestamp()))
    if period.start >= period.end:
        raise Refused("the period must begin before it ends, and before now")
    return period


def _bound(text: str, day: timedelta) -> str:
    """A time as the journal writes it; of a whole day, its beginning and `day` after."""
    from halocline_governance.errors import Refused

    try:
        if _DAY.match(text):
            when = datetime.fromisoformat(text).replace(tzinfo=UTC) + day
        else:
            when = datetime.fromisoformat(text)
            if when.tzinfo is None:
                raise Refused("a time needs its zone: 2026-12-01T18:00:00Z")
        told = when.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise Refused("a period is from and to a day, 2026-07-01, or a time with zone") from None
    return told.replace("+00:00", "Z")


def _time(text: str) -> int:
    """Seconds since the epoch of `+8h` or of an RFC 3339 time."""
    from halocline_governance.errors import Refused

    if ahead := _AHEAD.match(text):
        return int(time.time()) + int(ahead[1]) * _SECONDS[ahead[2]]
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("a time is 2026-12-01T18:00:00Z, or +30m, +8h, +2d from now") from None
    if when.tzinfo is None:
        raise Refused("a time needs its zone: 2026-12-01T18:00:00Z")
    return int(when.timestamp())
