"""`halocline checks`: what the release gate knows compartments' texts by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
)

app = typer.Typer(help="Fingerprint compartments' texts for release.", no_args_is_help=True)


@app.command("fingerprint")
def fingerprint(
    compartment: Annotated[
        str, typer.Argument(help="Which compartment: public, buy, sell.acme, x.CROSSING.")
    ],
    names: Annotated[
        Path | None,
        typer.Option(help="YAML list of names restricted to it, in place of those before."),
    ] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring a compartment's fingerprints up to its curated text. Only files that came since the
    last time are read; after an erasure all is read again. Killed, it goes on where it was.

    Example:

        halocline checks fingerprint buy --names restricted.yaml --token svc.jwt
    """
    from halocline_governance.detect.segregation import listed
    from halocline_governance.errors import Refused
    from halocline_infra import checks

    try:
        given = None if names is None else listed(names.read_bytes())
    except OSError as error:
        raise Refused(f"{names} cannot be read: {error.strerror}") from None
    with called(token) as (platform, principal):
        done = checks.fingerprint(platform, principal, compartment, given)
    told = {
        "compartment": compartment,
        "version": done.version,
        "files_read": done.files_read,
        "files_kept": done.files_kept,
        "rebuilt": done.rebuilt,
        "rows_left_out": done.left_out,
    }
    if as_json:
        print_json(told)
    else:
        print_table("Fingerprints", ("what", "value"), list(told.items()))


@app.command("show")
def show(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Which compartments the release gate can look for, and why not the others: every answer that
    a compartment's fingerprints should be held against is `unscanned` until they are up to date.
    Only compartments within the caller's clearance are told.

    Example:

        halocline checks show --token officer.jwt
    """
    from halocline_governance.detect.segregation.detector import PUBLIC, covers
    from halocline_infra import checks

    with called(token) as (platform, principal):
        barrier, clearance = checks.between(platform), principal.clearance
        unready = barrier.unready()
        places = platform.lake.compartments()
        seen = [name for name in places if name == PUBLIC or covers(clearance, name)]
        told = {name: unready.get(name, "ready") for name in seen}
    if as_json:
        print_json(told)
    else:
        print_table("Release checks", ("compartment", "fingerprints"), list(told.items()))
