"""`halocline report`, as officers and those they hand a report to use it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner, Result

from halocline_governance import tables
from halocline_governance.errors import Refused
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake
from halocline_governance.report.period import parse
from halocline_infra.cli import app

PEOPLE = {
    "cleo": ("compliance", "restricted sides=buy"),
    "bea": ("banker", "confidential sides=buy"),
}
CURATED = "curated.documents"


@dataclass
class Desk:
    """A home with one curated row, and the tokens of PEOPLE."""

    folder: Path
    env: dict[str, str]

    def run(self, *words: str, who: str = "cleo") -> Result:
        env = {**self.env, "HALOCLINE_TOKEN": self.env[who]}
        return CliRunner().invoke(app, list(words), env=env)

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("reports")
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    env = {**kept, "HALOCLINE_HOME": str(folder / "home"), "HALOCLINE_POLICY": "embedded"}
    for name, (role, label) in PEOPLE.items():
        issue = ["token", "issue", "--sub", name, "--role", role, "--label", label]
        env[name] = CliRunner().invoke(app, issue, env=env).stdout.strip()
    lake, label = Lake(folder / "home" / "lake"), parse_compact("confidential sides=buy")
    row: dict[str, object] = {
        "source": "memos", "licence": "MIT", "language": "en", "subject_keys": [], "num_pii": 2,
        "content_sha256": "0" * 64, "recipe": "r", "run_id": "t", "row_uid": 1, "text": "one",
        "label_id": lake.intern(label),
    }  # fmt: skip
    with lake.lease("buy", CURATED) as place:
        schema = tables.table(CURATED).arrow()
        write_deltalake(place.uri, pa.Table.from_pylist([row], schema=schema))
    return Desk(folder, env)


def test_a_report_is_built_verified_and_built_again(desk: Desk, tmp_path: Path) -> None:
    (desk.folder / "home" / "reports").mkdir(mode=0o755, exist_ok=True)
    year = str(date.today().year)
    paths = desk.json("report", "build", "--period", year, "--duty", "ai-act")
    files = ["--html", paths["html"], "--pdf", paths["pdf"]]
    key = desk.folder / "home" / "keys" / "journal.pub"
    journal = str(desk.folder / "home" / "journal")

    alone = desk.json("report", "verify", paths["json"], "--key", str(key), *files)
    whole = desk.json("report", "verify", paths["json"], *files, "--journal", journal, "--lake")
    again = desk.json("report", "build", "--pin", paths["json"], "--out", str(tmp_path))

    assert (alone["ok"], len(alone["not_checked"])) == (True, 2)
    assert (whole["ok"], whole["not_checked"]) == (True, [])
    reports = Path(paths["json"]).parent
    assert reports == desk.folder / "home" / "reports"
    assert reports.stat().st_mode & 0o777 == 0o700
    for kind in ("html", "pdf", "json"):
        assert Path(again[kind]).read_bytes() == Path(paths[kind]).read_bytes()


def test_a_changed_report_fails(desk: Desk, tmp_path: Path) -> None:
    paths = desk.json("report", "build", "--period", "last-30d", "--duty", "mar")
    changed = tmp_path / "changed.json"
    changed.write_bytes(Path(paths["json"]).read_bytes().replace(b'"memos"', b'"lemon"'))

    done = desk.run("report", "verify", str(changed))

    assert done.exit_code == 1
    assert "not checked: the PDF file: give it with --pdf" in done.stdout
    assert "FAILED" in done.stdout
    again = desk.run("report", "verify", str(changed), "--journal", str(desk.folder))
    assert "the journal was given and not looked at" in again.stdout
    assert "--journal DIR" not in again.stdout
    none = str(tmp_path / "none")
    third = desk.run("report", "verify", paths["json"], "--journal", none, "--lake")
    assert third.exit_code == 1
    assert "the lake was given and not looked at" in third.stdout
    assert done.stdout.endswith("NOT verified\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("build",), "give --period"),
        (("build", "--period", "soon"), "is no period"),
        (("build", "--period", "2026", "--duty", "gdpr"), "there are: ai-act"),
        (("build", "--period", "2026", "--pin", "x.json"), "give --period, or"),
        (("build", "--pin", "none.json"), "cannot be read"),
        (("build", "--pin", "none.json", "--duty", "mar"), "leave --duty out"),
        (("verify", "none.json"), "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, words: tuple[str, ...], says: str) -> None:
    done = desk.run("report", *words)

    assert isinstance(done.exception, Refused)
    assert says in str(done.exception)


def test_an_earlier_report_of_an_output_must_be_one(desk: Desk, tmp_path: Path) -> None:
    given = tmp_path / "earlier.json"
    for text, says in (("", "cannot be read"), ("{}", "no report about one output")):
        if text:
            given.write_text(text)
        done = desk.run("audit", "report", "req-1", "--pin", str(given))
        assert isinstance(done.exception, Refused)
        assert says in str(done.exception)


def test_an_analyst_gets_none(desk: Desk, tmp_path: Path) -> None:
    build = ("report", "build", "--period", "2026", "--out", str(tmp_path / "none"))

    assert desk.run(*build, who="bea").exit_code != 0
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-Q4", "2026-10-01", "2027-01-01"),
        ("2028-Q1", "2028-01-01", "2028-04-01"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-11-01..2026-11-30", "2026-11-01", "2026-12-01"),
        ("2026-11-05", "2026-11-05", "2026-11-06"),
        ("last-30d", "2026-10-23", "2026-11-22"),
        ("last-1d", "2026-11-21", "2026-11-22"),
    ],
)
def test_periods(text: str, start: str, end: str) -> None:
    found = parse(text, date(2026, 11, 21))

    assert (found.start, found.end) == (f"{start}T00:00:00.000000Z", f"{end}T00:00:00.000000Z")


@pytest.mark.parametrize(
    "text",
    ["", "2026-13", "2026-Q5", "2026-11-31", "last-0d", "2026-11-30..2026-11-01", "..", "9999-12",
     "2026-11-01..", "٢٠٢٦"],
)  # fmt: skip
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, date(2026, 11, 21))
