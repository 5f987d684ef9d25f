"""Conflict classes at the guard: who reads one customer does not read its competitor, and nobody
chooses between them by looking around."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Denied, Refused
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.journal import read as read_journal
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state.crossings import Crossings
from halocline_governance.state.facts import Facts
from halocline_governance.state.history import History
from halocline_governance.state.store import Store

TABLE = "curation.signals"
FIRM = {"restricted_issuers": [], "competitors": [["acme", "globex"]]}
BOTH = parse_compact("confidential sides=sell tenants=acme,globex")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    put(lake, Label("public"), 0)
    for number, tenant in enumerate(("acme", "globex", "hooli"), start=1):
        put(lake, Label("confidential", ("sell",), (tenant,)), number)
    return lake


@pytest.fixture(params=["embedded", "opa"])
def guard(lake: Lake, tmp_path: Path, opa: Path, request: pytest.FixtureRequest) -> Iterator[Guard]:
    engine = open_engine(request.param, opa, FIRM)
    store = Store(f"sqlite:///{tmp_path / 'state.sqlite'}")
    facts = Facts(store, Crossings(store), History(store))
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield Guard(lake, Gates(engine, journal, facts=facts))
    store.close()
    engine.close()


def put(lake: Lake, label: Label, uid: int) -> None:
    row: dict[str, Any] = {"row_uid": uid, "label_id": lake.intern(label), "value": None}
    row |= {"rule": "", "recipe": "", "run_id": "", "spans": None}
    rows = pa.Table.from_pylist([row], schema=tables.table(TABLE).arrow())
    with lake.lease(label.compartment, TABLE) as place:
        write_deltalake(place.uri, rows, mode="append")


def seen(guard: Guard, who: Principal) -> set[str]:
    return {grant.compartment for grant in guard.listed(who, Purpose.ANALYSIS, TABLE)}


def uids(guard: Guard, who: Principal, table: str = TABLE) -> set[int]:
    plan = guard.plan(who, Purpose.ANALYSIS, table, ["row_uid"])
    return set(guard.table(plan)["row_uid"].to_pylist())


def test_looking_chooses_nothing_and_naming_chooses(guard: Guard) -> None:
    ben = Principal("ben", ("banker",), BOTH)
    for _ in range(2):
        assert seen(guard, ben) == {"public", "sell.acme", "sell.globex"}
        assert uids(guard, ben) == {0}, "a read over all makes no first touch"

    assert uids(guard, ben, f"sell.globex:{TABLE}") == {2}
    assert seen(guard, ben) == {"public", "sell.globex"}
    assert uids(guard, ben) == {0, 2}
    with pytest.raises(Denied):
        uids(guard, ben, f"sell.acme:{TABLE}")
    assert uids(guard, Principal("bea", ("banker",), BOTH), f"sell.acme:{TABLE}") == {1}


@pytest.mark.parametrize(
    ("clearance", "told"),
    [
        (BOTH, {"sell.acme", "sell.globex"}),
        (parse_compact("confidential sides=sell tenants=acme"), {"sell.acme"}),
    ],
    ids=["two", "one"],
)
def test_a_read_that_would_only_touch_is_told_what_to_name(
    lake: Lake, guard: Guard, clearance: Label, told: set[str]
) -> None:
    shutil.rmtree(lake.path("public", TABLE))
    ben = Principal("ben", ("banker",), clearance)
    for _ in range(2):
        with pytest.raises(Refused, match="name the compartment to read it: ") as caught:
            guard.plan(ben, Purpose.ANALYSIS, TABLE)
        named = {word.rpartition(":")[0] for word in str(caught.value).split() if TABLE in word}
        assert named == told
        assert {grant.compartment for grant in guard.listed(ben, Purpose.ANALYSIS, TABLE)} == told
        for tenant in {"acme", "globex", "hooli"} - {name.partition(".")[2] for name in told}:
            assert tenant not in str(caught.value)
    assert uids(guard, ben, f"sell.acme:{TABLE}") == {1}


def test_whoever_has_touched_a_competitor_is_denied_on_record(
    lake: Lake, guard: Guard, tmp_path: Path
) -> None:
    ben = Principal("ben", ("banker",), BOTH)
    assert uids(guard, ben, f"sell.globex:{TABLE}") == {2}
    for compartment in ("public", "sell.globex"):
        shutil.rmtree(lake.path(compartment, TABLE))
    with pytest.raises(Denied) as caught:
        guard.plan(ben, Purpose.ANALYSIS, TABLE)
    assert recorded(tmp_path)[caught.value.decision.id] is False


def test_a_lake_that_holds_nothing_denies_on_record(
    lake: Lake, guard: Guard, tmp_path: Path
) -> None:
    shutil.rmtree(lake.root)
    for table in (TABLE, f"sell.acme:{TABLE}"):
        with pytest.raises(Denied) as caught:
            guard.plan(Principal("ben", ("banker",), BOTH), Purpose.ANALYSIS, table)
        assert recorded(tmp_path)[caught.value.decision.id] is False


def recorded(home: Path) -> dict[str, bool]:
    """Every decision on record: whether it allowed, by its id."""
    events = [event for _, _, event in read_journal(home / "journal")]
    answers = [event["object"]["answer"] for event in events if event["kind"] == "decision"]
    return {answer["id"]: answer["allow"] for answer in answers if "id" in answer}


def test_a_denied_read_touches_nothing(guard: Guard) -> None:
    ben = Principal("ben", ("banker",), BOTH)
    for table in ("sell.acme:curation.decisions", "sell.acme:raw.documents"):
        with pytest.raises(Denied):
            guard.plan(ben, Purpose.ANALYSIS, table)
    assert uids(guard, ben, f"sell.globex:{TABLE}") == {2}


def test_services_and_compliance_oversee_both_sides(guard: Guard) -> None:
    for role, purpose in (("service", Purpose.CURATION), ("compliance", Purpose.AUDIT)):
        who = Principal(f"the-{role}", (role,), BOTH)
        plan = guard.plan(who, purpose, TABLE, ["row_uid"])
        assert set(guard.table(plan)["row_uid"].to_pylist()) == {0, 1, 2}
