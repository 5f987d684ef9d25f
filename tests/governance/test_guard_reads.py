"""What a read hands over on top of the row filter: conditions, masks, versions, even batches."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Denied, PolicyUnavailable, Refused, StorageUnavailable
from halocline_governance.gates import Gates
from halocline_governance.guard import Condition, Guard, transform
from halocline_governance.guard.scan import BATCH_ROWS
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy.bundle import POLICIES, collect
from halocline_governance.policy.embedded import Embedded
from halocline_governance.principal import Principal, Purpose

OUTPUTS = "serving.outputs"
SIGNALS = "curation.signals"
READER = Principal("ana", ("analyst",), parse_compact("confidential sides=buy"))
LOW, HIGH = parse_compact("internal sides=buy"), parse_compact("restricted sides=buy")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as opened:
        yield opened


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def guard(lake: Lake, journal: Journal, embedded: Any) -> Guard:
    return Guard(lake, Gates(embedded, journal), b"k" * 32)


def put(lake: Lake, table: str, rows: list[dict[str, Any]], label: Label, place: str = "") -> None:
    """Rows under one label; every column that a row leaves out gets a value of its type."""
    schema = tables.table(table).arrow()
    where = place or label.compartment
    blank = {field.name: _BLANK[str(field.type)] for field in schema if not field.nullable}
    filled = [{**blank, **row, "label_id": lake.intern(label, where)} for row in rows]
    with lake.lease(where, table) as at:
        write_deltalake(at.uri, pa.Table.from_pylist(filled, schema=schema), mode="append")


_BLANK: dict[str, Any] = {"int64": 0, "string": "", "double": 0.0, "int32": 0}


def read(guard: Guard, table: str, *where: Condition, **how: Any) -> list[dict[str, Any]]:
    plan = guard.plan(READER, Purpose.ANALYSIS, table, how.pop("columns", None))
    return guard.reader(plan, where, **how).read_all().to_pylist()


# --- Conditions


def test_random_conditions_against_an_oracle(
    lake: Lake, guard: Guard, rng: random.Random, scale: Callable[..., int]
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "row_uid": uid,
            "rule": rng.choice(["", "a", "b'; --", "ä\u0000", "%_"]),
            "value": rng.choice([None, -1.5, 0.0, 2.0, 1e300]),
            "recipe": rng.choice(["r1", "r2"]),
        }
        for uid in range(300)
    ]
    hidden = [{**row, "row_uid": 1000 + row["row_uid"]} for row in rows]
    put(lake, SIGNALS, rows[:150], LOW)
    put(lake, SIGNALS, hidden, HIGH)
    put(lake, SIGNALS, rows[150:], LOW)
    for _ in range(scale(150, 10_000)):
        where = [random_condition(rng, rows) for _ in range(rng.randint(0, 3))]
        limit = rng.choice([None, None, 0, 1, 40])
        expected = {row["row_uid"] for row in rows if all(holds(row, c) for c in where)}
        got = [row["row_uid"] for row in read(guard, SIGNALS, *where, limit=limit)]
        count = len(expected) if limit is None else min(limit, len(expected))
        assert (len(got), len(set(got))) == (count, count), where
        assert set(got) <= expected


def random_condition(rng: random.Random, rows: list[dict[str, Any]]) -> Condition:
    column = rng.choice(["row_uid", "rule", "value", "recipe"])
    present = [row[column] for row in rows if row[column] is not None]
    op = rng.choice(["=", "!=", "<", "<=", ">", ">=", "in", "is_null", "not_null"])
    if op in ("is_null", "not_null"):
        return Condition(column, op)
    if op == "in":
        return Condition(column, op, [rng.choice(present) for _ in range(rng.randint(0, 4))])
    return Condition(column, op, rng.choice(present))


def holds(row: dict[str, Any], condition: Condition) -> bool:
    """SQL's reading: NULL meets no comparison."""
    value, other = row[condition.column], condition.value
    if condition.op in ("is_null", "not_null"):
        return (value is None) == (condition.op == "is_null")
    if value is None:
        return False
    return {
        "=": lambda: value == other,
        "!=": lambda: value != other,
        "<": lambda: value < other,
        "<=": lambda: value <= other,
        ">": lambda: value > other,
        ">=": lambda: value >= other,
        "in": lambda: value in other,
    }[condition.op]()


@pytest.mark.parametrize(
    "condition",
    [
        Condition("spans", "=", "x"),  # not granted for this purpose
        Condition("label_id; --", "=", "x"),
        Condition("_metadata", "not_null"),
        Condition("ROW_UID", "=", 1),
        Condition("row_uid", "like", "%"),
        Condition("row_uid", "=", "1"),
        Condition("row_uid", "=", True),
        Condition("row_uid", "=", 1.0),
        Condition("row_uid", "=", 2**63),
        Condition("value", "<", float("nan")),
        Condition("value", "<", 10**400),
        Condition("rule", "=", None),
        Condition("rule", "=", "\ud800"),
        Condition("rule", "in", "abc"),
        Condition("rule", "in", [None]),
        Condition("rule", "is_null", "x"),
    ],
    ids=str,
)
def test_a_condition_that_does_not_fit_is_refused(
    lake: Lake, guard: Guard, condition: Condition
) -> None:
    put(lake, SIGNALS, [{"row_uid": 1}], LOW)
    with pytest.raises(Refused):
        read(guard, SIGNALS, condition)


# --- Masks


def test_masked_columns_show_their_mask_and_nothing_else(lake: Lake, guard: Guard) -> None:
    secrets = {"subject": "boris", "ts": "2026-11-21T07:00:00Z", "prompt": "why?", "output": "so"}
    put(lake, OUTPUTS, [{"row_uid": n, **secrets} for n in (1, 2)], LOW)
    put(lake, OUTPUTS, [{"row_uid": 3, **secrets, "subject": "cara", "ts": "soon"}], LOW)
    put(lake, OUTPUTS, [{"row_uid": 4, **secrets}], Label("public"))

    rows = {row["row_uid"]: row for row in read(guard, OUTPUTS)}
    assert {row["prompt"] for row in rows.values()} == {None}
    assert [rows[n]["ts"] for n in (1, 2, 3, 4)] == ["2026", "2026", None, "2026"]
    assert rows[1]["subject"] == rows[2]["subject"] != rows[3]["subject"]
    assert rows[4]["subject"] != rows[1]["subject"], "hashes must not join two compartments"
    assert all(re.fullmatch("h[0-9a-f]{32}", row["subject"]) for row in rows.values())
    with pytest.raises(Refused):
        read(guard, OUTPUTS, Condition("subject", "=", "boris"))


def test_without_a_secret_nothing_is_hashed(lake: Lake, journal: Journal, embedded: Any) -> None:
    put(lake, OUTPUTS, [{"row_uid": 1, "subject": "boris"}], LOW)
    bare = Guard(lake, Gates(embedded, journal))
    with pytest.raises(Refused):
        read(bare, OUTPUTS)
    assert read(bare, OUTPUTS, columns=["row_uid"]) == [{"row_uid": 1}]


@pytest.mark.parametrize("mask", ["rot13", "", "last4"])
def test_a_mask_that_does_not_exist_or_fit_hands_nothing_over(
    lake: Lake, journal: Journal, tmp_path: Path, mask: str
) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(POLICIES, policies)
    page = policies / "read" / "data.yaml"
    data: dict[str, Any] = yaml.safe_load(page.read_text())
    part: dict[str, Any] = {"purposes": ["analysis"], "columns": ["row_uid"]}
    data["tables"][SIGNALS] = [{**part, "transforms": {"value": mask}}]
    page.write_text(yaml.safe_dump(data))
    engine = Embedded(collect({"restricted_issuers": []}, policies))
    put(lake, SIGNALS, [{"row_uid": 1, "value": 2.5}], LOW)
    with pytest.raises((PolicyUnavailable, Denied)):
        read(Guard(lake, Gates(engine, journal), b"k" * 32), SIGNALS, columns=["value"])


def test_an_allow_that_says_nothing_of_masks_is_none() -> None:
    schema = tables.table(SIGNALS).arrow()
    assert transform.check({}, schema) == {}
    malformed: tuple[object, ...] = (None, [], "null")
    for told in malformed:
        with pytest.raises(PolicyUnavailable):
            transform.check(told, schema)


# --- Where and when


@pytest.mark.parametrize("reader", [READER, replace(READER, roles=())], ids=str)
def test_a_credential_that_cannot_be_used_is_told_to_nobody_who_may_not_read(
    journal: Journal, embedded: Any, tmp_path: Path, reader: Principal
) -> None:
    place = "{place: s3://bucket-buy/lake, region: here, credential: buy.yaml}"
    (tmp_path / "lake.yaml").write_text(f"compartments: {{buy: {place}}}")
    (tmp_path / "lake.yaml").chmod(0o600)
    (tmp_path / "buy.yaml").write_text("access_key_id: a\nsecret_access_key: b")
    (tmp_path / "buy.yaml").chmod(0o644)
    guard = Guard(Lake.at(tmp_path), Gates(embedded, journal))
    expected = StorageUnavailable if reader is READER else Denied
    with pytest.raises(expected):
        guard.plan(reader, Purpose.ANALYSIS, f"buy:{SIGNALS}")


# --- Batches and versions


def test_batches_do_not_tell_where_hidden_rows_lie(
    tmp_path: Path, journal: Journal, embedded: Any, rng: random.Random
) -> None:
    mine = [{"row_uid": n, "rule": "r" * rng.randint(0, 9)} for n in range(2 * BATCH_ROWS + 5)]
    told: list[list[int]] = []
    for world in ("with", "without"):
        lake = Lake(tmp_path / world)
        for start in range(0, len(mine), 3000):
            put(lake, SIGNALS, mine[start : start + 3000], LOW)
            if world == "with":
                hidden = [{"row_uid": -n} for n in range(rng.randint(1, 3000))]
                put(lake, SIGNALS, hidden, HIGH)
        guard = Guard(lake, Gates(embedded, journal))
        plan = guard.plan(READER, Purpose.ANALYSIS, SIGNALS)
        told.append([batch.num_rows for batch in guard.batches(plan)])
    assert told[0] == told[1] == [BATCH_ROWS, BATCH_ROWS, 5]


def test_a_commit_is_seen_by_the_next_plan_and_by_no_earlier_one(lake: Lake, guard: Guard) -> None:
    put(lake, SIGNALS, [{"row_uid": 1}], LOW)
    earlier = guard.plan(READER, Purpose.ANALYSIS, SIGNALS)
    for count in range(2, 6):
        put(lake, SIGNALS, [{"row_uid": count}], LOW)
        assert len(read(guard, SIGNALS)) == count
    DeltaTable(lake.path("buy", SIGNALS)).delete("row_uid > 0")
    assert read(guard, SIGNALS) == []
    assert guard.table(earlier).num_rows == 1


def test_a_table_made_anew_is_not_taken_for_the_old_one(lake: Lake, guard: Guard) -> None:
    for number in (1, 2, 3):
        put(lake, SIGNALS, [{"row_uid": number}], LOW)
        assert [row["row_uid"] for row in read(guard, SIGNALS)] == [number]
        shutil.rmtree(lake.path("buy", SIGNALS))
        with pytest.raises(Denied):
            read(guard, SIGNALS)


def test_a_label_interned_a_moment_ago_is_readable(lake: Lake, guard: Guard) -> None:
    for number in range(40):
        label = Label("internal", ("buy",), issuers=(f"free-{number}",))
        put(lake, SIGNALS, [{"row_uid": number}], label)
        assert len(read(guard, SIGNALS)) == number + 1
