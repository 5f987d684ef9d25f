"""Handing the journal out, projecting it, keeping its heads, changing its key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from halocline_infra.commands.audit_proof import trusted
from halocline_infra.commands.options import JsonFlag, TokenFile, called, print_json, show


def export(
    start: Annotated[str, typer.Option("--from", help="First day, or a time with its zone.")],
    end: Annotated[str, typer.Option("--to", help="Last day, or a time with its zone.")],
    out: Annotated[Path, typer.Option(help="Folder to make; nothing may be there.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="Only events of this kind. Repeatable.")
    ] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a period's events with a proof of each, as a regulator gets them. Is itself recorded.

    Example:

        halocline audit export --from 2026-11-01 --to 2026-11-30 --out november --token officer.jwt
    """
    from halocline_governance.audit.export import check_free
    from halocline_governance.audit.export import export as write
    from halocline_governance.audit.handed import Exported
    from halocline_governance.audit.question import Question, instant
    from halocline_governance.audit.rotation import settle
    from halocline_governance.errors import Refused
    from halocline_governance.principal import Purpose
    from halocline_governance.records import AuditEvent, Kind, timestamp
    from halocline_infra.oversight import require_auditor

    period = (instant(start), min(instant(end, ends=True), timestamp()))
    if period[0] >= period[1]:
        raise Refused("--from must be before --to, and before now")
    for one in kind or ():
        Question(kind=one).check()
    check_free(out)
    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        here = platform.environment
        settle(here.journal, platform.signer, here.witness)

        def record(told: Exported) -> tuple[str, int]:
            what = {"export": told.as_json()}
            event = AuditEvent(Kind.REPORT, officer.subject, Purpose.AUDIT.value, what)
            receipt = platform.journal.append(event)
            platform.journal.seal()
            return receipt.log, receipt.seq

        told = write(here.journal, platform.signer.trust, out, period, kind or (), record)
    show({"folder": str(out), **told.as_json()}, as_json=as_json, title="Export")


def project(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Bring the table audit.events up to the journal: each verified record once. May be repeated.

    Example:

        halocline audit project --token officer.jwt
    """
    from halocline_governance.audit.projection import BATCH
    from halocline_governance.audit.projection import project as bring
    from halocline_governance.audit.rotation import settle
    from halocline_infra.oversight import require_auditor

    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        here = platform.environment
        settle(here.journal, platform.signer, here.witness)
        done = bring(
            here.journal,
            platform.signer.trust,
            platform.lake,
            progress=lambda num: num >= BATCH and sys.stderr.write(f"{num} rows written\n"),
        )
    show(done.as_json(), as_json=as_json, title="Projected")


def witness(
    directory: Annotated[Path, typer.Argument(help="Journal directory.")],
    to: Annotated[Path, typer.Option(help="Folder that keeps the heads; the witness's own.")],
    key: Annotated[Path, typer.Option(help="The journal's public key, as the firm gave it.")],
    create: Annotated[
        bool, typer.Option("--create", help="Make the folder: the first time, and never again.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Keep the journal's newest heads, once they are shown to continue those kept before.

    For somebody else than who writes the journal, on another machine or as another user, from
    time to time. Exits with 1 and names the log when one was set back, changed or removed; then
    its kept head stays.

    Example:

        halocline audit witness /srv/halocline/journal --to /srv/witness --key journal.pub --create
        halocline audit witness /srv/halocline/journal --to /srv/witness --key journal.pub
    """
    from halocline_governance.audit.witness import keep

    done = keep(directory, trusted(key), to, create=create)
    if as_json:
        print_json(done.as_json())
    else:
        for log, size in done.kept.items():
            before = done.before.get(log)
            if before is None:
                typer.echo(f"{log}: first seen, with {size} records")
            elif before == size:
                typer.echo(f"{log}: nothing new, {size} records")
            else:
                typer.echo(f"{log}: went on from {before} to {size} records")
        for log, what in done.problems:
            typer.echo(f"FAILED {log}: {what}")
    if done.problems:
        raise typer.Exit(1)


def rotate_key(
    retire_old: Annotated[
        bool, typer.Option("--retire-old", help="Only take older keys out of keys/journal.pub.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a new key for the journal, have the old one vouch for it, and sign with it.

    Older keys stay in keys/journal.pub, trusted, until --retire-old takes them out. Cut short, run
    it again. Give keys/journal.pub to whoever verifies.

    Example:

        halocline audit rotate-key
    """
    from halocline_governance.audit import rotation
    from halocline_governance.errors import JournalCorrupt
    from halocline_governance.journal import verify
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    here = from_env()
    if retire_old:
        gone = rotation.retire(here.keys, here.journal)
        show({"retired": list(gone)}, as_json=as_json, title="Keys")
        return
    found = verify(here.journal, trusted(None), witness=here.witness)
    if not found.ok:
        raise JournalCorrupt(*found.problems[0])
    old, new = rotation.change(here.keys)
    with Platform(here) as platform:
        done = rotation.hand_over(here.journal, platform.signer, here.witness)
    told = {"old": old, "new": new, "signed": list(done.signed), "held": list(done.held)}
    show(told, as_json=as_json, title="Keys")
    if done.held and not as_json:
        typer.echo(
            f"{', '.join(done.held)}: held by running processes, which sign with the old key until"
            " they are started again"
        )
