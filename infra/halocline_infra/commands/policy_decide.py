"""`halocline policy decide`: a gate's answer to a question, or to many, without effect."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Annotated, Any, cast

import typer

from halocline_infra.commands.options import JsonFlag, show

if TYPE_CHECKING:
    from halocline_governance.policy.engine import Engine


def decide(
    gate: Annotated[str, typer.Argument(help="One of: halocline policy list.")],
    input_file: Annotated[
        str,
        typer.Option("--input", metavar="FILE|-", help="{principal, purpose, resource, context}"),
    ],
    engine: Annotated[
        str | None, typer.Option(help="opa, embedded, auto, or a URL; else HALOCLINE_POLICY.")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="A question a line in, an answer a line out, as JSON.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Ask one gate and print its answer. A rehearsal: nothing takes effect, nothing is recorded.

    Exits with 1 when the answer is no; with `--lines`, with 0 once every line is answered.

    Example:

        halocline policy decide read --input question.json --engine embedded --json

        halocline policy decide read --input questions.jsonl --engine opa --lines
    """
    from dataclasses import replace

    from halocline_governance.errors import Refused
    from halocline_governance.gates import Gate
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    if gate not in {known.value for known in Gate}:
        raise Refused(f"no gate {gate}; see halocline policy list")
    environment = from_env()
    with (
        _opened(input_file) as file,
        Platform(replace(environment, policy=engine or environment.policy)) as platform,
    ):
        if lines:
            for answer in _answers(platform.engine, gate, file):
                sys.stdout.write(json.dumps(answer) + "\n")
            return
        decision = platform.engine.decide(gate, _question(file.read(), "the input"))
    show(decision.as_json(), as_json=as_json, title=f"{gate} gate")
    if not decision.allow:
        raise typer.Exit(1)


def _answers(engine: Engine, gate: str, file: IO[str]) -> Iterator[dict[str, Any]]:
    """In the order of the lines. What no engine answers is denied, as at a gate."""
    from halocline_governance.decision import Decision
    from halocline_governance.errors import PolicyUnavailable, Refused

    num_asked = 0
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        num_asked += 1
        question = _question(line, f"line {number}")
        try:
            decision = engine.decide(gate, question)
        except PolicyUnavailable:
            decision = Decision(False, ("unavailable",))
        yield decision.as_json()
    if not num_asked:
        raise Refused("there is no question in the input: it holds one a line")


def _question(text: str, where: str) -> dict[str, Any]:
    from halocline_governance import strict_json
    from halocline_governance.errors import Refused

    try:
        question: Any = strict_json.loads(text)
    except ValueError as error:
        many = "; for a question a line, give --lines" if "Extra data" in str(error) else ""
        raise Refused(f"{where} is not JSON: {error}{many}") from error
    if not isinstance(question, dict):
        raise Refused(f"{where} is no object: {{principal, purpose, resource, context}}")
    return cast("dict[str, Any]", question)


@contextmanager
def _opened(source: str) -> Generator[IO[str]]:
    from halocline_governance.errors import Refused

    if source == "-":
        yield sys.stdin
        return
    try:
        file = open(source, encoding="utf-8")  # noqa: SIM115 - closed below, errors told here
    except OSError as error:
        raise Refused(f"no file {source} ({error.strerror})") from error
    with file:
        try:
            yield file
        except UnicodeDecodeError as error:
            raise Refused(f"{source} is not UTF-8 text") from error
