"""`halocline policy`: the seven gates and their policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from halocline_infra.commands import policy_decide, policy_files
from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    read_token,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from halocline_governance.policy.explain import Explanation
    from halocline_governance.policy.replay import Difference

app = typer.Typer(help="Ask the gates, explain, test and change policies.", no_args_is_help=True)


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


app.command("decide")(policy_decide.decide)


@app.command("explain")
def explain(
    ident: Annotated[
        str, typer.Argument(help="A decision id, as denials name it, or an event id.")
    ],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Say why a recorded decision came out as it did, to an officer cleared for audit.

    Asks the journaled question once more: as of then, with the clearance that the directory had
    left and the crossings that held. When the answer is another than the recorded one, or the
    policies have changed since, it says so. Exits with 1 when the record cannot be reproduced.

    Example:

        halocline policy explain 0197f3c2-... --token officer.jwt
    """
    from halocline_governance.journal import read
    from halocline_governance.policy.counted import entry_at
    from halocline_governance.policy.explain import explain as explain_event
    from halocline_governance.policy.explain import find
    from halocline_infra.oversight import installed_policies, require_auditor

    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        journal = platform.environment.journal
        event = find(read(journal), ident)
        entry = entry_at(read(journal), event["subject"], event["ts"])
        told = explain_event(event, installed_policies(platform), entry)
    if as_json:
        print_json(told.as_json())
    else:
        _print_explanation(told)
    if told.reproduced is False:
        raise typer.Exit(1)


@app.command("diff")
def diff(  # noqa: PLR0913 - the command's options are its interface
    old: Annotated[str, typer.Argument(help="A folder of policies, a bundle file, or `current`.")],
    new: Annotated[str, typer.Argument(help="Likewise.")],
    since: Annotated[
        str, typer.Option(help="Only decisions from then on: 2026-11-21 or longer.")
    ] = "",
    gate: Annotated[str | None, typer.Option(help="Only decisions of this gate.")] = None,
    fail_on_allow: Annotated[
        bool, typer.Option("--fail-on-allow", help="Exit with 1 when something is newly allowed.")
    ] = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask the journal's questions of two sets of policies, and show what changes between them.

    What becomes allowed is shown first. The journal is read as an officer cleared for audit.

    Example:

        halocline policy diff current new/ --since 2026-11-01 --fail-on-allow --token officer.jwt
    """
    from rich.progress import track

    from halocline_governance.errors import Refused
    from halocline_governance.gates import Gate
    from halocline_governance.journal import read
    from halocline_governance.policy import replay
    from halocline_governance.policy.signing import public_key
    from halocline_infra.environment import from_env
    from halocline_infra.oversight import installed_policies, require_auditor
    from halocline_infra.platform import Platform

    if gate is not None and gate not in {known.value for known in Gate}:
        raise Refused(f"no gate {gate}; see halocline policy list")
    environment = from_env()
    with Platform(environment) as platform:
        key = public_key(environment.policy_key) if environment.policy_key.exists() else None
        two = [
            replay.policies(named, lambda: installed_policies(platform), platform.firm.facts(), key)
            for named in (old, new)
        ]
        require_auditor(platform, platform.caller(read_token(environment, token)))

        def asked() -> Iterator[replay.Event]:
            events = (event for _, _, event in read(environment.journal))
            return replay.questions(events, since, gate)

        total = sum(1 for _ in asked())
        quiet = Console(stderr=True)
        bar = track(asked(), "Asking again", total, console=quiet, disable=not quiet.is_terminal)
        found = replay.replay(bar, two[0], two[1])
    if as_json:
        print_json(found.as_json())
    else:
        _print_difference(found)
    if fail_on_allow and found.allowed:
        raise typer.Exit(1)


for name, command in {
    "test": policy_files.run_tests,
    "lint": policy_files.lint,
    "coverage": policy_files.coverage,
    "new": policy_files.new,
    "build": policy_files.build,
    "verify": policy_files.verify,
}.items():
    app.command(name)(command)


def _print_explanation(told: Explanation) -> None:
    answer = told.answer
    rows = [
        ("decision", told.id),
        ("when", told.when),
        ("gate", told.gate),
        ("who", told.subject),
        ("purpose", told.purpose),
        ("answer", "allowed" if answer.get("allow") else "denied"),
        ("reasons", "; ".join(answer.get("reasons") or []) or "-"),
        ("obligations", json.dumps(answer.get("obligations") or {}, sort_keys=True)),
        ("clearance", f"{json.dumps(told.held, sort_keys=True)}, as the directory left it"),
        ("directory's entry then", json.dumps(told.entry, sort_keys=True) if told.entry else "-"),
    ]
    if told.counted is not None and told.counted != told.held:
        rows.append(("with crossings", json.dumps(told.counted, sort_keys=True)))
    print_table("Decision", ("what", "value"), rows)
    if told.facts:
        facts = [
            (f.name, "proven" if f.proven else "MISSING", "" if f.proven else f.told)
            for f in told.facts
        ]
        print_table("Facts that the gate needs", ("fact", "state", "why it is missing"), facts)
    if told.crossings:
        print_table(
            "Crossings that were open for the caller",
            ("crossing", "state", "why"),
            [(one.id, one.state, one.why) for one in told.crossings],
        )
    if told.axes:
        axes = [
            (
                _thing(one.label, told.question),
                one.axis,
                json.dumps(one.needs),
                json.dumps(one.has),
                "lacks it too" if one.entry else "",
            )
            for one in told.axes
        ]
        names = ("what", "axis", "it has", "clearance that counted", "directory's entry")
        print_table("Not within the clearance", names, axes)
    if not told.current:
        typer.echo("decided by other policies than today's, or by none: only the record is shown")
    elif told.reproduced:
        typer.echo("asked again, the policies give the recorded answer")
    else:
        typer.echo("NOT reproduced: asked again, the same policies give another answer")


def _thing(place: str, question: Mapping[str, Any]) -> str:
    """Where in the question; of a compartment, its name, which tells what it asks for."""
    if place != "resource.compartment":
        return place
    return f"compartment {question['resource']['compartment']}"


def _print_difference(found: Difference) -> None:
    parts = {
        "newly ALLOWED": found.allowed,
        "newly denied": found.denied,
        "allowed with other obligations": found.obliged,
        "denied for other reasons": found.retold,
    }
    for title, changes in parts.items():
        if changes:
            rows = [(c.when, c.gate, c.subject, c.purpose, c.id) for c in changes]
            print_table(title, ("when", "gate", "who", "purpose", "decision"), rows)
    counts = [(title, len(changes)) for title, changes in parts.items()]
    print_table(f"Of {found.num_asked} decisions", ("change", "count"), counts)
