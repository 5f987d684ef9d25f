"""`halocline policy`: the seven gates and their policies."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from halocline_infra.commands.options import JsonFlag, print_json, print_table, show

app = typer.Typer(help="List the gates, ask one, test the policies.", no_args_is_help=True)


@app.command("list")
def list_gates(as_json: JsonFlag = False) -> None:
    """The seven gates and the question each one answers.

    Example:

        halocline policy list
    """
    from halocline_governance.gates import QUESTIONS

    if as_json:
        print_json({gate.value: question for gate, question in QUESTIONS.items()})
    else:
        print_table("Gates", ("gate", "question"), QUESTIONS.items())


@app.command("decide")
def decide(
    gate: Annotated[str, typer.Argument(help="One of: halocline policy list.")],
    input_file: Annotated[
        str,
        typer.Option("--input", metavar="FILE|-", help="{principal, purpose, resource, context}"),
    ],
    engine: Annotated[
        str | None, typer.Option(help="opa, embedded, auto, or a URL; else HALOCLINE_POLICY.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask one gate and print its answer. A rehearsal: nothing takes effect, nothing is recorded.

    Exits with 1 when the answer is no.

    Example:

        halocline policy decide read --input question.json --engine embedded --json
    """
    from dataclasses import replace

    from halocline_governance.errors import Refused
    from halocline_governance.gates import Gate
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    if gate not in {known.value for known in Gate}:
        raise Refused(f"no gate {gate}; see halocline policy list")
    raw = sys.stdin.read() if input_file == "-" else _read(input_file)
    try:
        question: Any = json.loads(raw)
    except ValueError as error:
        raise Refused(f"the input is not JSON: {error}") from error
    if not isinstance(question, dict):
        raise Refused("the input is an object: {principal, purpose, resource, context}")
    environment = from_env()
    with Platform(replace(environment, policy=engine or environment.policy)) as platform:
        decision = platform.engine.decide(gate, cast("dict[str, Any]", question))
    show(decision.as_json(), as_json=as_json, title=f"{gate} gate")
    if not decision.allow:
        raise typer.Exit(1)


@app.command("test")
def test() -> None:
    """Run the policies' own tests with OPA.

    Example:

        halocline policy test
    """
    import subprocess

    from halocline_governance.errors import Refused
    from halocline_governance.policy.bundle import POLICIES
    from halocline_infra.environment import from_env

    opa = from_env().opa
    if opa is None:
        raise Refused("no OPA binary; run `make setup`, or set HALOCLINE_OPA")
    done = subprocess.run([opa, "test", str(POLICIES)], check=False)
    if done.returncode:
        raise typer.Exit(1)


def _read(name: str) -> str:
    from halocline_governance.errors import Refused

    path = Path(name)
    if not path.is_file():
        raise Refused(f"no file {name}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is not UTF-8 text") from error
