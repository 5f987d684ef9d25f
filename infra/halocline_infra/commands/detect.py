"""`halocline detect`: every detector that needs nothing but the text."""

from __future__ import annotations

from typing import Annotated

import typer

from halocline_infra.commands.detect_options import (
    Engine,
    Files,
    Form,
    Html,
    IdColumn,
    TextColumn,
    Timeout,
    gathered,
    publish,
    tell,
    write,
)
from halocline_infra.commands.options import JsonFlag


def run(  # noqa: PLR0913 - one option each
    files: Files,
    kinds: Annotated[
        str | None,
        typer.Option(
            help="Which, a,b: pii names secrets toxicity injection language quality, or kinds of"
            " spans; all without it."
        ),
    ] = None,
    engine: Engine = None,
    form: Form = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "id",
    timeout: Timeout = None,
    html: Html = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what detectors find in texts: personal data, secrets, attacks, injections, language.

    With --json, one line for each text, in the order of the input. One scoring detector alone:

        {"id":"a","toxicity":0.0312}

    More of them, each score under its name, then the spans of all:

        {"id":"a","toxicity":0.9312,"spans":[{"kind":"email","start":3,"end":17,"score":0.98}]}

    Offsets count characters. What one of them could not scan has null for a score, "spans":[] and
    "unscanned":"reason", and the exit code is 3 after all lines are written. Findings exit with 0.

    Segregation and canaries are not here: what they find depends on who asks, so the release gate
    and monitoring ask them, each with a label.

    Example:

        halocline detect answers.jsonl --kinds toxicity --json
    """
    from halocline_infra.detecting.asking import asked, everything, signals, through, words
    from halocline_infra.detecting.batches import FAST, SLOW
    from halocline_infra.detecting.inputs import Reading, batches
    from halocline_infra.detecting.jsonlines import encoded
    from halocline_infra.detecting.page import Page
    from halocline_infra.detecting.tally import Tally

    wanted = words(kinds, everything())
    told = signals(wanted)
    detectors = asked([word for word in wanted if word not in told], engine, timeout)
    size = SLOW if any(one.scores for one in detectors) else FAST
    texts = batches(files, Reading(form, text_column, id_column, size))
    page, tally = Page("Findings") if html else None, Tally()
    collect = gathered(page, tally)
    if as_json:
        several = len(files) > 1
        spans = len(wanted) > 1 or (bool(detectors) and detectors[0].scores is None)
        code = through(
            texts,
            detectors,
            lambda found: write(encoded(found, spans=spans, files=several, signals=told)),
        )
    else:
        code = through(texts, detectors, collect)
        tell(page.tally if page else tally)
    if page and html:
        publish(page, html)
    raise typer.Exit(code)
