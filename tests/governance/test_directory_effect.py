"""The directory's word takes effect between two plans of the guard, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.errors import StateUnavailable, Unauthenticated
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.identity import ISSUER, Authenticator, Issuer, Verifier
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import PUBLIC, Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Store
from halocline_governance.state.crossings import Crossings
from halocline_governance.state.directory import Directory, Entry
from halocline_governance.state.facts import Facts
from halocline_governance.state.history import History

TABLE = "curated.documents"
KEY = Ed25519PrivateKey.generate()
OFFICER = Principal("cleo", ("compliance",), Label("restricted"))
BUY = parse_compact("confidential sides=buy")


@dataclass
class Desk:
    """An analyst at the guard, and an officer at the directory, each with a store of their own."""

    home: Path
    authenticator: Authenticator
    guard: Guard
    office: Directory
    journal: Journal

    def rows(self, token: str) -> int:
        plan = self.guard.plan(self.authenticator.verify(token), Purpose.ANALYSIS, TABLE)
        return self.guard.table(plan).num_rows

    def put(self, *roles: str, clearance: Label) -> None:
        self.office.put(Entry("ana", roles, clearance), OFFICER, self.journal)

    def set_disabled(self, disabled: bool) -> None:
        self.office.set_disabled("ana", disabled, OFFICER, self.journal)

    def num_decisions(self) -> int:
        found = [event for _, _, event in read(self.home / "journal")]
        return len([event for event in found if event["kind"] == "decision"])


@pytest.fixture(params=["embedded", "served"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    engine = cast("Engine", request.getfixturevalue(request.param))
    url = f"sqlite:///{tmp_path}/state/governance.sqlite"
    store, elsewhere = Store(url), Store(url)
    lake = Lake(tmp_path / "lake")
    put_rows(lake)
    with Journal.open(tmp_path / "journal", Signer(KEY)) as journal:
        gates = Gates(engine, journal, facts=Facts(store, Crossings(store), History(store)))
        doors = Authenticator({ISSUER: Verifier(KEY.public_key())}, Directory(store))
        yield Desk(tmp_path, doors, Guard(lake, gates), Directory(elsewhere), journal)
    store.close()
    elsewhere.close()


@pytest.fixture
def token() -> str:
    return Issuer(KEY).issue("ana", ["analyst"], BUY)


def put_rows(lake: Lake) -> None:
    for count, label in ((2, PUBLIC), (3, BUY)):
        label_id = lake.intern(label, label.compartment)
        rows = [filled(number, label_id) for number in range(count)]
        with lake.lease(label.compartment, TABLE) as place:
            data = pa.Table.from_pylist(rows, schema=tables.table(TABLE).arrow())
            write_deltalake(place.uri, data, mode="append")


def filled(number: int, label_id: str) -> dict[str, object]:
    empty: dict[pa.DataType, object] = {pa.string(): "x", pa.int64(): 0, pa.int32(): 0}
    fields = tables.table(TABLE).arrow()
    row: dict[str, object] = {field.name: empty.get(field.type) for field in fields}
    return {**row, "row_uid": number, "label_id": label_id, "subject_keys": ["s"]}


def test_who_is_disabled_reads_nothing_more(desk: Desk, token: str) -> None:
    assert desk.rows(token) == 5
    before = desk.num_decisions()
    assert desk.rows(token) == 5
    assert desk.num_decisions() == before  # both decisions were remembered, and yet:

    desk.set_disabled(True)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            desk.rows(token)
    desk.set_disabled(False)
    assert desk.rows(token) == 5  # who had no entry has none again
    desk.put("analyst", clearance=PUBLIC)
    desk.set_disabled(True)
    desk.set_disabled(False)
    assert desk.rows(token) < 5, "an entry that was put is kept"


def test_who_is_narrowed_reads_less(desk: Desk, token: str) -> None:
    steps: list[tuple[Callable[[], None], int]] = [
        (lambda: None, 5),
        (lambda: desk.put("analyst", clearance=parse_compact("confidential sides=sell")), 2),
        (lambda: desk.put("analyst", clearance=parse_compact("internal sides=buy")), 2),
        (
            lambda: desk.put(
                "analyst", "operator", clearance=parse_compact("restricted sides=buy")
            ),
            5,
        ),
        (lambda: desk.put("analyst", clearance=PUBLIC), 2),
    ]
    for change, left in steps:
        change()
        assert desk.rows(token) == left
        assert desk.rows(token) == left


def test_a_directory_that_cannot_be_read_lets_nobody_read(desk: Desk, token: str) -> None:
    assert desk.rows(token) == 5
    for file in (desk.home / "state").iterdir():
        file.unlink()
    with pytest.raises(StateUnavailable):
        desk.rows(token)
