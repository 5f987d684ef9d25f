"""Every command once, in one small home: a command without a case here fails the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.main import get_command
from typer.testing import CliRunner

from halocline_governance import tables
from halocline_governance.errors import HaloclineError
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake
from halocline_infra.cli import app

# In the order in which they run: what one makes, a later one uses. `words` fills in {names}.
IN_PROCESS: tuple[tuple[str, int], ...] = (
    ("token issue --sub cleo --role compliance --label restricted --to {folder}/new.jwt", 0),
    ("token show", 0),
    ("directory add ana --role analyst --label public", 0),
    ("directory disable ana", 0),
    ("directory enable ana", 0),
    ("directory show ana", 0),
    ("directory list", 0),
    ("directory remove ana", 0),
    ("firm show", 0),
    ("firm restrict initech", 0),
    ("firm lift initech", 0),
    ("firm compete acme globex", 0),
    ("firm part acme globex", 0),
    ("firm withdraw old-tickets", 0),
    ("firm readmit old-tickets", 0),
    ("cross request --id c-one --purpose analysis --subject ana --side sell --expires +8h"
     " --reason {reason} --token {bea}", 0),
    ("cross approve c-one", 0),
    ("cross approve c-one --token {ada}", 0),
    ("cross list", 0),
    ("cross show c-one", 0),
    ("cross report --from 2001-01-01 --to 9999-12-30", 0),
    ("cross revoke c-one", 0),
    ("lake list", 0),
    ("lake describe curated.documents", 0),
    ("lake sample curated.documents -n 1 --token {bea}", 0),
    ("lake read curated.documents --limit 1 --token {bea}", 0),
    ("lake export curated.documents --to {folder}/mine.jsonl --token {bea}", 0),
    ("model list", 0),
    ("model requests", 0),
    ("model approve p1a2b3c4 --evidence 9f8e", 1),
    ("model promote p1a2b3c4", 1),
    ("model reconcile", 0),
    ("monitor run buy --start 2026-11-21T00:00:00Z --end 2026-11-22T00:00:00Z --token {svc}", 1),
    ("checks show", 0),
    ("checks fingerprint buy --token {svc}", 0),
    ("train recipes", 0),
    ("policy list", 0),
    ("policy decide read --input {question}", 1),
    ("policy test", 0),
    ("policy lint", 0),
    ("policy coverage", 0),
    ("policy new export {folder}/new", 0),
    ("policy build --to {folder}/b.tar.gz", 0),
    ("policy verify {folder}/b.tar.gz", 0),
    ("policy explain {decision}", 0),
    ("policy diff current current", 0),
    ("erase source s --reason a-test", 0),
    ("erase source s --reason a-test --yes", 0),
    ("erase withdraw {order} --token {omar}", 0),
    ("erase source s --reason a-test --yes", 0),
    ("erase subject subject:v1:abcdefgh234567ij --reason a-test", 1),
    ("erase output req-1 --reason a-test", 1),
    ("erase find --value-from {question}", 0),
    ("erase list", 0),
    ("erase run e-0123456789", 1),
    ("erase approve {order} --token {omar}", 0),
    ("erase certificate {order} --to {folder}/certificate.json", 0),
    ("audit tail", 0),
    ("audit show {decision}", 0),
    ("audit search --gate read -n 3", 0),
    ("audit prove {decision} --out {folder}/proof.json", 0),
    ("audit check {folder}/proof.json", 0),
    ("audit export --from 2001-01-01 --to 9999-12-30 --out {folder}/handed", 0),
    ("audit project", 0),
    ("audit witness {home}/journal --to {folder}/witness --create"
        " --key {home}/keys/journal.pub", 0),
    ("audit rotate-key", 0),
    ("audit report 0197f3c2-0000-7000-8000-000000000000", 1),
    ("audit verify", 0),
    ("report build --period last-30d --duty mar --out {folder}/reports", 0),
    ("report verify {question}", 1),
    ("lineage trace source:s", 0),
    ("lineage trace 1", 1),
    ("lineage impact source:s", 0),
    ("lineage check", 0),
    ("lineage export --openlineage {folder}/events", 0),
    ("lineage index", 0),
    ("pii scan {folder}/memos --kinds structured", 3),  # halocline.yaml is of no known form
    ("pii scrub {folder}/memos/0.txt --out {folder}/clean.txt --mode reversible"
     " --compartment buy --kinds structured", 0),
    ("pii kinds", 0),
    ("pii reveal <email:r1:abcdefghijklmnopqrstuvwxyz> --reason a-test", 1),
    ("pii vault list", 0),
    ("pii vault rotate buy --reason a-test", 0),
    ("pii vault forget buy --value-from {question} --reason a-test --second {omar}", 0),
    ("pii vault destroy buy --reason a-test --second {omar}", 0),
    ("pii vault destroy buy --pseudonyms --reason a-test --second {omar}", 0),
    ("detect {folder}/memos --kinds pii", 3),
)  # fmt: skip
ON_SPARK = ("curate ingest {folder}/memos --token {svc}", "curate run buy --token {svc}")
# Only their --help is shown here.
TOLD_ONLY: Mapping[str, str] = {
    "demo": "takes minutes; tests/infra/test_demo.py runs it",
    "train run": "takes minutes; the demo runs it",
    "serve run": "needs a model, and waits for callers; the demo runs it",
    "train detector": "takes minutes; the recipes' tests run them",
    "lake serve": "waits for callers; tests/infra/test_lake_commands.py runs it",
}
PEOPLE = {
    "cleo": ("compliance", "restricted sides=buy,sell"),
    "omar": ("compliance", "restricted sides=buy,sell"),
    "ada": ("approver", "restricted sides=buy,sell"),
    "bea": ("banker", "confidential sides=buy"),
    "svc": ("service", "restricted sides=buy"),
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home with a document on the buy side, tokens of PEOPLE, and cleo as the caller."""
    folder = tmp_path_factory.mktemp("installation")
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    env = {**kept, "HALOCLINE_HOME": str(folder / "home"), "HALOCLINE_POLICY": "embedded"}
    for name, (role, label) in PEOPLE.items():
        issue = ["token", "issue", "--sub", name, "--role", role, "--label", label]
        done = CliRunner().invoke(app, issue, env=env)
        assert done.exit_code == 0, done.output
        (folder / name).write_text(done.stdout)
    lake, label = Lake(folder / "home" / "lake"), parse_compact("confidential sides=buy")
    row: dict[str, object] = {
        "source": "s", "licence": "MIT", "language": "en", "subject_keys": [], "num_pii": 0,
        "content_sha256": "0" * 64, "recipe": "r", "run_id": "t", "row_uid": 1, "text": "one",
        "label_id": lake.intern(label),
    }  # fmt: skip
    with lake.lease(label.compartment, "curated.documents") as place:
        schema = tables.table("curated.documents").arrow()
        write_deltalake(place.uri, pa.Table.from_pylist([row], schema=schema))
    asked = {"principal": {}, "purpose": "inference", "resource": {}, "context": {"now": 1}}
    (folder / "question").write_text(json.dumps(asked))
    (folder / "memos").mkdir()
    for number in range(2):
        (folder / "memos" / f"{number}.txt").write_text(f"The plant in the north, part {number}.")
    (folder / "memos" / "halocline.yaml").write_text(
        "source: memos\nlicence: LicenseRef-Internal\nlabel: confidential sides=buy\n"
    )
    return {**env, "HALOCLINE_TOKEN": (folder / "cleo").read_text().strip()}


def run(environment: dict[str, str], arguments: list[str]) -> tuple[int, str]:
    """Exit code and output; whatever is no deliberate error is raised on."""
    done = CliRunner().invoke(app, arguments, env=environment)
    if isinstance(done.exception, HaloclineError):
        return 1, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def words(environment: dict[str, str], case: str) -> list[str]:
    folder = Path(environment["HALOCLINE_HOME"]).parent
    names: dict[str, object] = {
        "folder": folder,
        "home": environment["HALOCLINE_HOME"],
        **{name: folder / name for name in (*PEOPLE, "question")},
    }
    names["reason"] = "fairness-opinion-for-the-merger"
    if "{decision}" in case:
        code, out = run(environment, ["audit", "tail", "--kind", "decision", "--json"])
        assert code == 0
        names["decision"] = json.loads(out)[-1]["event"]["object"]["answer"]["id"]
    if "{order}" in case:
        code, out = run(environment, ["erase", "list", "--json"])
        assert code == 0
        names["order"] = json.loads(out)[-1]["id"]
    return [word.format_map(names) for word in case.split()]


def test_every_command_runs(environment: dict[str, str]) -> None:
    told = dict[str, str]()
    for case, code in IN_PROCESS:
        found, told[case] = run(environment, words(environment, case))
        assert found == code, (case, told[case])
        assert told[case].strip(), case
    assert json.loads(told["lake read curated.documents --limit 1 --token {bea}"])["text"] == "one"


@pytest.mark.spark
def test_every_command_that_needs_spark_runs(environment: dict[str, str]) -> None:
    # A process of their own: they stop the session, which other tests here may share.
    code = (
        "import json, sys; from halocline_infra.cli import app\n"
        "for case in json.load(sys.stdin): app(case, standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        input=json.dumps([words(environment, case) for case in ON_SPARK]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Ingest" in done.stdout
    assert "Curated buy" in done.stdout


@pytest.mark.parametrize("command", TOLD_ONLY)
def test_what_is_not_run_here_tells_of_itself(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"])
    assert done.exit_code == 0
    assert command in done.output


def test_no_command_is_without_a_case() -> None:
    cases = [case for case, _ in IN_PROCESS] + [*ON_SPARK]
    known = {" ".join(path) for path in _leaves(get_command(app), ())}
    run_here = {name for name in known for case in cases if f"{case} ".startswith(f"{name} ")}
    assert run_here | set(TOLD_ONLY) == known
    assert not run_here & set(TOLD_ONLY)


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path
        return
    for name, one in below.items():
        yield from _leaves(one, (*path, name))
