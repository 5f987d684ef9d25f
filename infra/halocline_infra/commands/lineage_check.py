"""`halocline lineage check`: what was registered held to the journal, and MLflow held to that."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands.lineage_sight import officer
from halocline_infra.commands.options import JsonFlag, TokenFile, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from halocline_governance.lineage.checks import Checked, Flag
    from halocline_governance.lineage.sight import Sight
    from halocline_infra.platform import Platform

FLAGGED, NOT_CHECKED = 1, 3
_VERDICTS = {
    0: "lineage in order",
    FLAGGED: "lineage NOT in order",
    NOT_CHECKED: "nothing found, and NOT all could be checked",
}
_QUIET_S, _EVERY_S = 2.0, 1.0


def check(
    run: Annotated[str | None, typer.Argument(help="One run; everything when left out.")] = None,
    rows: Annotated[
        bool, typer.Option("--rows", help="Fingerprint the rows again too: reads their tables.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write to MLflow what it lacks of lineage.")
    ] = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Hold what was registered against what the guard handed out and the gates allowed.

    Flags inputs that were never handed out, rows, labels, weights and counts that differ, models
    without a run, deployments that nobody promoted, outputs that are not what was recorded, what a
    crash left unrecorded, and where MLflow differs from lineage. With one run, that run and what
    came out of it; outputs are held to their records only without one, which reads all of them.

    Exits with 0 when all is in order, 1 when anything is flagged, 3 when nothing is and something
    could not be checked.

    Example:

        halocline lineage check --token officer.jwt

        halocline lineage check r0123456789abcdef01234567 --token officer.jwt
    """
    with officer(token) as (platform, sight):
        told = checked(platform, sight, Asked(run, rows, repair))
    if told.unseen:
        typer.echo(f"{told.unseen} things you may not see", err=True)
    show(told, as_json=as_json)
    if told.code:
        raise typer.Exit(told.code)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be checked: one run, or everything; its rows again; and MLflow put right."""

    run: str | None
    rows: bool
    repair: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What was found, cut to what the officer may see.

    Args:
        found: with MLflow's differences among its flags.
        repaired: what was written to MLflow.
        unseen: how many things were left out.
        code: what the command ends with.
    """

    found: Checked
    repaired: list[str]
    unseen: int
    code: int


def checked(platform: Platform, sight: Sight, asked: Asked) -> Told:
    """Check what was asked, as somebody who sees so much.

    Raises:
        Refused: neither lineage nor the journal knows such a run.
        JournalCorrupt: the journal's records cannot be read.
    """
    from halocline_governance.lineage import checks
    from halocline_infra.commands.lineage_mlflow import followed
    from halocline_registry.tracking import TrackingUnavailable

    whole = checks.check(platform.lineage, sight.heard, asked.run)
    if asked.rows:
        whole = checks.reread(platform.lineage, whole, asked.run)
    if asked.run is None:
        journal = platform.environment.journal
        whole = checks.held(platform.lake, journal, whole, _progress())
    done: list[str] = []
    try:
        done, differ = followed(platform, sight.heard, whole, asked.run, repair=asked.repair)
        whole = replace(whole, flags=tuple(sorted([*whole.flags, *differ])))
    except TrackingUnavailable as error:
        whole = replace(whole, unchecked=(*whole.unchecked, f"MLflow: {error}"))
    found, unseen = sight.checked(whole)
    if not sight.is_whole:
        unchecked, num = sight.texts(found.unchecked)
        unseen += num + sum(found.more.values())
        found = replace(found, unchecked=tuple(unchecked), more={})
    repaired, more = sight.texts(done)
    code = FLAGGED if whole.flags else NOT_CHECKED if whole.unchecked else 0
    return Told(found, repaired, unseen + more, code)


def show(told: Told, *, as_json: bool) -> None:
    """For programs, or for people."""
    if as_json:
        beside = {"repaired": told.repaired, "unseen": told.unseen}
        print_json({**told.found.as_json(), **beside})
        return
    found = told.found
    print_table(
        "Lineage", ("what", "checked"),
        [("dataset versions", found.num_datasets), ("runs", found.num_runs),
         ("models", found.num_models), ("deployments", found.num_deployments),
         ("outputs", "not with one run" if found.num_outputs is None else found.num_outputs)],
    )  # fmt: skip
    for flag in found.flags:
        typer.echo(f"FLAGGED {line(flag)}")
    for kind, num in sorted(found.more.items()):
        typer.echo(f"FLAGGED {num} more: {kind}")
    kinds = sorted({flag.kind: flag.todo for flag in found.flags}.items())
    for kind, todo in kinds:
        typer.echo(f"what to do: {kind}: {todo}")
    for one in found.unfinished:
        typer.echo(f"note: run {one} began and is not at its end: it goes on, or was killed")
    for text in found.unread:
        typer.echo(f"note: not read again: {text}")
    for text in found.unchecked:
        typer.echo(f"NOT CHECKED {text}")
    for text in told.repaired:
        typer.echo(f"repaired: {text}")
    typer.echo(_VERDICTS[told.code])


def line(flag: Flag) -> str:
    """A finding on one line."""
    records = f" (halocline audit show {flag.records[0]})" if flag.records else ""
    return f"{flag.about}: {flag.kind}: {flag.what}{records}"


def _progress() -> Callable[[str, int], None]:
    """Says on standard error how far it is, once it takes long."""
    told_at = time.monotonic() + _QUIET_S - _EVERY_S

    def progress(what: str, num: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at < _EVERY_S:
            return
        told_at = time.monotonic()
        sys.stderr.write(f"read {num:,} {what}\n")

    return progress
