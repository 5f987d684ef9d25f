"""`halocline token`: development tokens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.options import JsonFlag, TokenFile, called, cleared, show

_YEAR_S = 366 * 24 * 3600

app = typer.Typer(help="Issue and inspect development tokens.", no_args_is_help=True)


@app.command("issue")
def issue(  # noqa: PLR0913 - the command's options are its interface
    sub: Annotated[str, typer.Option(help="Who: the subject of the token.")],
    role: Annotated[list[str], typer.Option(help="A role; give the option once for each.")],
    clearance: Annotated[
        Path | None, typer.Option(help="JSON file with the clearance, a label.", exists=True)
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="The clearance in one line: 'confidential sides=buy'.")
    ] = None,
    lifetime_s: Annotated[
        int, typer.Option(min=1, max=_YEAR_S, help="Seconds until it expires.")
    ] = 3600,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of yours alone, instead.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also over a file that is there.")] = False,
) -> None:
    """Sign a token with this installation's development key and print it, or write it to a file.

    Example:

        halocline token issue --sub ana --role analyst --label 'confidential sides=buy' --to ana.jwt
    """
    from halocline_governance.errors import Refused, Unauthenticated
    from halocline_governance.identity import Verifier
    from halocline_governance.principal import ROLES
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    if not sub.strip():
        raise Refused("--sub names who the token is for")
    if unknown := set(role) - set(ROLES):
        raise Refused(f"no role {', '.join(sorted(unknown))}; there are: {', '.join(ROLES)}")
    greatest = cleared(clearance, label)
    with Platform(from_env()) as platform:
        token = platform.issuer.issue(sub, role, greatest, lifetime_s)
        try:
            Verifier(platform.issuer.key.public_key()).verify(token)
        except Unauthenticated as error:
            raise Refused(f"nobody would accept it: {error}") from None
    if to is None:
        typer.echo(token)
    else:
        _write(to, token, force=force)


def _write(to: Path, token: str, *, force: bool) -> None:
    """Whoever reads a token is its subject: its file is never anybody else's, not for a moment."""
    from halocline_governance.errors import Refused

    if to.exists() and not to.is_file():
        raise Refused(f"{to} is there and no file; give the file to write")
    draft = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(token + "\n")
            if force:
                draft.replace(to)
            else:
                os.link(draft, to)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise Refused(f"{to} is there already; give --force to put the new token there") from None
    except OSError as error:
        raise Refused(f"{to} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {to}", err=True)


@app.command("show")
def show_token(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Verify a token and print whom it names.

    Example:

        halocline token show --token ana.jwt
    """

    with called(token) as (_, principal):
        show(principal.as_json(), as_json=as_json, title="Principal")
