"""`halocline firm`: the restricted list, who competes with whom, which sources were withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halocline_infra.commands.options import JsonFlag, TokenFile, called, show

if TYPE_CHECKING:
    from halocline_governance.gates import Sink
    from halocline_governance.policy.firm import Firm
    from halocline_governance.principal import Principal

    Change = Callable[[Firm, Principal, Sink], dict[str, Any]]

app = typer.Typer(
    help="The restricted list, competing tenants, withdrawn sources; a change counts at once.",
    no_args_is_help=True,
)
Issuers = Annotated[list[str], typer.Argument(help="Ids of issuers, as labels name them.")]
Sources = Annotated[list[str], typer.Argument(help="Names of sources.")]
One = Annotated[str, typer.Argument(help="A tenant.")]
Other = Annotated[str, typer.Argument(help="The other one.")]
Yes = Annotated[
    bool, typer.Option("--yes", help="Even where a signed bundle, with its own facts, decides.")
]


@app.command("show")
def show_facts(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """What the policies know of this firm, for who may change it.

    Example:

        halocline firm show --token cleo.jwt
    """
    _carry_out(lambda firm, by, _: firm.shown(by), token, True, as_json=as_json)


@app.command("restrict")
def restrict(
    issuers: Issuers, yes: Yes = False, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Put issuers on the restricted list. Role compliance may.

    Who is not cleared for them reads nothing that names them from the next call on.

    Example:

        halocline firm restrict initech --token cleo.jwt
    """
    _carry_out(lambda firm, by, to: firm.restrict(issuers, by, to), token, yes, as_json=as_json)


@app.command("lift")
def lift(
    issuers: Issuers, yes: Yes = False, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Take issuers off the restricted list. Role compliance may.

    Example:

        halocline firm lift initech --token cleo.jwt
    """
    _carry_out(lambda firm, by, to: firm.lift(issuers, by, to), token, yes, as_json=as_json)


@app.command("compete")
def compete(
    one: One,
    other: Other,
    yes: Yes = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Say that two tenants compete: who touched one does not see the other. Role compliance may.

    Example:

        halocline firm compete acme globex --token cleo.jwt
    """
    _carry_out(lambda firm, by, to: firm.compete((one, other), by, to), token, yes, as_json=as_json)


@app.command("part")
def part(
    one: One,
    other: Other,
    yes: Yes = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Say that two tenants compete no longer. Role compliance may.

    Example:

        halocline firm part acme globex --token cleo.jwt
    """
    _carry_out(lambda firm, by, to: firm.part((one, other), by, to), token, yes, as_json=as_json)


@app.command("withdraw")
def withdraw(
    sources: Sources, yes: Yes = False, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Say that sources must not come in any more. Role compliance may.

    It removes nothing that is there: `halocline erase source` does, and says this too.

    Example:

        halocline firm withdraw old-tickets --token cleo.jwt
    """
    _carry_out(lambda firm, by, to: firm.withdraw(sources, by, to), token, yes, as_json=as_json)


@app.command("readmit")
def readmit(
    sources: Sources, yes: Yes = False, token: TokenFile = None, as_json: JsonFlag = False
) -> None:
    """Let withdrawn sources come in again. Role compliance may.

    Example:

        halocline firm readmit old-tickets --token cleo.jwt
    """
    _carry_out(lambda firm, by, to: firm.readmit(sources, by, to), token, yes, as_json=as_json)


def _carry_out(change: Change, token: str | None, yes: bool, *, as_json: bool) -> None:
    from halocline_governance.errors import Refused

    with called(token) as (platform, by):
        if platform.environment.policy_bundle is not None and not yes:
            raise Refused(
                "a signed bundle decides here, with facts of its own: with other ones beside it"
                " everything is denied until it is built and signed anew. Change them where it is"
                " signed (docs/runbook.md), or give --yes"
            )
        facts = change(platform.firm, by, platform.journal)
    show(facts, as_json=as_json, title="The firm's facts")
