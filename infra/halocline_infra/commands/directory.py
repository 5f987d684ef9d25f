"""`halocline directory`: what each subject may hold at most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    print_json,
    print_table,
    read_token,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.label import Label

app = typer.Typer(
    help="Say what a subject may hold at most; it narrows tokens from the next call on.",
    no_args_is_help=True,
)
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
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an entry, or put a new one in its place. Roles compliance and operator may.

    A subject that is disabled stays so.

    Example:

        halocline directory add ana --role analyst --label 'confidential sides=buy' --token cleo.jwt
    """
    from halocline_governance.state.directory import Entry
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    entry = Entry(subject, tuple(sorted(set(role or ()))), _cleared(clearance, label), owner=owner)
    environment = from_env()
    with Platform(environment) as platform:
        by = platform.caller(read_token(environment, token))
        entry = platform.directory.put(entry, by, platform.journal)
    show(entry.as_json(), as_json=as_json, title="Entry")


@app.command("disable")
def disable(subject: Subject, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Let nobody in under this name, from the next call on. An entry that is there is kept.

    Example:

        halocline directory disable ana --token cleo.jwt
    """
    _set_disabled(subject, token, disabled=True, as_json=as_json)


@app.command("enable")
def enable(subject: Subject, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Let a disabled subject in again, as far as its entry says.

    Example:

        halocline directory enable ana --token cleo.jwt
    """
    _set_disabled(subject, token, disabled=False, as_json=as_json)


@app.command("show")
def show_entry(subject: Subject, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """One entry: your own, or anybody's for who may change them.

    Example:

        halocline directory show ana --token cleo.jwt
    """
    from halocline_governance.errors import Refused
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    with Platform(environment) as platform:
        by = platform.caller(read_token(environment, token))
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
    import json

    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    with Platform(environment) as platform:
        _require_officer(platform.caller(read_token(environment, token)).roles)
        entries = platform.directory.list()
    if as_json:
        print_json([entry.as_json() for entry in entries])
        return
    rows = [
        (
            entry.subject,
            "disabled" if entry.disabled else "",
            ", ".join(entry.roles),
            json.dumps({axis: val for axis, val in entry.clearance.as_json().items() if val}),
            entry.owner or "",
        )
        for entry in entries
    ]
    print_table(
        "Directory", ("subject", "state", "roles at most", "clearance at most", "owner"), rows
    )


def _set_disabled(subject: str, token: str | None, *, disabled: bool, as_json: bool) -> None:
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    environment = from_env()
    with Platform(environment) as platform:
        by = platform.caller(read_token(environment, token))
        entry = platform.directory.set_disabled(subject, disabled, by, platform.journal)
    show(entry.as_json(), as_json=as_json, title="Entry")


def _require_officer(roles: tuple[str, ...]) -> None:
    from halocline_governance.errors import Refused
    from halocline_governance.state.directory import MAY_CHANGE

    if not set(roles) & set(MAY_CHANGE):
        raise Refused(f"the directory is shown to the roles {' and '.join(MAY_CHANGE)}")


def _cleared(clearance: Path | None, label: str | None) -> Label:
    import json

    from halocline_governance.errors import Refused
    from halocline_governance.label import parse, parse_compact

    if (clearance is None) == (label is None):
        raise Refused("give the clearance once: --clearance FILE or --label TEXT")
    if clearance is None:
        return parse_compact(label or "")
    try:
        return parse(json.loads(clearance.read_bytes()))
    except ValueError as error:
        raise Refused(f"{clearance.name} is not JSON: {error}") from error
