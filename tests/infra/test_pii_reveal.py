"""A value goes into the vault and comes out of it by commands alone, on the record."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from halocline_governance import keys
from halocline_governance.errors import Refused, Unauthenticated
from halocline_governance.identity import Issuer
from halocline_governance.label import parse_compact
from halocline_infra.cli import app

VALUE = "jo.doe@corp.example"
FORGED = "<email:r1:abcdefghijklmnopqrstuvwxya>"
PEOPLE = {
    "cleo": ("compliance", "restricted sides=buy,sell"),
    "omar": ("compliance", "restricted sides=buy"),
    "selloff": ("compliance", "restricted sides=sell"),
    "bea": ("analyst", "restricted sides=buy"),
}
Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    issuer = Issuer(keys.ed25519(tmp_path / "home" / "keys" / "identity.key"))
    for name, (role, clearance) in PEOPLE.items():
        (tmp_path / name).write_text(issuer.issue(name, [role], parse_compact(clearance)))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    kept = {name: val for name, val in os.environ.items() if not name.startswith("HALOCLINE_")}
    env = {**kept, "HALOCLINE_HOME": str(home), "HALOCLINE_POLICY": "embedded"}

    def run(who: str | None, *words: str) -> Result:
        token = () if who is None else ("--token", str(home.parent / who))
        return CliRunner().invoke(app, [*words, *token], env=env)

    return run


@pytest.fixture
def token(home: Path, run: Run) -> str:
    """What stands for the value in a text that a command scrubbed."""
    text, out = home.parent / "text.txt", home.parent / "clean.txt"
    text.write_text(f"Write to {VALUE}.")
    wanted = ("--mode", "reversible", "--compartment", "buy", "--kinds", "email")
    done = run(None, "pii", "scrub", str(text), "--out", str(out), *wanted)
    assert done.exit_code == 0, done.exception
    scrubbed = out.read_text()
    assert VALUE not in scrubbed
    return scrubbed.removeprefix("Write to ").rstrip().removesuffix(".")


def told(done: Result) -> Any:
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def reveal(run: Run, who: str | None, token: str, *more: str) -> Result:
    return run(who, "pii", "reveal", token, "--reason", "request 118", *more)


def steps(run: Run) -> list[dict[str, Any]]:
    """The record of the vault, oldest first, as an officer reads it."""
    done = run("cleo", "audit", "search", "--kind", "vault", "--json")
    assert done.exit_code == 0, done.exception
    return [json.loads(line)["event"] for line in done.stdout.splitlines()][::-1]


def test_a_value_is_revealed_and_forgotten_on_record(home: Path, run: Run, token: str) -> None:
    """The whole way in one home: opening one takes long."""
    assert told(reveal(run, "cleo", token, "--json")) == {"token": token, "value": VALUE}
    for who, asked in (("selloff", token), ("bea", token), ("cleo", FORGED)):
        refused = reveal(run, who, asked)
        assert isinstance(refused.exception, Refused)
        assert str(refused.exception).startswith("nothing that you may see is behind this token")
    assert isinstance(reveal(run, None, token).exception, Unauthenticated)

    why = ("--reason", "yearly", "--json")
    assert told(run("omar", "pii", "vault", "rotate", "buy", *why))["key"] == 2
    assert reveal(run, "omar", token).stdout == f"{VALUE}\n"
    (home.parent / "value").write_text(f" {VALUE.upper()}\n")
    forget = ("pii", "vault", "forget", "buy", "--value-from", str(home.parent / "value"), *why)
    alone = run("cleo", *forget, "--second", str(home.parent / "bea"))
    assert isinstance(alone.exception, Refused)
    second = ("--second", str(home.parent / "omar"))
    assert told(run("cleo", *forget, *second)) == {"compartment": "buy", "tokens": 1}
    assert isinstance(reveal(run, "cleo", token).exception, Refused)
    held = told(run("omar", "pii", "vault", "list", "--json"))
    assert [(one["key"], one["values"]) for one in held] == [(1, 0), (2, 0)]
    assert told(run("cleo", "pii", "vault", "destroy", "buy", *why, *second))["keys"] == [1, 2]

    events = steps(run)
    assert [one["object"]["step"] for one in events] == [
        *["reveal"] * 4, "rotate", "reveal", "forget", "reveal", "destroy",
    ]  # fmt: skip
    revealed = [one["object"]["tokens"][0] for one in events if "tokens" in one["object"]]
    assert [one["outcome"] for one in revealed] == [
        "given", "denied", "denied", "nothing", "given", "nothing",
    ]  # fmt: skip
    everywhere = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in everywhere if VALUE.encode() in path.read_bytes().lower()] == []
    assert run(None, "audit", "verify").exit_code == 0


def test_pseudonyms_of_one_compartment_end_by_command(home: Path, run: Run) -> None:
    text = home.parent / "text.txt"
    text.write_text(f"Write to {VALUE}.")

    def scrubbed(compartment: str) -> str:
        out = home.parent / "clean.txt"
        wanted = ("--mode", "pseudonym", "--compartment", compartment, "--kinds", "email")
        done = run(None, "pii", "scrub", str(text), "--out", str(out), *wanted)
        assert done.exit_code == 0, done.exception
        return out.read_text()

    buy, sell = scrubbed("buy"), scrubbed("sell")
    assert (scrubbed("buy"), scrubbed("sell")) == (buy, sell)
    assert buy != sell
    end = ("pii", "vault", "destroy", "buy", "--pseudonyms", "--reason", "contract ended", "--json")
    alone = run("cleo", *end, "--second", str(home.parent / "cleo"))
    assert isinstance(alone.exception, Refused)
    assert scrubbed("buy") == buy

    assert told(run("cleo", *end, "--second", str(home.parent / "omar")))["keys"] == [1]

    assert scrubbed("sell") == sell
    assert scrubbed("buy") != buy
    assert [one["object"]["step"] for one in steps(run)] == ["sever"]
