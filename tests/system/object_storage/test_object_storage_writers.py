"""Everything that writes governed tables, into compartments that lie in buckets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance import tables
from halocline_governance.errors import LeaseHeld, Refused, StorageUnavailable
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake, commit
from halocline_governance.lineage import Lineage, keyed
from halocline_governance.policy import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import InferenceRecord, row_uid, timestamp, uuid7
from halocline_governance.refs import DatasetRef, ModelRef
from halocline_monitoring.run import ALERTS, WINDOWS, Monitor
from halocline_pipelines.training import packing
from halocline_serving.outputs import Outputs

if TYPE_CHECKING:
    from tests.system.object_storage.conftest import Server, Servers

pytestmark = pytest.mark.system

BUY = Label("internal", ("buy",))
OUTPUTS = "serving.outputs"


@pytest.fixture
def server(servers: Servers) -> Server:
    """One of the test's own: what others wrote does not lie there."""
    return servers.fresh()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield journal


@pytest.fixture
def gates(journal: Journal) -> Iterator[Gates]:
    engine = open_engine("embedded", None, {"restricted_issuers": []})
    yield Gates(engine, journal)
    engine.close()


def answered(outputs: Outputs) -> str:
    request_id, now = uuid7(), timestamp()
    record = InferenceRecord(
        request_id=request_id, row_uid=row_uid(OUTPUTS, request_id), label_id=BUY.label_id,
        ts=now, finished_ts=now, subject="ana", endpoint="/v1/completions", model="m",
        model_version=1, weights_sha256="a" * 64, serve_decision_id="d", release_decision_id="",
        policy_revision="p", outcome="admitted", finish_reason="", prompt="q", output="",
        prompt_sha256="b" * 64, output_sha256="", released_sha256="",
        commitment_key="c" * 64, verdicts="[]",
        prompt_tokens=3, completion_tokens=0, mean_logprob=None, mean_entropy=None,
    )  # fmt: skip
    admission = outputs.admit(record, BUY)
    outputs.finish(admission, replace(record, outcome="released", output="a"))
    return request_id


def recorded(guard: Guard) -> Counter[str]:
    who = Principal("svc:monitor", ("service",), BUY)
    plan = guard.plan(who, Purpose.MONITORING, f"buy:{OUTPUTS}", ["request_id"])
    return Counter(guard.table(plan)["request_id"].to_pylist())


def test_outputs_are_in_the_bucket_once_whatever_is_killed_and_are_watched_there(
    server: Server, gates: Gates, journal: Journal, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    lake = server.lake(home, "buy", "sell")
    outputs = Outputs(lake, journal, every_s=3600)
    first = [answered(outputs) for _ in range(3)]
    spool = home / "lake/buy/_spool"
    shutil.copytree(spool, tmp_path / "kept")
    outputs.flush()
    outputs.close()
    # The process died after its commit and before it knew of it.
    shutil.rmtree(spool)
    shutil.copytree(tmp_path / "kept", spool)
    with Outputs(lake, journal, every_s=3600) as again:
        second = answered(again)

    guard = Guard(lake, gates)
    assert recorded(guard) == Counter([*first, second])
    assert not list((home / "lake").rglob("_delta_log"))
    service = Principal("svc:monitor", ("service",), BUY)
    monitor = Monitor(lake, guard, gates, service, [])
    day = ("2000-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z")
    for _ in range(2):
        assert monitor.window(["buy"], *day, tmp_path / "pages").num_outputs == 4
    assert len(keyed.rows(lake, "buy", WINDOWS)) == 1
    assert keyed.rows(lake, "sell", ALERTS) == []


def test_a_server_that_is_down_delays_outputs_and_loses_none(
    server: Server, gates: Gates, journal: Journal, tmp_path: Path
) -> None:
    lake = server.lake(tmp_path / "home", "buy")
    outputs = Outputs(lake, journal, every_s=3600)
    told = [answered(outputs)]
    server.kill()

    told.append(answered(outputs))
    with pytest.raises(StorageUnavailable):
        outputs.flush()
    server.start()
    outputs.flush()
    outputs.close()
    assert recorded(Guard(lake, gates)) == Counter(told)


def test_without_its_credential_nothing_is_taken_in_for_a_compartment(
    server: Server, journal: Journal, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    lake = server.lake(home, "sell")
    with Outputs(lake, journal, every_s=3600) as outputs, pytest.raises(Refused):
        answered(outputs)
    for act in (
        lambda: lake.work("buy", "staging"),
        lambda: keyed.lease(lake, "buy", WINDOWS).__enter__(),
        lambda: packing.store(lake, "buy", KEY, packing.pack({1: [2]}, 4, 0), BUY),
    ):
        with pytest.raises(Refused, match="no credential"):
            act()
    assert not (home / "lake/buy").exists()


KEY = packing.Key("d1", "t1", 4)


def test_sequences_are_packed_into_the_bucket_once(
    server: Server, gates: Gates, tmp_path: Path
) -> None:
    lake = server.lake(tmp_path / "home", "buy")
    packed = packing.pack({uid: [2, 3, 4] for uid in range(30)}, 4, 0)
    for _ in range(2):
        packing.store(lake, "buy", KEY, packed, BUY)
    with lake.lease("buy", packing.TABLE), pytest.raises(LeaseHeld):
        packing.store(lake, "buy", packing.Key("d2", "t1", 4), packed, BUY)

    assert packing.is_stored(lake, "buy", KEY)
    assert lake.version("buy", packing.TABLE) == 0
    guard, who = Guard(lake, gates), Principal("svc:train", ("service",), BUY)
    plan = guard.plan(who, Purpose.TRAINING, f"buy:{packing.TABLE}")
    found = packing.fetch(guard, plan, KEY)
    assert found.tokens.tolist() == packed.tokens.tolist()
    assert found.row_uids == packed.row_uids


@pytest.mark.parametrize("is_there", [False, True])
def test_who_slept_through_the_end_of_its_lease_writes_nothing(
    server: Server, tmp_path: Path, is_there: bool
) -> None:
    sleeper, other = (server.lake(tmp_path / name, "buy") for name in ("one", "two"))
    packed = packing.pack({uid: [2, 3, 4] for uid in range(30)}, 4, 0)
    if is_there:
        packing.store(sleeper, "buy", packing.Key("d0", "t1", 4), packed, BUY)
    user = server.user("buy")
    lease = f"/{user.bucket}/lake/_leases/{packing.TABLE}"
    rows = tables.table(packing.TABLE).arrow().empty_table()

    def slept() -> None:
        with sleeper.lease("buy", packing.TABLE) as place:
            seen = commit.seen(place)
            user.ask("PUT", lease, content=b'{"holder": "sleeper", "ends": 1}')
            packing.store(other, "buy", KEY, packed, BUY)
            with pytest.raises(LeaseHeld, match="written by another"):
                commit.append(place, seen, rows, KEY.app_id, 0)

    with pytest.raises(LeaseHeld, match="taken over"):
        slept()
    assert other.version("buy", packing.TABLE) == is_there


def test_lineage_is_kept_and_walked_in_a_bucket(server: Server, tmp_path: Path) -> None:
    home = tmp_path / "home"
    server.lake(home, "buy", "sell")
    told = json.loads((home / "lake.yaml").read_text())
    told["compartments"]["system"] = told["compartments"].pop("sell")
    (home / "lake.yaml").write_text(json.dumps(told))
    lake = Lake.at(home)
    packing.store(lake, "buy", KEY, packing.pack({1: [2], 2: [3]}, 4, 0), BUY)
    (uid, *_) = packing_uids(lake)
    ref = DatasetRef(packing.TABLE, "buy", 0, (BUY.label_id,), 2, "f", "d")
    lineage = Lineage(lake)
    for _ in range(2):
        dsv_id = lineage.add_dataset(ref, BUY)
        lineage.add_mixture("mix", "{}", [(dsv_id, 1.0)])
        lineage.add_run("run", "mix", [(dsv_id, 1.0, 2, 2)])
        lineage.add_model(ModelRef("m", 1, "w", BUY), "run")
    lineage.deploy("chat", ModelRef("m", 1, "w", BUY), "d", timestamp())

    trace = lineage.trace_row("buy", packing.TABLE, uid)
    kinds = Counter(node.kind for node in trace.nodes.values())
    along = ("row", "dataset", "mixture", "run", "model", "deployment", "endpoint")
    assert kinds == dict.fromkeys(along, 1)
    assert trace.gaps == []
    assert not list((home / "lake").rglob("_delta_log"))


def packing_uids(lake: Lake) -> list[int]:
    return [int(row["row_uid"]) for row in keyed.rows(lake, "buy", packing.TABLE)]


# One S3 server will do for Spark: it takes a minute.
@pytest.mark.spark
@pytest.mark.parametrize("servers", ["weed"], indirect=True)
def test_what_is_ingested_and_curated_into_a_bucket_is_read_from_it_by_who_may(
    server: Server, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    server.lake(home, "buy")
    script = Path(__file__).with_name("pipeline_job.py")
    done = subprocess.run(
        [sys.executable, script, Path(sys.prefix) / "jars", home, tmp_path],
        stdout=subprocess.PIPE,
        check=True,
        timeout=400,
    )
    told = json.loads(done.stdout.splitlines()[-1])

    raw, ledger, curated = (
        told["rows"][name] for name in ("raw.documents", "curation.decisions", "curated.documents")
    )
    assert told["run-1"]["accepted"] == {"buy": told["documents"]}
    assert told["run-2"] == {"accepted": {"buy": 0}, "kept": 0}
    assert len(raw) == len(set(raw)) == told["documents"]
    assert ledger == raw
    assert 0 < len(curated) == told["run-1"]["kept"] < len(raw)
    assert set(told["rows"]["curation.signals"]) == set(raw)
    assert told["spark"] == curated
    assert told["restricted"] == told["restricted sides=sell"] == []
    assert told["left here"] == []
