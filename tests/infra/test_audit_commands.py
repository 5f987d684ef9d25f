"""`halocline audit` in one home, in this process: what an officer and a regulator do with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from halocline_governance.errors import HaloclineError
from halocline_governance.journal import read
from halocline_governance.lake import Lake
from halocline_infra.cli import app

KEPT = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}


class Office:
    """A home with an officer's token, and one of somebody who may not."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.env = {**KEPT, "HALOCLINE_HOME": str(self.home), "HALOCLINE_POLICY": "embedded"}
        for name, role in (("cleo", "compliance"), ("ana", "analyst")):
            words = f"token issue --sub {name} --role {role} --label restricted"
            (folder / name).write_text(self.run(words)[1])
        self.env["HALOCLINE_TOKEN"] = (folder / "cleo").read_text().strip()

    def run(self, words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, words.format(here=self.folder).split(), env=self.env)
        if isinstance(done.exception, HaloclineError):
            return 1, str(done.exception)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    def told(self, words: str) -> Any:
        code, text = self.run(f"{words} --json")
        assert code == 0, text
        return json.loads(text)

    def lines(self, words: str) -> list[Any]:
        code, text = self.run(f"{words} --json")
        assert code == 0, text
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    found = Office(tmp_path_factory.mktemp("office"))
    assert found.run("audit tail --token {here}/ana")[0] == 1
    assert found.run("firm restrict initech")[0] == 0
    return found


def test_search_finds_the_denial_and_says_each_on_a_line(office: Office) -> None:
    found = office.lines("audit search --gate read --denied --subject ana")[-1]
    assert found["event"]["object"]["answer"]["allow"] is False
    assert found in office.told("audit tail --kind decision -n 1000")
    shown = office.told(f"audit show {found['log']}/{found['seq']}")
    assert shown["event_id"] == found["event"]["event_id"]
    assert office.run("audit search --subject nobody") == (0, "0 found\n")
    for wrong, why in (
        ("search --from yesterday", "give a day"),
        ("search --kind nonsense", "decision, directory"),
        ("tail --kind nonsense", "decision, directory"),
        ("tail --gate nonsense", "promote, read"),
        ("search --from 2026-02-02 --to 2026-02-01", "before --to"),
        ("export --from 2001-01-01 --to 9999-12-30 --kind x --out {here}/x", "decision, directory"),
        ("export --from 2001-02-02 --to 2001-02-01 --out {here}/x", "before --to"),
    ):
        code, text = office.run(f"audit {wrong}")
        assert (code, why in text) == (1, True)
    assert len(office.lines("audit search --from 2001-01-01 --to 9999-12-30 -n 3")) == 3


@pytest.mark.parametrize(
    "words",
    [
        "tail --follow", "search", "show log-0000/0", "prove log-0000/0", "project",
        "export --from 2001-01-01 --to 9999-12-30 --out {here}/never",
    ],
)  # fmt: skip
def test_who_is_no_auditor_reads_nothing(office: Office, words: str) -> None:
    code, text = office.run(f"audit {words} --token {{here}}/ana")
    assert (code, "denied" in text) == (1, True)
    assert not (office.folder / "never").exists()
    assert office.home.name not in text


def test_a_proof_holds_for_whoever_has_the_key_alone(office: Office) -> None:
    found = office.lines("audit search --gate read --denied --subject ana")[-1]
    ident = found["event"]["object"]["answer"]["id"]
    proof, key = office.folder / "proof.json", office.folder / "key"
    key.write_text((office.home / "keys" / "journal.pub").read_text())
    assert office.told(f"audit prove {ident} --out {proof}")["log"] == found["log"]
    assert office.run(f"audit prove {ident} --out {proof}")[0] == 1
    elsewhere = {**KEPT, "HALOCLINE_HOME": str(office.folder / "nowhere")}
    command = [sys.executable, "-m", "halocline_infra", "audit", "check", proof, "--key", key]
    done = subprocess.run([*command, "--json"], env=elsewhere, capture_output=True, check=False)
    assert json.loads(done.stdout)["event"] == found["event"]
    assert not (office.folder / "nowhere").exists()
    proof.write_text(proof.read_text().replace("ana", "eve"))
    assert office.run(f"audit check {proof}")[0] == 1


def test_a_log_is_proven_to_go_on_from_a_head_that_was_kept(office: Office) -> None:
    kept = office.folder / "kept"
    kept.write_text((office.home / "journal" / "log-0000" / "checkpoint").read_text())
    office.run("audit tail")
    out = office.folder / "consistency.json"
    assert office.run(f"audit prove --from {kept} --out {out}")[0] == 0
    told = office.told(f"audit check {out}")
    assert told["from_size"] < told["to_size"]
    newest = office.home / "journal" / "log-0000" / "checkpoint"
    assert office.run(f"audit prove --from {newest} --to {kept}")[0] == 1
    assert office.run(f"audit verify --head {kept}")[0] == 0
    at = office.folder / "at.json"
    assert office.run(f"audit prove log-0000/1 --at {kept} --out {at}")[0] == 0
    assert office.told(f"audit check {at}")["signed_size"] == told["from_size"]
    code, text = office.run("audit prove log-0000/1 --tlog")
    assert (code, text.splitlines()[:2]) == (0, ["c2sp.org/tlog-proof@v1", "index 1"])
    for wrong, why in (
        ("prove", "name one record"),
        ("prove log-0000/1 --from x", "two different proofs"),
        (f"prove --from {out}", "not a checkpoint"),
        ("prove log-0000/1 --out {here}/no/where", "there is no folder"),
    ):
        code, text = office.run(f"audit {wrong}")
        assert (code, why in text) == (1, True)


def test_an_export_is_recorded_and_checks(office: Office) -> None:
    words = "audit export --from 2001-01-01 --to 9999-12-30 --kind decision --out {here}/out"
    told = office.told(words)
    assert office.run(words)[0] == 1
    checked = office.told("audit check {here}/out --key {here}/out/journal.pub")
    assert checked["counts"] == told["counts"] == {"decision": told["events"]}
    recorded = office.lines("audit search --kind report -n 1")[0]["event"]
    assert recorded["object"]["export"]["files"] == told["files"]
    assert recorded["subject"] == "cleo"
    assert office.told("audit check {here}/out/proofs.jsonl")["proofs"] == told["events"]
    assert office.run("audit export --from 2001-01-01 --to 9999-12-30 --out {here}/no/out")[0] == 1
    (office.folder / "out" / "README.md").write_text("All is well.")
    assert office.run("audit check {here}/out")[0] == 1


@pytest.mark.parametrize("what", ["empty", "pipe", "folder", "device", "nowhere"])
def test_what_proves_nothing_is_not_verified(office: Office, tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.write_text("")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
        for name in ("events.jsonl", "proofs.jsonl"):
            (path / name).write_text("")
    elif what == "device":
        path = Path("/dev/zero")
    for words in (f"check {path}", f"check {path} --key {path}", f"verify --head {path}"):
        code, text = office.run(f"audit {words}")
        assert (code, "erified\n" in text and "NOT" not in text) == (1, False)


def test_the_projection_has_all_that_came_before(office: Office) -> None:
    before = sum(1 for _ in read(office.home / "journal"))
    told = office.told("audit project")
    assert told["rows"] >= before
    rows: Any = Lake(office.home / "lake").location("system", "audit.events").delta()
    assert rows.to_pyarrow_table().num_rows == told["rows"]


def test_a_witness_names_the_log_that_was_set_back(office: Office) -> None:
    words = (
        f"audit witness {office.home}/journal --to {{here}}/w --key {office.home}/keys/journal.pub"
    )
    assert office.run(words)[0] == 1
    assert not (office.folder / "w").exists()
    assert "first seen" in office.run(f"{words} --create")[1]
    office.run("audit tail")
    assert "log-0000: went on from " in office.run(words)[1]
    assert "heads compared: 1\nverified" in office.run("audit verify --witness {here}/w")[1]
    kept = office.folder / "w" / "log-0007"
    kept.write_text((office.folder / "w" / "log-0000").read_text())
    code, text = office.run(words)
    assert (code, "FAILED log-0007" in text) == (1, True)
    code, text = office.run("audit verify --witness {here}/w")
    assert (code, "The journal won't verify" in text) == (1, True)
    kept.unlink()
    assert office.run(words)[0] == 0


def test_a_key_is_changed_and_the_old_one_retired(office: Office) -> None:
    old = office.folder / "old"
    old.write_text((office.home / "keys" / "journal.pub").read_text())
    kept = office.folder / "kept-before"
    kept.write_text((office.home / "journal" / "log-0000" / "checkpoint").read_text())
    told = office.told("audit rotate-key")
    assert (told["signed"], told["held"]) == (["log-0000"], [])
    assert office.run("audit verify")[0] == 0
    assert office.run(f"audit verify --key {old}")[0] == 0
    (said,) = office.lines("audit search --kind journal.key")
    assert said["event"]["object"]["key"] == told["new"]
    assert office.told("audit rotate-key --retire-old")["retired"] == [told["old"]]
    assert office.run("audit tail")[0] == 0
    assert office.run("audit verify")[0] == 0
    for words in (f"--from {kept}", f"log-0000/1 --at {kept}"):
        code, text = office.run(f"audit prove {words} --out {{here}}/void")
        assert (code, "was retired" in text) == (1, True)
        assert not (office.folder / "void").exists()
    segment = office.home / "journal" / "log-0000" / "000000000000.seg"
    whole = segment.read_bytes()
    segment.write_bytes(whole[:50] + b"#" + whole[51:])
    assert office.run("audit rotate-key")[0] == 1
    segment.write_bytes(whole)
    assert (office.home / "keys" / "journal.pub").read_text() == told["new"] + "\n"


def test_following_tells_each_event_once_as_it_is_written(office: Office) -> None:
    command = ["audit", "tail", "-f", "-n", "1", "--kind", "firm", "--json"]
    following = subprocess.Popen(
        [sys.executable, "-m", "halocline_infra", *command],
        env=office.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    try:
        first = json.loads(following.stdout.readline())
        assert first["event"]["object"]["names"] == ["initech"]
        assert office.run("firm restrict globex")[0] == 0
        found = json.loads(following.stdout.readline())
        assert found["event"]["object"]["names"] == ["globex"]
    finally:
        following.kill()
        following.communicate()


def test_a_table_keeps_times_and_places_whole_and_says_why(office: Office) -> None:
    code, text = office.run("audit search --denied --subject ana -n 1")
    found = office.lines("audit search --denied --subject ana -n 1")[0]
    assert code == 0
    assert f"{found['event']['ts'][:19]}Z" in text
    assert f"{found['log']}/{found['seq']}" in text
    reason = found["event"]["object"]["answer"]["reasons"][0]
    assert reason.split()[0] in text
    assert max(map(len, text.splitlines())) <= 80


def test_verify_says_what_is_no_journal(office: Office, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = office.home / "journal"
    for words, why in (
        (f"{tmp_path}/nowhere", "is not there"),
        (f"{tmp_path}/file", "is no folder"),
        (f"{tmp_path}", "there is no journal in"),
        (f"{journal}/log-0000", "give the folder above"),
        (f"--witness {tmp_path}", "holds no head"),
        (f"--witness {journal}", "holds no head"),
        (f"--witness {tmp_path}/nowhere", "No such file"),
    ):
        code, text = office.run(f"audit verify {words}")
        assert (code, why in text, "Change nothing" in text, "Errno" in text) == (
            1, True, False, False,
        )  # fmt: skip
    code, text = office.run(f"audit verify --head {tmp_path}/file")
    assert (code, f"FAILED head {tmp_path}/file: not a checkpoint" in text) == (1, True)


def test_what_a_killed_process_left_unsigned_is_noted(office: Office) -> None:
    code = (
        "import os; from pathlib import Path; from halocline_infra.environment import from_env;"
        "from halocline_infra.platform import Platform;"
        "from halocline_governance.records import AuditEvent, Kind;"
        "p = Platform(from_env()); j = p.journal;"
        "j.append(AuditEvent(Kind.READ, 'ana', 'audit')); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], env=office.env, check=False)
    assert office.run("audit tail")[0] == 0
    told = office.told("audit verify")
    noted = [one["records"] for one in told["adopted"]]
    assert noted[-1] >= 1
    assert (
        f"note: {told['adopted'][-1]['place']}: {noted[-1]} records"
        in office.run("audit verify")[1]
    )
