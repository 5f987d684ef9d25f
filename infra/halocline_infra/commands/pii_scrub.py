"""`halocline pii scrub`: texts without the personal data that is in them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halocline_infra.commands.detect_options import Given, taking

if TYPE_CHECKING:
    from halocline_governance.scrub import Scrubber, Scrubbing
    from halocline_infra.detecting.answers import Asked

MODES = ("kind", "pseudonym", "reversible", "surrogate", "drop")
_KEYLESS = ("kind", "drop")


@dataclass(frozen=True, kw_only=True)
class Scrubbed(Given):
    """What is read, and what is written in place of what is found."""

    out: Annotated[
        Path, typer.Option(metavar="OUT", help="A .jsonl file; or for one text, .txt or .md.")
    ]
    mode: Annotated[
        str,
        typer.Option(
            help="What stands in place of a value: its kind; a pseudonym, the same one for the"
            " same value; a reversible token; a surrogate, a value that is nobody's; or nothing"
            " (drop)."
        ),
    ] = "kind"
    compartment: Annotated[
        str | None,
        typer.Option(help="Whose keys make pseudonyms, tokens and surrogates: a side, public."),
    ] = None


@taking(Scrubbed)
def scrub(given: Scrubbed) -> None:
    """Take personal data out of texts: lines with id and text, or one text as it was.

    Kinds that are no personal data by themselves (a plain URL, a place; see pii kinds) stay unless
    --kinds names them.

    Other fields of a record are left out: they were not scanned. An id is passed on as it is. A
    text that could not be scanned does not come out: its line has "text":null and
    "unscanned":"reason", and the exit code is 3 after all lines are written. Texts are scanned
    again after each rewrite, so scrubbing what was scrubbed changes nothing.

    Examples:

        halocline pii scrub chats.jsonl --out clean.jsonl

        halocline pii scrub chats.jsonl --out clean.jsonl --mode pseudonym --compartment buy
    """
    from halocline_governance.errors import Refused
    from halocline_infra.detecting.asking import PERSONAL, asked, is_little, words
    from halocline_infra.detecting.inputs import batches
    from halocline_infra.detecting.rewriting import Target, rewritten

    mode, compartment = given.mode, given.compartment
    if mode not in MODES:
        raise Refused(f"--mode is one of {', '.join(MODES)}")
    if mode not in _KEYLESS and compartment is None:
        raise Refused(f"--mode {mode} needs --compartment: whose keys to use")
    texts = batches(given.files, given.reading())
    detectors = asked(words(given.kinds, PERSONAL), given.engine, little=is_little(given.files))
    target = Target(given.out, given.files)
    with _scrubber(detectors, mode, compartment) as scrubber, target.opened() as write:
        code = rewritten(texts, scrubber, write)
    typer.echo(f"wrote {given.out}", err=True)
    raise typer.Exit(code)


@contextmanager
def _scrubber(
    detectors: Sequence[Asked], mode: str, compartment: str | None
) -> Generator[Scrubber]:
    """Without a compartment nothing of the installation is touched, nor needed."""
    import secrets

    from halocline_governance.scrub import Scrubber
    from halocline_governance.scrub.pseudonym import PseudonymKey
    from halocline_governance.scrub.ring import check_compartment
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform
    from halocline_infra.scrubbing import scrubber

    ways = _ways(detectors, mode)
    found = tuple(one.detector for one in detectors)
    if mode in _KEYLESS or compartment is None:
        yield Scrubber(found, PseudonymKey.derive(secrets.token_bytes(32), "public"), ways)
        return
    check_compartment(compartment)
    with Platform(from_env()) as platform:
        yield scrubber(platform, compartment, found, ways)


def _ways(detectors: Sequence[Asked], mode: str) -> Scrubbing:
    """Where only some kinds are asked for, those; else all but those that are not personal."""
    from halocline_governance.scrub import Mode, Scrubbing
    from halocline_infra.detecting.kinds import described

    personal = {kind["kind"] for kind in described() if kind["personal"]}
    kept = {
        kind
        for one in detectors
        for kind in one.detector.kinds - (personal if one.kinds is None else one.kinds)
    }
    return Scrubbing(Mode(mode), tuple((kind, Mode.KEEP) for kind in sorted(kept)))
