"""`halocline model`: versions, requests, approvals, aliases."""

from __future__ import annotations

from typing import Annotated

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    show,
)

app = typer.Typer(help="Registered models and their promotion.", no_args_is_help=True)


@app.command("list")
def list_models(as_json: JsonFlag = False) -> None:
    """Every registered version, its label and its aliases.

    Example:

        halocline model list
    """
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    with Platform(from_env()) as platform:
        pointed = platform.registry.aliases()
        found = [
            {
                "model": version.ref.name,
                "version": version.ref.version,
                "label": version.ref.label.as_json(),
                "weights_sha256": version.ref.weights_sha256,
                "aliases": [alias for (_, alias), ref in pointed.items() if ref == version.ref],
            }
            for version in platform.registry.versions()
        ]
    if as_json:
        print_json(found)
    else:
        rows = [(m["model"], m["version"], m["aliases"], m["label"]) for m in found]
        print_table("Models", ("model", "version", "aliases", "label"), rows)


@app.command("requests")
def requests(as_json: JsonFlag = False) -> None:
    """Every promotion request: who asked, on what evidence, who approved.

    Example:

        halocline model requests
    """
    from halocline_infra.environment import from_env
    from halocline_infra.platform import Platform

    with Platform(from_env()) as platform:
        found = [
            {
                "request": request.id,
                "model": f"{request.model.name} version {request.model.version}",
                "alias": request.alias,
                "requester": request.requester,
                "evidence_sha256": request.evidence_sha256,
                "approvers": [approval["subject"] for approval in request.approvals],
                "state": request.step.value,
            }
            for request in platform.registry.requests()
        ]
    if as_json:
        print_json(found)
    else:
        columns = ("request", "model", "alias", "requester", "approvers", "state")
        print_table("Requests", columns, [[r[column] for column in columns] for r in found])


@app.command("approve")
def approve(
    request: Annotated[str, typer.Argument(help="A request: halocline model requests.")],
    evidence_sha256: Annotated[str, typer.Option("--evidence", help="Hash of what you looked at.")],
    token: TokenFile = None,
) -> None:
    """Approve a request on exactly this evidence. Whether it counts is the promote gate's to say.

    Example:

        halocline model approve p1a2b3c4 --evidence 9f8e... --token omar.jwt
    """

    with called(token) as (platform, principal):
        platform.registry.approve(principal, request, evidence_sha256)


@app.command("promote")
def promote(
    request: Annotated[str, typer.Argument(help="A request: halocline model requests.")],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Move the alias, if the promote gate allows.

    Example:

        halocline model promote p1a2b3c4 --token mia.jwt
    """

    with called(token) as (platform, principal):
        decision = platform.registry.promote(principal, request)
    told = {"allow": decision.allow, "decision": decision.id, "revision": decision.revision}
    show(told, as_json=as_json, title="Promotion")


@app.command("reconcile")
def reconcile(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Bring MLflow's aliases back to what the ledger says, and tell what was elsewhere.

    Anybody with a token may: it restores what was approved and can do nothing else.

    Example:

        halocline model reconcile --token operator.jwt
    """

    with called(token) as (platform, principal):
        repairs = platform.registry.reconcile(principal)
    if as_json:
        print_json(repairs)
    else:
        print_table("Repaired", ("what",), [(repair,) for repair in repairs])
