"""`halocline directory`: what each subject may hold at most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    cleared,
    print_json,
    print_table,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.label import Label
    from halocline_governance.state.directory import Entry

app = typer.Typer(
    help="Say what a subject may hold at most; it narrows tokens from the next call on.",
    no_args_is_help=True,
)
Sure = Annotated[
    bool,
    typer.Option("--yes", help="Even if it shuts you out or lets somebody in; you are told which."),
]
Subject = Annotated[str, typer.Argument(help="Whose entry: the subject of their tokens.")]


@app.command("add")
def add(  # noqa: PLR0913 - the command's options are its interface
    subject: Subject,
    role: Annotated[
        list[str] | None, typer.Option(help="A role it may hold; give the option once for each.")
    ] = None,
    clearance: Annotated[
        Path | None, typer.Option(help="JSON file with the greatest clearance.", exists=True)
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="That clearance in one line: 'confidential sides=buy'.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="Who answers for it, when it is a service account.")
    ] = None,
    sure: Sure = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an entry, or put a new one in its place. Roles compliance and operator may.

    A subject that is disabled stays so. Narrowing yourself needs --yes: nobody widens their own.

    Example:

        halocline directory add ana --role analyst --label 'confidential sides=buy' --token cleo.jwt
    """
    from halocline_governance.state.directory import Entry

    entry = Entry(subject, tuple(sorted(set(role or ()))), cleared(clearance, label), owner=owner)
    with called(token) as (platform, by):
        entry = platform.directory.put(entry, by, platform.journal, sure=sure)
    show(entry.as_json(), as_json=as_json, title="Entry")


@app.command("disable")
def disable(
    subject: Subject, sure: Sure = False, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Let nobody in under this name, from the next call on. An entry that is there is kept.

    Disabling yourself needs --yes: only another officer could enable you again.

    Example:

        halocline directory disable ana --token cleo.jwt
    """
    _show(subject, _set_disabled(subject, token, disabled=True, sure=sure), as_json)


@app.command("enable")
def enable(subject: Subject, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Let a disabled subject in again, as far as its entry says. Who had none when it was disabled
    has none again.

    Example:

        halocline directory enable ana --token cleo.jwt
    """
    _show(subject, _set_disabled(subject, token, disabled=False, sure=False), as_json)


@app.command("remove")
def remove(
    subject: Subject, sure: Sure = False, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Remove an entry, another's. Without one a subject counts as its token says, or in a strict
    directory not at all; so removing one that is disabled needs --yes.

    Example:

        halocline directory remove ana --token cleo.jwt
    """
    with called(token) as (platform, by):
        platform.directory.remove(subject, by, platform.journal, sure=sure)
    _show(subject, None, as_json)


@app.command("show")
def show_entry(subject: Subject, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """One entry: your own, or anybody's for who may change them.

    Example:

        halocline directory show ana --token cleo.jwt
    """
    from halocline_governance.errors import Refused

    with called(token) as (platform, by):
        if by.subject != subject:
            _require_officer(by.roles)
        entry = platform.directory.show(subject)
    if entry is None:
        raise Refused("no such entry; see halocline directory list")
    show(entry.as_json(), as_json=as_json, title="Entry")


@app.command("list")
def list_entries(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Every entry, for who may change them.

    Example:

        halocline directory list --token cleo.jwt
    """
    with called(token) as (platform, by):
        _require_officer(by.roles)
        entries = platform.directory.list()
    if as_json:
        print_json([entry.as_json() for entry in entries])
        return
    rows = [
        (
            entry.subject,
            "disabled" if entry.disabled else "",
            ", ".join(entry.roles),
            _axes(entry.clearance),
            entry.owner or "",
        )
        for entry in entries
    ]
    print_table(
        "Directory", ("subject", "state", "roles at most", "clearance at most", "owner"), rows
    )


def _axes(clearance: Label | None) -> str:
    import json

    if clearance is None:
        return ""
    return json.dumps({axis: val for axis, val in clearance.as_json().items() if val})


def _set_disabled(subject: str, token: str | None, *, disabled: bool, sure: bool) -> Entry | None:
    with called(token) as (platform, by):
        return platform.directory.set_disabled(subject, disabled, by, platform.journal, sure=sure)


def _show(subject: str, entry: Entry | None, as_json: bool) -> None:
    """An entry; where there is none, that nothing bounds what the token says."""
    told = entry.as_json() if entry else {
        "subject": subject, "roles": None, "clearance": None, "disabled": False, "owner": None
    }  # fmt: skip
    show(told, as_json=as_json, title="Entry" if entry else "No entry")


def _require_officer(roles: tuple[str, ...]) -> None:
    from halocline_governance.errors import Refused
    from halocline_governance.state.directory import MAY_CHANGE

    if not set(roles) & set(MAY_CHANGE):
        raise Refused(f"the directory is shown to the roles {' and '.join(MAY_CHANGE)}")
