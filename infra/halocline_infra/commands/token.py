"""`halocline token`: development tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.options import JsonFlag, TokenFile, called, cleared, show

_YEAR_S = 366 * 24 * 3600

app = typer.Typer(help="Issue and inspect development tokens.", no_args_is_help=True)


@app.command("issue")
def issue(
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
) -> None:
    """Sign a token with this installation's development key and print it.

    Example:

        halocline token issue --sub ana --role analyst --label 'confidential sides=buy' > ana.jwt
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
        typer.echo(token)


@app.command("show")
def show_token(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Verify a token and print whom it names.

    Example:

        halocline token show --token ana.jwt
    """

    with called(token) as (_, principal):
        show(principal.as_json(), as_json=as_json, title="Principal")
