"""`halocline firm`: what compliance restricts counts at once, in processes that run already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake
from tests.infra.command import in_text, run

COMMAND = Path(sys.prefix) / "bin" / "halocline"
TABLE = "curation.signals"


class Home:
    """A home with rows about two issuers, an officer and an analyst."""

    def __init__(self, folder: Path, engine: str) -> None:
        plain = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
        where = {"HALOCLINE_HOME": str(folder / "var"), "HALOCLINE_POLICY": engine}
        self.variables: Mapping[str, str] = {**plain, **where}
        self.folder = folder
        self.officer = self._token("cleo", "compliance", "internal")
        self.analyst = self._token("bea", "analyst", "confidential sides=buy")
        self._fill(Lake(folder / "var" / "lake"))

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return in_text(run(words, {**self.variables, **more}))

    def officers(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("firm", *words, "--token", self.officer, "--json")

    def _token(self, subject: str, role: str, label: str) -> str:
        words = ("token", "issue", "--sub", subject, "--role", role, "--label", label)
        file = self.folder / f"{subject}.jwt"
        file.write_text(self.run(*words).stdout)
        return str(file)

    def _fill(self, lake: Lake) -> None:
        rows: list[dict[str, object]] = []
        for number, issuer in enumerate(("acme", "globex")):
            label = parse_compact(f"confidential sides=buy issuers={issuer}")
            words = {"rule": issuer, "recipe": "r", "run_id": "t"}
            uid = {"row_uid": number, "label_id": lake.intern(label), "value": 1.0}
            rows.append({**words, **uid})
        schema = tables.table(TABLE).arrow()
        with lake.lease("buy", TABLE) as place:
            write_deltalake(place.uri, pa.Table.from_pylist(rows, schema=schema))


@pytest.fixture(params=["embedded", "opa"])
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    return Home(tmp_path, request.param)


@pytest.fixture
def server(home: Home) -> Iterator[str]:
    with subprocess.Popen(
        [COMMAND, "lake", "serve", "--port", "0"],
        env=home.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout
        yield child.stdout.readline().removeprefix("guard at ").strip()
        child.send_signal(signal.SIGINT)
        child.wait(30)


def read(home: Home, server: str) -> list[str]:
    """The issuers whose rows the analyst gets from the running server."""
    words = ("lake", "read", f"buy:{TABLE}", "--token", home.analyst)
    done = home.run(*words, HALOCLINE_GUARD=server)
    assert done.returncode == 0 or "denied" in done.stderr, done.stderr
    return sorted(json.loads(line)["rule"] for line in done.stdout.splitlines())


def test_a_restriction_counts_at_once_in_a_running_server(home: Home, server: str) -> None:
    assert read(home, server) == ["acme", "globex"]
    assert json.loads(home.officers("restrict", "acme").stdout)["restricted_issuers"] == ["acme"]
    assert read(home, server) == ["globex"]
    assert home.officers("restrict", "globex").returncode == 0
    assert read(home, server) == []
    assert home.officers("lift", "acme", "globex").returncode == 0
    assert read(home, server) == ["acme", "globex"]


def test_facts_that_cannot_be_read_deny_in_a_running_server(home: Home, server: str) -> None:
    assert read(home, server) == ["acme", "globex"]
    facts = home.folder / "var" / "policy" / "firm.json"
    kept = facts.read_bytes()
    facts.unlink()
    words = ("lake", "read", f"buy:{TABLE}", "--token", home.analyst)
    done = home.run(*words, HALOCLINE_GUARD=server)
    assert (done.returncode, done.stdout) == (1, "")
    facts.write_bytes(kept)
    assert read(home, server) == ["acme", "globex"]


def test_competitors_and_refusals(tmp_path: Path) -> None:
    home = Home(tmp_path, "embedded")
    told = json.loads(home.officers("compete", "globex", "acme").stdout)
    assert told["competitors"] == [["acme", "globex"]]
    assert json.loads(home.officers("show").stdout) == told
    assert json.loads(home.officers("part", "acme", "globex").stdout)["competitors"] == []
    for words, why in {
        ("part", "acme", "globex"): "do not compete",
        ("compete", "acme", "acme"): "pairs of two tenants",
        ("lift", "initech"): "not on the restricted list",
        ("restrict", "Initech"): "must match",
    }.items():
        done = home.officers(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert why in done.stderr
    refused = home.run("firm", "restrict", "acme", "--token", home.analyst)
    assert refused.returncode == 1
    assert "compliance" in refused.stderr


def test_where_a_signed_bundle_decides_one_is_asked_first(tmp_path: Path) -> None:
    home = Home(tmp_path, "embedded")
    assert home.officers("restrict", "acme").returncode == 0
    bundle = str(tmp_path / "bundle.tar.gz")
    assert home.run("policy", "build", "--to", bundle).returncode == 0
    words = ("firm", "lift", "acme", "--token", home.officer, "--json")
    refused = home.run(*words, HALOCLINE_POLICY_BUNDLE=bundle)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "--yes" in refused.stderr
    shown = home.run("firm", "show", "--token", home.officer, HALOCLINE_POLICY_BUNDLE=bundle)
    assert shown.returncode == 0
    done = home.run(*words, "--yes", HALOCLINE_POLICY_BUNDLE=bundle)
    assert json.loads(done.stdout)["restricted_issuers"] == []


def test_homes_that_share_their_facts_by_a_link_go_on_sharing_them(tmp_path: Path) -> None:
    (one, other), shared = (tmp_path / "one", tmp_path / "other"), tmp_path / "firm.json"
    homes: list[Home] = []
    for folder in (one, other):
        folder.mkdir()
        home = Home(folder, "embedded")
        facts = folder / "var" / "policy" / "firm.json"
        facts.replace(shared)
        facts.symlink_to(shared)
        homes.append(home)
    assert homes[0].officers("restrict", "acme").returncode == 0
    assert json.loads(homes[1].officers("show").stdout)["restricted_issuers"] == ["acme"]


NUM_LONG = 3_000


@pytest.fixture
def long_read(tmp_path: Path) -> Home:
    """A home with 24 MB of rows about one issuer in one batch."""
    home = Home(tmp_path, "embedded")
    lake = Lake(tmp_path / "var" / "lake")
    label_id = lake.intern(parse_compact("confidential sides=buy issuers=acme"))
    words = {"rule": "r" * 8_000, "recipe": "r", "run_id": "t", "label_id": label_id, "value": 1.0}
    rows = [{**words, "row_uid": 100 + number} for number in range(NUM_LONG)]
    with lake.lease("buy", TABLE) as place:
        schema = tables.table(TABLE).arrow()
        write_deltalake(place.uri, pa.Table.from_pylist(rows, schema=schema), mode="append")
    return home


def test_a_stalled_pipe_gets_no_more_than_what_was_on_its_way(long_read: Home) -> None:
    """Without a server too: the rest of a batch is not written once its issuer is restricted."""
    words = ("lake", "read", f"buy:{TABLE}", "--token", long_read.analyst)
    with subprocess.Popen(
        [COMMAND, *words],
        env=long_read.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout
        assert len(child.stdout.read(100_000)) == 100_000
        assert long_read.officers("restrict", "acme").returncode == 0
        time.sleep(1.2)
        rest = child.stdout.read()
        assert child.wait(60) == 1
    assert len(rest) < 4_000_000
    with pytest.raises(json.JSONDecodeError):
        json.loads(rest.splitlines()[-1])


def test_an_export_that_is_asked_to_end_leaves_nothing(long_read: Home) -> None:
    folder = long_read.folder / "out"
    folder.mkdir()
    words = ("lake", "export", f"buy:{TABLE}", "--to", str(folder / "mine.jsonl"))
    with subprocess.Popen(
        [COMMAND, *words, "--token", long_read.analyst], env=long_read.variables
    ) as child:
        ends = time.monotonic() + 60
        while not list(folder.iterdir()) and time.monotonic() < ends:
            time.sleep(0.001)
        child.terminate()
        assert child.wait(60) == 128 + signal.SIGTERM
    assert list(folder.iterdir()) == []
