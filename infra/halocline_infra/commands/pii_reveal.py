"""`halocline pii reveal` and `halocline pii vault`: what lies behind reversible tokens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

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

vault = typer.Typer(
    help="The keys behind reversible tokens: change them, forget a value, destroy them.",
    no_args_is_help=True,
)
Reason = Annotated[
    str, typer.Option(help="Why, in one line; it stays in the journal, so it names nobody.")
]
Compartment = Annotated[str, typer.Argument(help="A side, side.tenant, or public.")]
Second = Annotated[
    str, typer.Option(metavar="FILE", help="File with the token of another officer, who agrees.")
]


def reveal(
    sealed: Annotated[
        str, typer.Argument(metavar="TOKEN", help="As it stands in the text: '&lt;email:r1:…&gt;'.")
    ],
    reason: Reason,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """The value behind a reversible token, for an officer who may have it. Recorded first.

    Example:

        halocline pii reveal '&lt;email:r1:abcdefghijklmnopqrstuvwxyz&gt;' \\
            --reason 'request 118' --token officer.jwt
    """
    from halocline_infra import scrubbing

    with called(token) as (platform, caller):
        value = scrubbing.reveal(platform, caller, sealed, reason)
    if as_json:
        typer.echo(json.dumps({"token": sealed, "value": value}, ensure_ascii=False))
    else:
        typer.echo("".join(c if c.isprintable() else ascii(c)[1:-1] for c in value))


@vault.command("list")
def list_keys(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """The keys that are not destroyed, and how many values lie with them.

    Example:

        halocline pii vault list --token officer.jwt
    """
    from halocline_infra import scrubbing

    with called(token) as (platform, officer):
        held = scrubbing.custody(platform).holds(officer)
    if as_json:
        print_json(held)
        return
    rows = [(one["key"], one["compartment"], one["values"]) for one in held]
    print_table("Keys of the vault", ("key", "compartment", "values in the compartment"), rows)


@vault.command("rotate")
def rotate(
    compartment: Compartment, reason: Reason, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Seal under a new key from now on; what was sealed before can still be revealed.

    Example:

        halocline pii vault rotate buy --reason 'yearly' --token officer.jwt
    """
    from halocline_infra import scrubbing

    with called(token) as (platform, officer):
        number = scrubbing.custody(platform).rotate(officer, compartment, reason)
    show({"compartment": compartment, "key": number}, as_json=as_json, title="Vault")


@vault.command("forget")
def forget(
    compartment: Compartment,
    value_from: Annotated[
        str, typer.Option("--value-from", metavar="FILE|-", help="Holds the value to forget.")
    ],
    reason: Reason,
    second: Second,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Make the tokens of one value opaque for good. Takes two officers.

    Example:

        halocline pii vault forget buy --value-from value.txt --reason 'request 118' \\
            --token officer.jwt --second other.jwt
    """
    from halocline_infra import scrubbing

    with called(token) as (platform, officer):
        other = platform.caller(read_token(platform.environment, second))
        num = scrubbing.custody(platform).forget(
            officer, other, compartment, _value(value_from), reason
        )
    show({"compartment": compartment, "tokens": num}, as_json=as_json, title="Forgotten")


@vault.command("destroy")
def destroy(
    compartment: Compartment,
    reason: Reason,
    second: Second,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="The key of pseudonyms and subject keys instead.")
    ] = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Destroy every key of a compartment: its tokens are opaque for good. Takes two officers.

    With --pseudonyms it is the key of its pseudonyms, surrogates and subject keys: nobody can find
    out or try any more what they stand for, and a person's rows are found by their text alone.

    Example:

        halocline pii vault destroy sell.acme --reason 'contract ended' \\
            --token officer.jwt --second other.jwt
    """
    from halocline_infra import scrubbing

    with called(token) as (platform, officer):
        other = platform.caller(read_token(platform.environment, second))
        custody = scrubbing.custody(platform)
        end = custody.sever if pseudonyms else custody.destroy
        numbers = end(officer, other, compartment, reason)
    show({"compartment": compartment, "keys": numbers}, as_json=as_json, title="Destroyed")


def _value(source: str) -> str:
    """The value, never an argument: it would stand in every process list."""
    from halocline_governance.errors import Refused

    try:
        value = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise Refused("--value-from takes a file that can be read, or -") from None
    if not value.strip():
        raise Refused("--value-from: the file holds nothing")
    return value.strip()
