"""Compartments in buckets of a real S3 server: the guard's answers, and what happens without a
credential, with a wrong one, and when the server goes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from halocline_governance import tables
from halocline_governance.errors import (
    Denied,
    HaloclineError,
    LeaseHeld,
    Refused,
    StorageUnavailable,
)
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy import Engine, open_engine
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from tests.system.object_storage.conftest import Server, Servers

pytestmark = pytest.mark.system

TABLE = "curated.documents"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = open_engine("embedded", None, {"restricted_issuers": []})
    yield engine
    engine.close()


@pytest.fixture
def gates(engine: Engine, tmp_path: Path) -> Iterator[Gates]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield Gates(engine, journal)


@pytest.fixture(scope="session")
def written(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Both sides have rows of two labels each."""
    lake = server.lake(tmp_path_factory.mktemp("writer"), "buy", "sell")
    put(lake, "internal sides=buy", range(0, 3))
    put(lake, "restricted sides=buy", range(10, 12))
    put(lake, "internal sides=sell", range(20, 24))
    put(lake, "restricted sides=sell", range(30, 31))
    return server


def put(lake: Lake, compact: str, numbers: range, num_chars: int = 20) -> None:
    """Rows written the way trusted writers write them."""
    label = parse_compact(compact)
    label_id = lake.intern(label)
    rng = random.Random(numbers.start)
    rows = [
        {
            "row_uid": number,
            "label_id": label_id,
            "source": "test",
            "licence": "MIT",
            "language": "en",
            "content_sha256": f"{number:064x}",
            "subject_keys": ["s1"],
            "num_pii": 0,
            "text": f"secret of {label.compartment} {rng.randbytes(num_chars).hex()}",
            "recipe": "r",
            "run_id": "t",
        }
        for number in numbers
    ]
    data = pa.Table.from_pylist(rows, schema=tables.table(TABLE).arrow())
    with lake.lease(label.compartment, TABLE) as place:
        write_deltalake(place.uri, data, mode="append", storage_options=dict(place.storage_options))


def uids(guard: Guard, clearance: str) -> set[int]:
    who = Principal("ana", ("analyst",), parse_compact(clearance))
    try:
        plan = guard.plan(who, Purpose.ANALYSIS, TABLE)
    except Denied:
        return set()
    return set(guard.table(plan)["row_uid"].to_pylist())


def test_the_guard_reads_both_sides_as_the_policy_says(
    written: Server, gates: Gates, tmp_path: Path
) -> None:
    guard = Guard(written.lake(tmp_path / "home", "buy", "sell"), gates)

    assert uids(guard, "internal sides=buy") == {0, 1, 2}
    assert uids(guard, "restricted sides=buy") == {0, 1, 2, 10, 11}
    assert uids(guard, "internal sides=sell") == {20, 21, 22, 23}
    assert uids(guard, "restricted sides=buy,sell") == {0, 1, 2, 10, 11, *range(20, 24), 30}
    assert uids(guard, "restricted") == set()


def test_without_its_credential_a_compartment_does_not_exist(
    written: Server, gates: Gates, tmp_path: Path
) -> None:
    lake = written.lake(tmp_path / "home", "sell")

    assert lake.compartments() == lake.holding(TABLE) == ["sell"]
    assert not lake.exists("buy", TABLE)
    assert lake.version("buy", TABLE) is None
    assert lake.labels("buy") == {}
    assert uids(Guard(lake, gates), "restricted sides=buy,sell") == {20, 21, 22, 23, 30}
    who = Principal("ana", ("analyst",), parse_compact("restricted sides=buy"))
    with pytest.raises(Denied):
        Guard(lake, gates).plan(who, Purpose.ANALYSIS, f"buy:{TABLE}")
    with pytest.raises(Refused), lake.lease("buy", TABLE):
        pass
    with pytest.raises(Refused):
        lake.intern(Label("internal", ("buy",)))


@pytest.mark.parametrize("key", ["sellkey", "buykey", "nobody"])
def test_a_wrong_credential_is_told_and_gives_no_rows(
    written: Server, gates: Gates, tmp_path: Path, key: str
) -> None:
    lake = written.lake(tmp_path / "home", "buy", "sell")
    secret = written.keys["sell"][1]
    (tmp_path / "home/buy.credential").write_text(
        f"access_key_id: {key}\nsecret_access_key: {secret}\n"
    )

    for act in (
        lambda: lake.exists("buy", TABLE),
        lambda: lake.labels("buy"),
        lambda: lake.intern(Label("internal", ("buy",))),
    ):
        with pytest.raises(StorageUnavailable, match="refuses"):
            act()
    with pytest.raises((HaloclineError, OSError)) as told:
        uids(Guard(lake, gates), "restricted sides=buy,sell")
    assert secret not in str(told.value)
    place = lake.location("buy", TABLE)
    with pytest.raises(StorageUnavailable, match="refuses") as short, place.reached():
        DeltaTable(place.uri, storage_options=dict(place.storage_options))
    assert key not in str(short.value)
    assert short.value.__cause__ is None


def test_a_revoked_credential_ends_reads(servers: Servers, gates: Gates, tmp_path: Path) -> None:
    server = servers.fresh()
    lake = server.lake(tmp_path / "home", "sell")
    put(lake, "internal sides=sell", range(5))
    guard = Guard(lake, gates)
    assert uids(guard, "internal sides=sell") == set(range(5))

    server.revoke("sell")

    with pytest.raises((HaloclineError, OSError)):
        uids(guard, "internal sides=sell")
    with pytest.raises(StorageUnavailable, match="refuses"):
        lake.labels("sell")


def test_a_server_that_goes_while_rows_are_read_gives_an_error_and_no_end(
    servers: Servers, gates: Gates, tmp_path: Path
) -> None:
    server = servers.fresh()
    lake = server.lake(tmp_path / "home", "sell")
    for start in range(0, 24_000, 1_000):
        put(lake, "internal sides=sell", range(start, start + 1_000), num_chars=1_000)
    guard = Guard(lake, gates)
    who = Principal("ana", ("analyst",), parse_compact("internal sides=sell"))
    reader = guard.reader(guard.plan(who, Purpose.ANALYSIS, TABLE))
    sizes = [reader.read_next_batch().num_rows]

    server.kill()

    # Neither a shorter table nor an end that looks like one.
    with pytest.raises((HaloclineError, OSError, pa.ArrowException)):
        sizes.extend(batch.num_rows for batch in reader)
    assert 0 < sum(sizes) < 24_000
    place = lake.location("sell", TABLE)
    with pytest.raises(StorageUnavailable, match="failed"), place.reached():
        DeltaTable(place.uri, storage_options=dict(place.storage_options))


def test_labels_are_seen_at_once_and_believed_only_when_they_are_their_names(
    written: Server, tmp_path: Path
) -> None:
    lake, other = (written.lake(tmp_path / name, "sell") for name in ("one", "two"))
    new, bad = (Label("internal", ("sell",), issuers=(name,)) for name in ("new", "bad"))
    assert lake.intern(new) == lake.intern(new)
    assert other.labels("sell")[new.label_id] == new
    user = written.user("sell")
    done = user.ask("PUT", f"/{user.bucket}/lake/_labels/{bad.label_id}", content=b"{}")
    assert done.status == 200

    assert bad.label_id not in other.labels("sell")
    user.ask("DELETE", f"/{user.bucket}/lake/_labels/{new.label_id}")
    assert new.label_id not in other.labels("sell")


def test_many_writers_on_many_machines_exclude_each_other(written: Server, tmp_path: Path) -> None:
    lakes = [written.lake(tmp_path / f"machine-{number}", "buy") for number in range(8)]
    inside: list[int] = []
    most: list[int] = []
    won: list[int] = []

    def write(number: int) -> None:
        for _ in range(20):
            with suppress(LeaseHeld), lakes[number].lease("buy", "raw.documents"):
                inside.append(number)
                most.append(len(inside))
                won.append(number)
                inside.remove(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won
    assert max(most) == 1
    with lakes[0].lease("buy", "raw.documents"):
        pass


def test_a_lease_is_taken_over_when_it_has_ended_and_not_before(
    written: Server, tmp_path: Path
) -> None:
    lake, user = written.lake(tmp_path / "home", "buy"), written.user("buy")
    path = f"/{user.bucket}/lake/_leases/raw.documents"

    def leave(content: bytes) -> None:
        assert user.ask("PUT", path, content=content).status == 200

    for left in (b'{"holder": "x", "ends": 99999999999}', b"", b"{}", b'{"ends": null}', b"[]"):
        leave(left)
        with pytest.raises(LeaseHeld), lake.lease("buy", "raw.documents"):
            pass
    leave(b'{"holder": "died", "ends": 1700000000}')
    with lake.lease("buy", "raw.documents"):
        pass


def test_whose_lease_was_taken_over_is_told(written: Server, tmp_path: Path) -> None:
    lake, user = written.lake(tmp_path / "home", "buy"), written.user("buy")
    path = f"/{user.bucket}/lake/_leases/raw.documents"

    with pytest.raises(LeaseHeld, match="taken over"), lake.lease("buy", "raw.documents"):
        user.ask("PUT", path, content=b'{"holder": "another", "ends": 1}')


def test_two_delta_writers_without_a_lease_cannot_both_commit_one_version(
    written: Server, tmp_path: Path
) -> None:
    """The lease is the rule; the conditional put is what holds when somebody slept through it."""
    lake = written.lake(tmp_path / "home", "buy")
    with lake.lease("buy", "curation.decisions") as place:
        uri, options = place.uri, dict(place.storage_options)
        write_deltalake(uri, pa.table({"n": [0]}), storage_options=options)
    failed: list[str] = []

    def append(number: int) -> None:
        try:
            data = pa.table({"n": [number]})
            write_deltalake(uri, data, mode="append", storage_options=options)
        except (OSError, DeltaError) as error:
            failed.append(type(error).__name__)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    table = DeltaTable(uri, storage_options=options)
    rows = table.to_pyarrow_table()["n"].to_pylist()
    assert len(rows) == len(set(rows)) == 9 - len(failed) == table.version() + 1


# One S3 server will do for Spark: it takes half a minute.
@pytest.mark.spark
@pytest.mark.parametrize("servers", ["weed"], indirect=True)
def test_spark_reads_and_writes_by_the_reader_s_own_credential(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.fresh()
    server.lake(tmp_path / "sell", "sell")
    lake = server.lake(tmp_path / "both", "buy", "sell")
    put(lake, "restricted sides=buy", range(10, 12))
    put(lake, "internal sides=sell", range(20, 24))
    put(lake, "restricted sides=sell", range(30, 31))
    script = Path(__file__).with_name("spark_job.py")
    jars = Path(sys.prefix) / "jars"
    done = subprocess.run(
        [sys.executable, script, jars, tmp_path / "both", tmp_path / "sell", tmp_path],
        stdout=subprocess.PIPE,
        check=True,
        timeout=240,
    )

    sell = [20, 21, 22, 23, 1020, 1021, 1022, 1023]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "internal sides=sell": sell,
        "restricted sides=buy,sell": sorted([10, 11, *sell, 30, 1030]),
        "stolen": [],
    }
