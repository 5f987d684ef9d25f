"""A read that goes on ends within a second of when less is granted than it was planned by, and of
nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.control_room import ControlRoom
from halocline_governance.errors import (
    Denied,
    HaloclineError,
    JournalUnavailable,
    PolicyUnavailable,
    Unauthenticated,
)
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.guard.scan import BATCH_ROWS
from halocline_governance.guard.watch import RECHECK_S
from halocline_governance.journal import Journal, Signer
from halocline_governance.journal import read as read_journal
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy import Engine, open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.remembered import LIFETIME_S
from halocline_governance.state import Crossings, Facts, History, Store
from halocline_governance.state.directory import Directory
from tests.governance.crossing_world import BEN, open_crossing
from tests.governance.guard_loose import Loose

TABLE = "curation.signals"
BATCHES = 4
ANA = Principal("ana", ("analyst",), parse_compact("confidential sides=buy issuers=free"))
ISSUED = parse_compact("internal sides=buy issuers=hooli")


@dataclass
class House:
    """A lake, its guard and control room on one store, and clocks that can be moved."""

    lake: Lake
    journal: Path
    log: Journal
    guard: Guard
    engine: Loose
    store: Store
    room: ControlRoom
    ahead_s: list[float]

    def put(self, label: Label, start: int = 0, rows: int = BATCHES * BATCH_ROWS) -> None:
        blank: dict[str, Any] = {"rule": "", "recipe": "", "run_id": "", "spans": None}
        one = {**blank, "value": None, "label_id": self.lake.intern(label)}
        many = [{**one, "row_uid": number} for number in range(start, start + rows)]
        data = pa.Table.from_pylist(many, schema=tables.table(TABLE).arrow())
        with self.lake.lease(label.compartment, TABLE) as place:
            write_deltalake(place.uri, data, mode="append")

    def half_read(self, who: Principal = ANA, **how: Any) -> pa.RecordBatchReader:
        """A read of which a batch has come and most has not."""
        plan = self.guard.plan(who, Purpose.ANALYSIS, f"buy:{TABLE}", ["row_uid", "rule"])
        if "now" in how:
            how["watch"] = self.guard.watch(plan, how.pop("now"))
        rows = self.guard.reader(plan, **how)
        assert rows.read_next_batch().num_rows == BATCH_ROWS
        return rows

    def pass_time(self, seconds: float = RECHECK_S) -> None:
        self.ahead_s[0] += seconds

    def ended(self) -> list[dict[str, Any]]:
        events = (event for _, _, event in read_journal(self.journal))
        return [
            {"event_id": event["event_id"], **event["object"]["ended"]}
            for event in events
            if event["kind"] == "read" and "ended" in event["object"]
        ]


def firm(*restricted: str) -> dict[str, Any]:
    return {"restricted_issuers": list(restricted), "competitors": [["acme", "globex"]]}


@pytest.fixture(scope="module")
def lax() -> Iterator[Engine]:
    engine = open_engine("embedded", None, firm())
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def strict() -> Iterator[Engine]:
    engine = open_engine("embedded", None, firm("hooli"))
    yield engine
    engine.close()


@pytest.fixture
def house(tmp_path: Path, lax: Engine) -> Iterator[House]:
    ahead_s = [0.0]
    store, lake = Store(f"sqlite:///{tmp_path / 'state.sqlite'}"), Lake(tmp_path / "lake")
    crossings, loose = Crossings(store), Loose(lax)
    facts = Facts(store, crossings, History(store))
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        gates = Gates(
            loose,
            journal,
            lambda: time.time() + ahead_s[0],
            facts,
            lambda: time.monotonic() + ahead_s[0],
        )
        guard = Guard(
            lake,
            gates,
            b"k" * 32,
            lambda: time.time() + ahead_s[0],
            lambda: time.monotonic() + ahead_s[0],
        )
        room = ControlRoom(crossings, gates, lambda: time.time() + ahead_s[0])
        yield House(lake, tmp_path / "journal", journal, guard, loose, store, room, ahead_s)
    store.close()


def ends(house: House, rows: pa.RecordBatchReader, error: type[HaloclineError] = Denied) -> str:
    """Nothing more comes of this read; its end is recorded once, and is the denial told."""
    house.pass_time()
    with pytest.raises(error) as caught:
        rows.read_next_batch()
    with pytest.raises((HaloclineError, StopIteration)):
        rows.read_next_batch()
    [ended] = house.ended()
    if isinstance(caught.value, Denied):
        assert ended["denial_id"] == caught.value.decision.id
        assert not caught.value.decision.allow
        events = [event for _, _, event in read_journal(house.journal)]
        denials = {e["object"]["answer"]["id"] for e in events if e["kind"] == "decision"}
        assert ended["denial_id"] in {ended["event_id"], *denials}
    return str(ended["code"])


def crossed(house: House, ident: str = "c-1", lifetime_s: int = 600) -> Principal:
    """A banker of the sell side, let into `buy` by a crossing."""
    mia = Principal("mia", ("analyst",), parse_compact("confidential sides=sell"))
    now = int(time.time() + house.ahead_s[0])
    open_crossing(
        house.room,
        mia,
        ident,
        subjects=("mia",),
        purpose=Purpose.ANALYSIS,
        sides=("buy",),
        not_before=now - 1,
        expires=now + lifetime_s,
    )
    return mia


LOW = parse_compact("internal sides=buy")


def test_an_undisturbed_read_asks_nothing_anew(house: House) -> None:
    house.put(LOW)
    rows = house.half_read()
    asked = house.engine.asked
    for _ in range(2):
        house.pass_time()
        assert rows.read_next_batch().num_rows
    assert rows.read_next_batch().num_rows
    with pytest.raises(StopIteration):
        rows.read_next_batch()
    assert house.engine.asked == asked
    assert house.ended() == []


def test_a_revoked_crossing_ends_the_read(house: House) -> None:
    house.put(LOW)
    mia = crossed(house)
    rows = house.half_read(mia)
    house.room.revoke(mia, "c-1")
    assert ends(house, rows) == "denied"
    with pytest.raises(Denied):
        house.half_read(mia)


def test_an_expired_crossing_ends_the_read_at_once(house: House) -> None:
    house.put(LOW)
    rows = house.half_read(crossed(house, lifetime_s=100))
    house.pass_time(98)
    assert rows.read_next_batch().num_rows
    house.pass_time(3)
    with pytest.raises(Denied):
        rows.read_next_batch()
    assert len(house.ended()) == 1


def test_one_crossing_may_take_over_from_another(house: House) -> None:
    house.put(LOW)
    mia = crossed(house, lifetime_s=100)
    rows = house.half_read(mia)
    house.pass_time(50)
    crossed(house, "c-2", lifetime_s=100)
    house.pass_time(60)
    assert rows.read_next_batch().num_rows
    house.pass_time(60)
    with pytest.raises(Denied):
        rows.read_next_batch()


def test_an_issuer_restricted_today_ends_reads_of_its_rows_only(
    house: House, strict: Engine
) -> None:
    house.put(LOW)
    untouched = house.half_read()
    house.put(ISSUED, start=10**6)
    rows = house.half_read()
    house.engine.engine = strict
    assert ends(house, rows) == "denied"
    assert untouched.read_next_batch().num_rows
    assert len(house.ended()) == 1
    assert house.half_read().read_all().num_rows == (BATCHES - 1) * BATCH_ROWS


@pytest.mark.parametrize(
    "alter",
    [
        {"columns": ["row_uid"]},
        {"transforms": {"rule": "hash"}},
        {"transforms": {"rule": "null"}},
        {"blocked_issuers": ["hooli"]},
        {"bound": {"sensitivity": "public", "sides": ["buy"], "tenants": [], "ndas": []}},
        {"bound": {"sensitivity": "restricted", "sides": [], "tenants": [], "ndas": []}},
        {"would_touch": ["acme"]},
    ],
    ids=str,
)
def test_an_answer_that_gives_less_ends_the_read(house: House, alter: dict[str, Any]) -> None:
    house.put(LOW)
    house.put(ISSUED, start=10**6)
    rows = house.half_read()
    house.engine.alter = alter
    assert ends(house, rows) == "denied"


@pytest.mark.parametrize(
    "alter",
    [
        {"columns": ["row_uid", "rule", "spans"]},
        {"columns": ["rule", "row_uid"]},
        {"transforms": {"spans": "null"}},
        {"blocked_issuers": ["initech"]},
        {"bound": {"sensitivity": "restricted", "sides": ["buy"], "tenants": [], "ndas": ["n"]}},
        {"versions": True},
    ],
    ids=str,
)
def test_an_answer_that_gives_as_much_or_more_ends_nothing(
    house: House, alter: dict[str, Any]
) -> None:
    house.put(LOW)
    rows = house.half_read()
    house.engine.alter = alter
    house.pass_time()
    assert rows.read_all().num_rows == (BATCHES - 1) * BATCH_ROWS
    assert house.ended() == []


@pytest.mark.parametrize(
    ("bound", "blocked"), [(None, []), ({"sensitivity": "?"}, []), ({}, None)], ids=str
)
def test_an_answer_out_of_shape_ends_the_read(house: House, bound: object, blocked: object) -> None:
    house.put(LOW)
    rows = house.half_read()
    house.engine.alter = {"bound": bound, "blocked_issuers": blocked}
    assert ends(house, rows, PolicyUnavailable) == "unavailable"


def test_a_mask_that_is_lifted_ends_nothing_and_is_kept_on(house: House) -> None:
    house.put(LOW)
    house.engine.alter = {"transforms": {"rule": "null"}}
    rows = house.half_read()
    house.engine.alter = {}
    house.pass_time()
    assert set(rows.read_all()["rule"].to_pylist()) == {None}


def test_a_caller_narrowed_ends_the_read_and_a_caller_widened_does_not(house: House) -> None:
    house.put(LOW)
    now = [ANA]
    rows = house.half_read(now=lambda: now[0])
    now[0] = replace(ANA, clearance=parse_compact("restricted sides=buy,sell"))
    house.pass_time()
    assert rows.read_next_batch().num_rows
    now[0] = replace(ANA, clearance=parse_compact("restricted sides=sell"))
    assert ends(house, rows) == "denied"


def test_the_directory_narrows_in_the_middle(house: House, tmp_path: Path) -> None:
    house.put(LOW)
    directory = Directory(house.store)
    rows = house.half_read(now=lambda: directory.narrow(ANA))
    with Journal.open(tmp_path / "second", Signer(Ed25519PrivateKey.generate())) as journal:
        directory.set_disabled("ana", True, BEN, journal)
    assert ends(house, rows, Unauthenticated) == "unauthenticated"


def test_what_was_decided_within_a_minute_outlasts_the_engine_and_no_longer(house: House) -> None:
    house.put(LOW)
    rows = house.half_read()
    house.engine.down = True
    house.pass_time()
    assert rows.read_next_batch().num_rows
    house.pass_time(LIFETIME_S)
    assert ends(house, rows, PolicyUnavailable) == "unavailable"


def test_a_change_of_state_while_the_engine_is_down_ends_the_read(house: House) -> None:
    house.put(LOW)
    rows = house.half_read()
    crossed(house)
    house.engine.down = True
    assert ends(house, rows, PolicyUnavailable) == "unavailable"


def test_a_plan_kept_is_asked_about_before_its_first_row(house: House, strict: Engine) -> None:
    house.put(ISSUED)
    plan = house.guard.plan(ANA, Purpose.ANALYSIS, f"buy:{TABLE}", ["row_uid", "label_id"])
    house.pass_time()
    assert house.guard.table(plan).num_rows == house.guard.refs(plan)[0].num_rows
    house.engine.engine = strict
    for act in (house.guard.table, house.guard.reader, house.guard.refs):
        with pytest.raises(Denied):
            act(plan)


def test_without_a_journal_a_read_does_not_go_on_unrecorded(house: House) -> None:
    house.put(LOW)
    mia = crossed(house)
    rows = house.half_read(mia)
    house.room.revoke(mia, "c-1")
    house.log.close()
    house.pass_time()
    with pytest.raises(JournalUnavailable):
        rows.read_next_batch()


def test_many_reads_of_one_plan_end_together(house: House) -> None:
    house.put(LOW)
    mia = crossed(house)
    plan = house.guard.plan(mia, Purpose.ANALYSIS, f"buy:{TABLE}", ["row_uid"])
    readers = [house.guard.reader(plan) for _ in range(8)]
    for rows in readers:
        assert rows.read_next_batch().num_rows
    house.room.revoke(mia, "c-1")
    house.pass_time()

    def denied(rows: pa.RecordBatchReader) -> bool:
        try:
            rows.read_next_batch()
        except Denied:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(denied, readers))
    assert len(house.ended()) == 8
