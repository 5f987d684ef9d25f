"""Proofs: that a record is part of what was signed, that a head continues an older one."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from halocline_infra.commands.options import JsonFlag, TokenFile, called, print_json, show

if TYPE_CHECKING:
    from halocline_governance.journal import Trust
    from halocline_governance.journal.proof import Consistency, Proof
    from halocline_infra.platform import Platform


def prove(  # noqa: PLR0913 - the command's options are its interface
    ident: Annotated[
        str | None, typer.Argument(help="An event id, a decision id, or LOG/SEQ.")
    ] = None,
    at: Annotated[
        Path | None, typer.Option(help="Checkpoint to prove against; the newest by default.")
    ] = None,
    old: Annotated[
        Path | None, typer.Option("--from", help="Older checkpoint, for a proof of consistency.")
    ] = None,
    new: Annotated[
        str, typer.Option("--to", metavar="FILE|now", help="Newer checkpoint, with --from.")
    ] = "now",
    out: Annotated[
        Path | None, typer.Option(help="File to write; standard output by default.")
    ] = None,
    tlog: Annotated[
        bool, typer.Option("--tlog", help="As C2SP tlog-proof, without the record.")
    ] = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove that a record is part of what the journal's key signed, for whoever holds that key.

    With --from, prove that the log went on from an older checkpoint: nothing that it covers was
    changed or removed since. `halocline audit check` checks either from the file and the key alone.

    Example:

        halocline audit prove 0197f3c2-... --out proof.json --token officer.jwt
    """
    from halocline_governance.journal.proof import consistency
    from halocline_infra.oversight import require_auditor

    _check_asked(ident, at, old, out, tlog=tlog)
    checkpoint = text_of(at, "checkpoint") if at else None
    heads = _heads(old, new) if old is not None else None
    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        trust, text = platform.signer.trust, None
        if heads is not None:
            proof = consistency(platform.environment.journal, *heads)
        else:
            proof = _inclusion(platform, ident or "", checkpoint)
            text = proof.tlog() if tlog else None
        _check_own(proof, trust)
    told = text if text is not None else json.dumps(proof.as_json(), indent=2) + "\n"
    if out is None:
        typer.echo(told, nl=False)
        return
    _write(out, told)
    show({"log": proof.log, "file": str(out)}, as_json=as_json, title="Proof")


def check(
    file: Annotated[Path, typer.Argument(help="A proof, a file of proofs, or an export's folder.")],
    key: Annotated[
        Path | None, typer.Option(help="Trusted public keys; keys/journal.pub by default.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a proof from itself and the key alone. Exits with 1 when it does not hold.

    Example:

        halocline audit check proof.json --key journal.pub
    """
    trust = trusted(key)
    told = _checked_folder(file, trust) if file.is_dir() else _checked(file, trust)
    if as_json:
        print_json({"ok": True, **told})
        return
    show(told, as_json=False, title="Proven")
    typer.echo("verified")


def trusted(key: Path | None) -> Trust:
    """The keys in a file, or those of this installation.

    Raises:
        Refused: there is none.
    """
    from halocline_governance.errors import Refused
    from halocline_governance.journal import Trust
    from halocline_infra.environment import from_env

    path = key or from_env().keys / "journal.pub"
    if key is None and not path.exists():
        raise Refused("no trusted journal key; give one with --key FILE")
    return Trust.parse(text_of(path, "key"))


def text_of(path: Path, what: str) -> str:
    """The text of a file that was given.

    Raises:
        Refused: it is not a plain file, too long, no text, or cannot be read.
    """
    from halocline_governance.audit.given import text

    return text(path, what)


def _inclusion(platform: Platform, ident: str, checkpoint: str | None) -> Proof:
    from halocline_governance.audit.rotation import settle
    from halocline_governance.audit.search import find
    from halocline_governance.journal.proof import prove

    here = platform.environment
    found = find(here.journal, ident)
    if checkpoint is None:
        settle(here.journal, platform.signer, here.witness)
    return prove(here.journal, found.log, found.seq, checkpoint)


def _check_asked(
    ident: str | None, at: Path | None, old: Path | None, out: Path | None, *, tlog: bool
) -> None:
    """That one proof is asked for, and can be written.

    Raises:
        Refused: it is not.
    """
    from halocline_governance.errors import Refused

    if ident is None and old is None:
        raise Refused("name one record, or give --from CHECKPOINT for a proof of consistency")
    if ident is not None and old is not None:
        raise Refused("name one record or give --from CHECKPOINT: these are two different proofs")
    if old is not None and at is not None:
        raise Refused("--at is for one record; the newer checkpoint goes with --to")
    if tlog and old is not None:
        raise Refused("--tlog is a form of the proof for one record")
    if out is not None and out.exists():
        raise Refused(f"{out} exists: name a file that does not")
    if out is not None and not out.parent.is_dir():
        raise Refused(f"there is no folder {out.parent} to make it in")


def _write(out: Path, told: str) -> None:
    from halocline_governance import durable
    from halocline_governance.errors import Refused

    try:
        made = durable.create(out, told)
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}") from None
    if not made:
        raise Refused(f"{out} exists: name a file that does not")


def _check_own(proof: Proof | Consistency, trust: Trust) -> None:
    """That a proof holds with the keys of this home: no other is handed out.

    Raises:
        Refused: it does not.
    """
    from halocline_governance.errors import Refused, Unverified
    from halocline_governance.journal.proof import Proof, check

    try:
        _ = check(proof, trust) if isinstance(proof, Proof) else proof.check(trust)
    except Unverified as error:
        raise Refused(
            f"the proof would not hold with keys/journal.pub: {error}. A checkpoint by a key that"
            " was retired, or by nobody's here, proves nothing any more: take a newer one"
        ) from None


def _heads(old: Path, new: str) -> tuple[str, str, str | None]:
    """The log of two checkpoints, and these."""
    from halocline_governance.errors import Refused, Unverified
    from halocline_governance.journal.note import Checkpoint

    before = text_of(old, "checkpoint")
    try:
        log = Checkpoint.claimed(before).log
    except Unverified as error:
        raise Refused(f"{old}: {error}") from None
    return log, before, None if new == "now" else text_of(Path(new), "checkpoint")


def _checked_folder(folder: Path, trust: Trust) -> dict[str, Any]:
    from halocline_governance.audit.handed import checked

    found = checked(folder, trust)
    handed = {"handed_out": found.at, "by": found.by, "recorded": found.place}
    told = {name: value for name, value in found.told.as_json().items() if name != "files"}
    return {**told, **handed}


def _checked(file: Path, trust: Trust) -> dict[str, Any]:
    """What the proof, or each line's proof, shows."""
    from halocline_governance import strict_json
    from halocline_governance.audit.given import MAX_PROOF_BYTES, opened
    from halocline_governance.audit.handed import Known
    from halocline_governance.errors import Refused, Unverified

    with opened(file, "proof") as stream:
        data = stream.read(MAX_PROOF_BYTES)
        if len(data) < MAX_PROOF_BYTES:
            with suppress(ValueError):
                return _shown(strict_json.loads(data), trust)
        stream.seek(0)
        number, known = 0, Known(trust.keys)
        while line := stream.readline(MAX_PROOF_BYTES):
            number += 1
            try:
                _shown(strict_json.loads(line), known)
            except ValueError:
                raise Refused(
                    f"{file.name} line {number} is no proof in JSON; a tlog-proof is checked with"
                    " the record it is of, which `halocline audit prove` writes without --tlog"
                ) from None
            except (Refused, Unverified) as error:
                raise Unverified(f"{file.name} line {number}: {error}") from None
    if not number:
        raise Refused(f"{file} is empty: it proves nothing")
    return {"proofs": number}


def _shown(told: Any, trust: Trust) -> dict[str, Any]:
    from halocline_governance.journal import proof
    from halocline_governance.journal.note import Checkpoint

    form = cast("dict[str, Any]", told if isinstance(told, dict) else {})
    if form.get("format") == proof.CONSISTENCY:
        old, new = proof.Consistency.parse(form).check(trust)
        return {"log": new.log, "from_size": old.size, "to_size": new.size}
    found = proof.Proof.parse(form)
    event = proof.check(found, trust)
    size = Checkpoint.claimed(found.checkpoint).size
    return {"log": found.log, "seq": found.seq, "signed_size": size, "event": event}
