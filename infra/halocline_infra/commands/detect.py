"""`halocline detect`: every detector that needs nothing but the text."""

from __future__ import annotations

from halocline_infra.commands.detect_options import Looked, look, taking


@taking(Looked)
def run(given: Looked) -> None:
    """Say what detectors find in texts: personal data, secrets, attacks, injections, language.

    Detectors: pii names secrets toxicity injection language quality; all but quality without
    --kinds. With --json, one line for each text, in the order of the input. One scoring detector
    alone:

        {"id":"a","toxicity":0.0312}

    More of them, each score under its name, then the spans of all:

        {"id":"a","toxicity":0.9312,"spans":[{"kind":"email","start":3,"end":17,"score":0.98}]}

    Offsets count characters. What one of them could not scan has null for a score, "spans":[] and
    "unscanned":"reason", and the exit code is 3 after all lines are written. Findings exit with 0.

    Segregation and canaries are not here: what they find depends on who asks, so the release gate
    and monitoring ask them, each with a label.

    Examples:

        halocline detect answers.jsonl --kinds toxicity --json

        halocline detect notes/ --kinds secrets,email --html findings.html

        tail -f app.log | halocline detect - --form lines --kinds secrets --json
    """
    from halocline_infra.detecting.asking import everything

    look(given, everything(), "Findings")
