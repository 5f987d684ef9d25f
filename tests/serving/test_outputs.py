"""Every admitted call has exactly one row in serving.outputs, whatever is killed, and whenever."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable
from openai import DefaultHttpxClient, OpenAI

from halocline_governance import keys
from halocline_governance.errors import JournalUnavailable, LeaseHeld
from halocline_governance.identity import Issuer
from halocline_governance.journal import Journal, Signer, read, verify
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Lake
from halocline_governance.records import InferenceRecord, row_uid, timestamp, uuid7
from halocline_registry.package import Package
from halocline_serving.outputs import Outputs

BUY = Label("confidential", sides=("buy",))
OUTPUTS = "serving.outputs"


def record(label: Label = PUBLIC, **changes: Any) -> InferenceRecord:
    request_id, now = uuid7(), timestamp()
    blank = InferenceRecord(
        request_id=request_id, row_uid=row_uid(OUTPUTS, request_id), label_id=label.label_id,
        ts=now, finished_ts=now, subject="ana", endpoint="/v1/completions", model="m",
        model_version=1, weights_sha256="a" * 64, serve_decision_id="d", release_decision_id="",
        policy_revision="p", outcome="admitted", finish_reason="", prompt="Zwölf 🦊", output="",
        prompt_sha256="b" * 64, output_sha256="", released_sha256="",
        commitment_key="c" * 64, verdicts="[]",
        prompt_tokens=3, completion_tokens=0, mean_logprob=None, mean_entropy=None,
    )  # fmt: skip
    return replace(blank, **changes)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield journal


def answered(outputs: Outputs, label: Label = PUBLIC) -> InferenceRecord:
    """One whole call."""
    admission = outputs.admit(record(label), label)
    done = replace(admission.record, outcome="released", finish_reason="stop", output="yes")
    outputs.finish(admission, done)
    return done


def rows(lake: Lake, compartment: str = "public") -> list[dict[str, Any]]:
    table: Any = DeltaTable(lake.path(compartment, OUTPUTS))
    return table.to_pyarrow_table().to_pylist()


def spools(lake: Lake, compartment: str = "public") -> list[Path]:
    return sorted((lake.root / compartment / "_spool").glob("*"))


def test_a_record_comes_back_from_the_table_as_it_was(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal) as outputs:
        done = answered(outputs)
        outputs.flush()

        assert rows(lake) == [done.as_json()]


def test_texts_of_two_compartments_never_share_a_file(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal, every_s=3600) as outputs:
        answered(outputs)
        answered(outputs, BUY)

        assert len(spools(lake)) == len(spools(lake, "buy")) == 1
    assert [row["label_id"] for row in rows(lake, "buy")] == [BUY.label_id]
    assert lake.labels("buy") == {BUY.label_id: BUY}


def test_a_closed_process_leaves_no_spool(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal) as outputs:
        answered(outputs)

    assert spools(lake) == []


def test_a_spool_moved_twice_gives_its_rows_once(
    lake: Lake, journal: Journal, tmp_path: Path
) -> None:
    """A process that dies after the table's commit and before it knows of it."""
    outputs = Outputs(lake, journal, every_s=3600)
    first = [answered(outputs) for _ in range(3)]
    (spool,) = spools(lake)
    shutil.copytree(spool, tmp_path / "kept")
    outputs.close()
    shutil.copytree(tmp_path / "kept", spool)

    with Outputs(lake, journal) as again:
        second = answered(again)

    told = Counter(row["request_id"] for row in rows(lake))
    assert told == Counter(done.request_id for done in [*first, second])


def test_a_record_that_the_journal_does_not_have_is_not_moved(lake: Lake, tmp_path: Path) -> None:
    signer = Signer(Ed25519PrivateKey.generate())
    dying = Journal.open(tmp_path / "journal", signer)
    outputs = Outputs(lake, dying, every_s=3600)
    admission = outputs.admit(record(), PUBLIC)
    dying.close()
    with pytest.raises(JournalUnavailable):
        outputs.finish(admission, replace(admission.record, outcome="released"))
    outputs.close()
    assert not lake.exists("public", OUTPUTS)

    with (
        Journal.open(tmp_path / "journal", signer) as journal,
        Outputs(lake, journal),
    ):
        pass

    assert [row["outcome"] for row in rows(lake)] == ["released"]
    kinds = [event["kind"] for _, _, event in read(tmp_path / "journal")]
    assert kinds.count("admit") == kinds.count("generate") == 1


def test_without_a_journal_nothing_is_admitted(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal, every_s=3600) as outputs:
        journal.close()
        with pytest.raises(JournalUnavailable):
            outputs.admit(record(), PUBLIC)


def test_rows_wait_while_another_process_writes_the_table(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal, every_s=0.01) as outputs:
        done = answered(outputs)
        with lake.lease("public", OUTPUTS), pytest.raises(LeaseHeld):
            outputs.flush(timeout_s=0.2)
        outputs.flush()

        assert [row["request_id"] for row in rows(lake)] == [done.request_id]


def test_a_long_spool_gives_way_to_a_new_one(lake: Lake, journal: Journal) -> None:
    names: set[Path] = set()
    with Outputs(lake, journal, every_s=3600, rotate_after=4) as outputs:
        for _ in range(6):
            answered(outputs)
            outputs.flush()
            names.update(spools(lake))
            assert len(spools(lake)) <= 1

    assert len(names) == 3
    assert len(rows(lake)) == len({row["request_id"] for row in rows(lake)}) == 6


def test_an_open_call_keeps_its_spool(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal, every_s=3600, rotate_after=1) as outputs:
        admission = outputs.admit(record(), PUBLIC)
        answered(outputs)
        outputs.flush()
        assert len(spools(lake)) == 1
        outputs.finish(admission, replace(admission.record, outcome="released"))

    assert len(rows(lake)) == 2


def test_a_running_process_keeps_its_spool(lake: Lake, journal: Journal) -> None:
    with Outputs(lake, journal, every_s=3600) as first, Outputs(lake, journal) as second:
        answered(first)
        second.flush()

        assert not lake.exists("public", OUTPUTS)
    assert len(rows(lake)) == 1


@contextmanager
def serving(home: Path, package: Package) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """A server of its own, killed at the end with no warning."""
    script = Path(__file__).with_name("serving_process.py")
    process = subprocess.Popen(
        [sys.executable, script, home, package.path], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def calls(url: str, home: Path, num_whole: int) -> Iterator[str]:
    """Whole answers, then one that has begun; yields when its first part is there."""
    key = keys.ed25519(home / "keys" / "identity.key")
    with OpenAI(
        base_url=f"{url}/v1", api_key=Issuer(key).issue("ana", ["analyst"], BUY), max_retries=0,
        timeout=60, http_client=DefaultHttpxClient(trust_env=False),
    ) as client:  # fmt: skip
        ask: Any = client.completions.create
        for _ in range(num_whole):
            yield ask(model="tiny", prompt="The", max_tokens=5, temperature=0).id
        with ask(model="tiny", prompt="Q", max_tokens=240, temperature=0, stream=True) as s:
            yield next(iter(s)).id


@pytest.mark.slow
def test_a_server_killed_in_the_middle_loses_and_doubles_nothing(
    tmp_path: Path, package: Package
) -> None:
    whole: list[str] = []
    cut: list[str] = []
    for _ in range(2):
        with serving(tmp_path, package) as (url, process):
            ids = calls(url, tmp_path, num_whole=3)
            whole += [next(ids) for _ in range(3)]
            cut.append(next(ids))
            process.send_signal(signal.SIGKILL)
            process.wait()

    signer = Signer(keys.ed25519(tmp_path / "keys" / "journal.key"))
    lake = Lake(tmp_path / "lake")
    with Journal.open(tmp_path / "journal", signer) as journal, Outputs(lake, journal) as outputs:
        outputs.flush()
        told = {row["request_id"]: row["outcome"] for row in rows(lake)}
        assert len(rows(lake)) == len(told) == 8
        assert told == dict.fromkeys(whole, "released") | dict.fromkeys(cut, "aborted")
    aborted = [e["object"] for _, _, e in read(tmp_path / "journal") if e["kind"] == "abort"]
    assert sorted(event["request_id"] for event in aborted) == sorted(cut)
    assert spools(lake) == []
    assert verify(tmp_path / "journal", signer.trust).ok
