"""The guard: rows go to whoever a brute-force oracle says, and to nobody else."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Denied, Refused, TableMissing
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose

TABLE = "curated.documents"
RESTRICTED = ["initech", "umbrella"]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as opened:
        yield opened


@pytest.fixture(scope="module")
def engine() -> object:
    return open_engine("embedded", None, {"restricted_issuers": RESTRICTED})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def guard(lake: Lake, journal: Journal, engine: object) -> Guard:
    return Guard(lake, Gates(engine, journal))  # pyright: ignore[reportArgumentType]


def put(lake: Lake, label: Label, count: int, start: int = 0, compartment: str = "") -> None:
    """Rows written the way trusted writers write them."""
    where = compartment or label.compartment
    rows = [row(number, lake.intern(label, where)) for number in range(start, start + count)]
    data = pa.Table.from_pylist(rows, schema=tables.table(TABLE).arrow())
    with lake.lease(where, TABLE) as place:
        write_deltalake(place.uri, data, mode="append")


def row(number: int, label_id: str) -> dict[str, object]:
    return {
        "row_uid": number,
        "label_id": label_id,
        "source": "test",
        "licence": "MIT",
        "language": "en",
        "content_sha256": f"{number:064x}",
        "subject_keys": ["s1"],
        "num_pii": 0,
        "text": f"text {number}",
        "recipe": "r",
        "run_id": "t",
    }


def analyst(clearance: str) -> Principal:
    return Principal("ana", ("analyst",), parse_compact(clearance))


def uids(guard: Guard, who: Principal, table: str = TABLE) -> set[int]:
    try:
        plan = guard.plan(who, Purpose.ANALYSIS, table)
    except Denied:
        return set()
    return set(guard.table(plan)["row_uid"].to_pylist())


def test_each_reader_gets_its_own_rows(lake: Lake, guard: Guard) -> None:
    put(lake, Label("public"), 3)
    put(lake, parse_compact("confidential sides=buy"), 4, start=10)
    put(lake, parse_compact("restricted sides=buy"), 2, start=20)
    put(lake, parse_compact("restricted sides=sell issuers=initech"), 5, start=30)

    assert uids(guard, analyst("confidential sides=buy")) == {0, 1, 2, 10, 11, 12, 13}
    assert uids(guard, analyst("restricted sides=sell issuers=initech")) == {
        0,
        1,
        2,
        *range(30, 35),
    }
    assert uids(guard, analyst("restricted sides=sell")) == {0, 1, 2}
    assert uids(guard, analyst("public")) == {0, 1, 2}


@pytest.mark.parametrize(("count", "are_named"), [(64, True), (65, False)])
def test_the_record_of_a_grant_names_its_labels_while_they_are_few(
    lake: Lake, guard: Guard, count: int, are_named: bool
) -> None:
    ndas = tuple(sorted(f"n{number}" for number in range(count)))
    ids = sorted(lake.intern(Label("internal", ndas=(nda,))) for nda in ndas)
    rows = [row(number, label_id) for number, label_id in enumerate(ids)]
    data = pa.Table.from_pylist(rows, schema=tables.table(TABLE).arrow())
    with lake.lease("public", TABLE) as place:
        write_deltalake(place.uri, data)

    (grant,) = guard.plan(
        Principal("ana", ("analyst",), Label("internal", ndas=ndas)), Purpose.ANALYSIS, TABLE
    ).grants
    told = grant.as_json()

    assert told["num_labels"] == count
    assert told["label_ids"] == (ids if are_named else [])
    assert told["labels_sha256"] == hashlib.sha256("\n".join(ids).encode()).hexdigest()


def test_random_labels_against_an_oracle(lake: Lake, guard: Guard, seed: int) -> None:
    rng = random.Random(seed)
    levels = ["public", "internal", "confidential", "restricted"]
    written: dict[int, Label] = {}
    for number in range(25):
        side = rng.choice(["", "buy", "sell"])
        tenant = rng.choice(["", "acme"]) if side else ""
        label = Label(
            rng.choice(levels),
            (side,) if side else (),
            (tenant,) if tenant else (),
            tuple(sorted(rng.sample(["n1", "n2"], rng.randint(0, 2)))),
            tuple(sorted(rng.sample(["initech", "umbrella", "free"], rng.randint(0, 2)))),
        )
        put(lake, label, 1, start=number)
        written[number] = label
    for _ in range(15):
        clearance = Label(
            rng.choice(levels),
            tuple(sorted(rng.sample(["buy", "sell"], rng.randint(0, 2)))),
            tuple(sorted(rng.sample(["acme"], rng.randint(0, 1)))),
            tuple(sorted(rng.sample(["n1", "n2"], rng.randint(0, 2)))),
            tuple(sorted(rng.sample(["initech", "umbrella"], rng.randint(0, 2)))),
        )
        who = Principal("ana", ("analyst",), clearance)
        assert uids(guard, who) == {n for n, label in written.items() if may_see(label, clearance)}


def may_see(label: Label, clearance: Label) -> bool:
    """The architecture's sentence on access, word by word."""
    return (
        levels_of(label) <= levels_of(clearance)
        and set(label.sides) <= set(clearance.sides)
        and set(label.tenants) <= set(clearance.tenants)
        and set(label.ndas) <= set(clearance.ndas)
        and set(label.issuers) & set(RESTRICTED) <= set(clearance.issuers)
    )


def levels_of(label: Label) -> int:
    return ["public", "internal", "confidential", "restricted"].index(label.sensitivity)


def test_rows_without_a_known_label_are_never_read(lake: Lake, guard: Guard) -> None:
    put(lake, Label("public"), 2)
    by_hand = [row(90, "l" + "0" * 32), row(91, ""), row(92, "public")]
    write_deltalake(
        lake.path("public", TABLE),
        pa.Table.from_pylist(by_hand, schema=tables.table(TABLE).arrow()),
        mode="append",
    )

    assert uids(guard, analyst("restricted sides=buy,sell")) == {0, 1}


def test_an_edited_label_file_hides_its_rows(lake: Lake, guard: Guard) -> None:
    label = parse_compact("restricted sides=buy")
    put(lake, label, 2)
    put(lake, Label("public"), 1, start=5, compartment="buy")
    (lake.root / "buy" / "_labels" / label.label_id).write_bytes(Label("public").canonical())

    assert uids(guard, analyst("public")) == {5}


def test_the_filter_stands_whatever_the_version(lake: Lake, guard: Guard) -> None:
    put(lake, parse_compact("restricted sides=buy"), 2)
    put(lake, parse_compact("internal sides=buy"), 2, start=10)
    who = Principal("svc:eval", ("service",), parse_compact("internal sides=buy"))

    plans = [guard.plan(who, Purpose.EVALUATION, f"buy:{TABLE}", version=v) for v in (0, 1)]
    assert [guard.table(plan).num_rows for plan in plans] == [0, 2]
    with pytest.raises(TableMissing):
        guard.plan(who, Purpose.EVALUATION, f"buy:{TABLE}", version=2)


def test_versions_are_neither_told_nor_pinned_for_analysis(lake: Lake, guard: Guard) -> None:
    """They count the commits of rows that the caller may not see."""
    put(lake, parse_compact("internal sides=buy"), 1)
    put(lake, parse_compact("restricted sides=buy"), 1)
    who = analyst("internal sides=buy")

    for version in range(4):
        with pytest.raises(Denied):
            guard.plan(who, Purpose.ANALYSIS, f"buy:{TABLE}", version=version)
    (seen,) = guard.listed(who, Purpose.ANALYSIS, TABLE)
    assert seen.told_version is None
    for odd in (-1, True, "0", 0.0):
        with pytest.raises(Refused):
            guard.plan(who, Purpose.ANALYSIS, f"buy:{TABLE}", version=odd)  # pyright: ignore[reportArgumentType]


def test_a_hidden_table_and_a_missing_one_look_the_same(lake: Lake, guard: Guard) -> None:
    put(lake, parse_compact("restricted sides=buy"), 2)
    for compartment in ("buy", "sell", "sell.acme"):
        with pytest.raises(Denied) as caught:
            guard.plan(analyst("public"), Purpose.ANALYSIS, f"{compartment}:{TABLE}")
        assert "denied" in str(caught.value)
        assert compartment not in str(caught.value)


def test_a_hidden_table_and_a_missing_one_are_decided_in_the_same_words(
    lake: Lake, guard: Guard, tmp_path: Path
) -> None:
    """More words would take more time, and the time would tell how many labels lie there."""
    for nda in range(20):
        put(lake, parse_compact(f"restricted sides=sell ndas=n{nda}"), 1, start=nda)
    words: list[list[str]] = []
    for compartment in ("sell", "hidden"):
        before = len(list(read(tmp_path / "journal")))
        with pytest.raises(Denied):
            guard.plan(analyst("internal sides=buy"), Purpose.ANALYSIS, f"{compartment}:{TABLE}")
        events = [event["object"] for _, _, event in read(tmp_path / "journal")][before:]
        resources = [event["input"]["resource"] for event in events]
        words.append([str({**one, "compartment": ""}) for one in resources])
    assert words[0] == words[1]


def test_columns_are_allowed_one_by_one(lake: Lake, guard: Guard) -> None:
    put(lake, Label("public"), 1)
    plan = guard.plan(analyst("public"), Purpose.ANALYSIS, TABLE)

    assert "text" in plan.columns
    assert "subject_keys" not in plan.columns
    with pytest.raises(Denied):
        guard.plan(analyst("public"), Purpose.ANALYSIS, TABLE, ["subject_keys"])
    with pytest.raises(Refused):
        guard.plan(analyst("public"), Purpose.ANALYSIS, TABLE, ["_metadata"])


def test_denials_and_reads_are_recorded_before_rows_are_handed_over(
    lake: Lake, guard: Guard, tmp_path: Path
) -> None:
    put(lake, parse_compact("internal sides=buy"), 1)
    plan = guard.plan(analyst("internal sides=buy"), Purpose.ANALYSIS, TABLE)
    with pytest.raises(Denied):
        guard.plan(analyst("public"), Purpose.ANALYSIS, f"buy:{TABLE}")

    events = [event for _, _, event in read(tmp_path / "journal")]
    decided = [e["object"]["answer"]["allow"] for e in events if e["kind"] == "decision"]
    reads = [e["object"]["plan"]["grants"][0]["decision_id"] for e in events if e["kind"] == "read"]
    # Whoever may read up to `public` is told so, and then that nothing here is public.
    assert decided == [True, True, False]
    assert reads == [plan.grants[0].decision.id]


def test_a_closed_journal_hands_over_nothing(lake: Lake, guard: Guard, journal: Journal) -> None:
    from halocline_governance.errors import JournalUnavailable

    put(lake, Label("public"), 1)
    journal.close()

    with pytest.raises(JournalUnavailable):
        guard.plan(analyst("public"), Purpose.ANALYSIS, TABLE)


def test_refs_name_the_rows_that_were_read(lake: Lake, guard: Guard) -> None:
    put(lake, parse_compact("internal sides=buy"), 3)
    put(lake, parse_compact("restricted sides=buy"), 2, start=10)
    low = guard.plan(analyst("internal sides=buy"), Purpose.ANALYSIS, f"buy:{TABLE}")
    high = guard.plan(analyst("restricted sides=buy"), Purpose.ANALYSIS, f"buy:{TABLE}")

    (few,), (many,) = guard.refs(low), guard.refs(high)
    assert (few.num_rows, many.num_rows) == (3, 5)
    assert few.fingerprint != many.fingerprint
    DeltaTable(lake.path("buy", TABLE)).optimize.compact()
    again = guard.refs(guard.plan(analyst("internal sides=buy"), Purpose.ANALYSIS, f"buy:{TABLE}"))
    assert again[0].fingerprint == few.fingerprint


def test_two_writers_of_one_table_exclude_each_other(lake: Lake) -> None:
    from halocline_governance.errors import LeaseHeld

    with lake.lease("public", TABLE), pytest.raises(LeaseHeld), lake.lease("public", TABLE):
        pass
    with lake.lease("public", TABLE):
        pass


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "A", ".", "a..b", "a\0"])
def test_a_compartment_is_no_path(lake: Lake, name: str) -> None:
    with pytest.raises(Refused):
        lake.path(name, TABLE)
