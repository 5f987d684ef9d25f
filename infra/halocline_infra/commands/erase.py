"""`halocline erase`: orders to remove a person's, a source's or an answer's rows for good."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halocline_infra.commands.options import (
    JsonFlag,
    TokenFile,
    called,
    print_json,
    print_table,
    show,
)

if TYPE_CHECKING:
    from halocline_governance.erasure import Standing
    from halocline_governance.erasure.room import ErasureRoom
    from halocline_governance.principal import Principal
    from halocline_infra.platform import Platform

app = typer.Typer(
    help="Remove a person's, a source's or an answer's rows for good, by order of two officers.",
    no_args_is_help=True,
)
Reason = Annotated[
    str, typer.Option(help="Why, in one line; it stays in the journal, so it names nobody.")
]
Yes = Annotated[
    bool, typer.Option("--yes/--dry-run", help="Ask for it; else only show what it would remove.")
]
_NEXT = """\
Next: halocline erase subject KEY --reason 'file number' shows what goes with a key that has
documents; halocline erase output ID with an answer. A key that is not of this value may be of
somebody else who stands on the same document: look before you order. A document that has no key
goes with its source alone: halocline erase source SOURCE."""
Ident = Annotated[str, typer.Argument(help="One of: halocline erase list.")]


@app.command("subject")
def subject(
    keys: Annotated[list[str], typer.Argument(help="Subject keys: halocline erase find.")],
    reason: Reason,
    yes: Yes = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask that everything about a person go. Shows what that is; with --yes it is asked for.

    Example:

        halocline erase subject subject:v1:abcdefgh234567ij --reason 'request 118' \\
            --token officer.jwt
    """
    _order("subject", keys, reason, token, yes=yes, as_json=as_json)


@app.command("source")
def source(
    names: Annotated[list[str], typer.Argument(help="Names of sources.")],
    reason: Reason,
    yes: Yes = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask that a source go and never come back. Shows what that is; with --yes it is asked for.

    Example:

        halocline erase source old-tickets --reason 'licence ended' --token officer.jwt
    """
    _order("source", names, reason, token, yes=yes, as_json=as_json)


@app.command("output")
def output(
    request_ids: Annotated[list[str], typer.Argument(help="Request ids of answers.")],
    reason: Reason,
    yes: Yes = False,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask that an answer and its prompt go. Shows what that is; with --yes it is asked for.

    Example:

        halocline erase output 0197f3c2-... --reason 'request 118' --token officer.jwt
    """
    _order("output", request_ids, reason, token, yes=yes, as_json=as_json)


@app.command("approve")
def approve(ident: Ident, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Approve another officer's order and carry it out. Prints the certificate.

    Example:

        halocline erase approve e-0a1b2c3d4e --token second.jwt
    """
    with _room(token) as (_, room, officer):
        room.approve(officer, ident)
        told = room.run(officer, ident)
    _certify(told, as_json=as_json)


@app.command("withdraw")
def withdraw(ident: Ident, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Take an order back, or refuse another officer's, before anything is removed.

    Example:

        halocline erase withdraw e-0a1b2c3d4e --token second.jwt
    """
    with _room(token) as (_, room, officer):
        done = room.withdraw(officer, ident)
    show({"order": ident, "state": done.state}, as_json=as_json, title="Order")


@app.command("run")
def run(ident: Ident, token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Finish an approved order that was interrupted or refused. Prints the certificate.

    Example:

        halocline erase run e-0a1b2c3d4e --token officer.jwt
    """
    with _room(token) as (_, room, officer):
        told = room.run(officer, ident)
    _certify(told, as_json=as_json)


@app.command("list")
def list_orders(token: TokenFile = None, as_json: JsonFlag = False) -> None:
    """Every order, and how far it has come.

    Example:

        halocline erase list --token officer.jwt
    """
    from halocline_governance.erasure.order import plain

    with _room(token) as (_, room, officer):
        told = [_listed(one, seen=room.sees(officer, one)) for one in room.all()]
    if as_json:
        print_json(told)
        return
    names = ("id", "state", "what", "names", "requester", "reason")
    rows = [
        {**one, "names": ", ".join(one["names"]), "reason": plain(one["reason"])} for one in told
    ]
    print_table("Erasures", names, [[row[name] for name in names] for row in rows])


@app.command("certificate")
def certificate(
    ident: Ident,
    to: Annotated[Path | None, typer.Option(help="Write the JSON to this file.")] = None,
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """What an order removed, what it exposed, and what cannot be erased.

    Example:

        halocline erase certificate e-0a1b2c3d4e --to certificate.json --token officer.jwt
    """
    import json

    from halocline_governance import durable

    with _room(token) as (_, room, officer):
        told = room.certificate(officer, ident)
    if to is not None:
        durable.write(to, json.dumps(told, indent=2, sort_keys=True) + "\n")
    _certify(told, as_json=as_json)


@app.command("find")
def find(
    value_from: Annotated[
        str, typer.Option("--value-from", metavar="FILE|-", help="Holds a name or an address.")
    ],
    token: TokenFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Subject keys of a person, and documents and answers that name them, as far as you are
    cleared. The value is never an argument.

    Example:

        halocline erase find --value-from person.txt --token officer.jwt
    """
    from halocline_governance.erasure.order import plain
    from halocline_governance.errors import Refused
    from halocline_infra.erasing_find import person

    if value_from == "-" and token == "-":
        raise Refused("standard input is one thing: give the value or the token in a file")
    with _room(token) as (platform, _, officer):
        found = person(platform, officer, _value(value_from))
    if as_json:
        print_json(found.as_json())
        return
    rows = [
        (key["compartment"], key["key"], key["documents"], "yes" if key["own"] else "no")
        for key in found.keys
    ]
    print_table("Subject keys", ("compartment", "id", "documents", "of this value"), rows)
    others = [
        (one.compartment, str(one.uid), plain(one.source), "\n".join(one.keys) or "none")
        for one in found.mentions
    ]
    names = ("compartment", "id", "source", "subject keys")
    print_table("Other documents that name them", names, others)
    if found.outputs is None:
        typer.echo("answers: there are none that you may read")
    else:
        print_table("Answers that name them", ("id",), [(one,) for one in found.outputs])
    if found.hidden:
        typer.echo(f"{found.hidden} compartments are not for your clearance")
    if found.away:
        typer.echo(f"! {found.away}")
    typer.echo(_NEXT)


def _listed(standing: Standing, *, seen: bool) -> dict[str, Any]:
    """An order as one line; of one that touches what the caller may not see, only that it is."""
    told = {**standing.order.as_json(), "state": standing.state}
    return told if seen else {**told, "names": [], "reason": "not for your clearance"}


def _value(source: str) -> str:
    from halocline_governance.errors import Refused

    try:
        value = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise Refused("--value-from takes a file that can be read, or -") from None
    if not value.strip():
        raise Refused("--value-from: the file holds nothing")
    return value.strip()


def _order(
    what: str, names: list[str], reason: str, token: str | None, *, yes: bool, as_json: bool
) -> None:
    import secrets

    from halocline_governance.erasure import Order, What
    from halocline_infra.erasing import preview

    with _room(token) as (platform, room, officer):
        ident, kind = f"e-{secrets.token_hex(5)}", What(what)
        order = Order(ident, kind, tuple(sorted(set(names))), reason, officer.subject)
        told: dict[str, Any] = preview(platform, officer, room.look(officer, order))
        told["order"] = room.request(officer, order).order.id if yes else None
    if as_json:
        print_json(told)
        return
    rows = [(row["compartment"], row["table"], row["rows"]) for row in told["rows"]]
    print_table("Would be removed", ("compartment", "table", "rows"), rows)
    for one in told["exposed"]:
        _print_exposed(one)
    _print_unsure(told["unsure"])
    if told["hidden"]:
        typer.echo(f"{told['hidden']} things are not for your clearance")
    if yes:
        typer.echo(f"asked for: another officer now runs halocline erase approve {order.id}")
    else:
        typer.echo("nothing was asked for: give --yes")


def _print_exposed(one: dict[str, Any]) -> None:
    names = ("datasets", "runs", "models", "descendants", "endpoints_now", "endpoints_before")
    counts = {name.replace("_", " "): one[name]["num"] for name in names}
    counts["outputs"] = one["outputs"]["num"]
    show(counts, as_json=False, title=f"Made from {one['thing']}")
    for gap in one["gaps"]:
        typer.echo(f"! {gap}")


def _print_unsure(unsure: dict[str, Any]) -> None:
    if num := unsure["flags"]["num"]:
        typer.echo(f"! {num} flags stand: the journal contradicts lineage; halocline lineage check")
    for name, what in (("models", "model"), ("endpoints_now", "endpoint")):
        for one in unsure[name]["first"]:
            typer.echo(f"! {what} {one}: cannot be excluded")


def _certify(told: dict[str, Any], *, as_json: bool) -> None:
    from halocline_governance.erasure.certificate import text

    if as_json:
        print_json(told)
    else:
        typer.echo(text(told))


@contextmanager
def _room(token: str | None) -> Generator[tuple[Platform, ErasureRoom, Principal]]:
    """The orders, for somebody whom the read gate lets at the audit record."""
    from halocline_infra.erasing import room
    from halocline_infra.oversight import require_auditor

    with called(token) as (platform, officer):
        require_auditor(platform, officer)
        yield platform, room(platform), officer
