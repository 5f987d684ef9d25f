"""What allowed a read is taken back while the server streams: the real engine and state."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from halocline_governance.control_room import ControlRoom
from halocline_governance.errors import Denied, PolicyUnavailable, Unauthenticated
from halocline_governance.guard.server import Limits
from halocline_governance.guard.watch import RECHECK_S
from halocline_governance.journal import read as read_journal
from halocline_governance.label import Label
from halocline_governance.policy import Engine, open_engine
from halocline_governance.policy.current import Current
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Crossings, Facts, History, Store
from tests.governance.crossing_world import BEN, open_crossing

DOCUMENTS = "curated.documents"
BUY = "confidential sides=buy"
ISSUED = "confidential sides=buy issuers=hooli"
# More bytes than a connection holds while nobody reads.
ROWS = 6000
CLIENT = Principal("mia", ("analyst",), Label("confidential", ("sell",)))


@dataclass
class Firm:
    """A house whose policies follow a file and whose state is a database."""

    house: Any
    engine: Engine
    room: ControlRoom
    restrict: Callable[..., None]

    def half_read(self, token: str, table: str = DOCUMENTS) -> pa.RecordBatchReader:
        """A read of which a piece has come and most has not."""
        rows = self.house.client(token).read(table, ["row_uid", "text"])
        assert rows.read_next_batch().num_rows
        return rows

    def open_crossing(self) -> str:
        now = int(time.time())
        open_crossing(
            self.room,
            CLIENT,
            "c-1",
            subjects=("mia",),
            purpose=Purpose.ANALYSIS,
            sides=("buy",),
            not_before=now - 1,
            expires=now + 600,
        )
        return self.house.token("confidential sides=sell", "mia")

    def ended(self) -> list[dict[str, Any]]:
        events = (event for _, _, event in read_journal(self.house.home / "journal"))
        return [e["object"]["ended"] for e in events if "ended" in e["object"]]


@pytest.fixture
def firm(open_house: Any, opa: Path, tmp_path: Path) -> Iterator[Firm]:
    facts_file = tmp_path / "firm.json"

    def restrict(*issuers: str) -> None:
        draft = facts_file.with_suffix(".draft")
        draft.write_text(json.dumps({"restricted_issuers": list(issuers)}))
        draft.replace(facts_file)

    restrict()
    engine = Current(
        [facts_file], lambda it: open_engine("opa", opa, json.loads(it.read(facts_file)))
    )
    store = Store(f"sqlite:///{tmp_path / 'state.sqlite'}")
    crossings = Crossings(store)
    facts = Facts(store, crossings, History(store))
    house = open_house(engine=engine, facts=facts, limits=Limits(piece_bytes=1 << 16))
    with house.stack:
        house.documents(BUY, ROWS, text="long " * 2000)
        yield Firm(house, engine, ControlRoom(crossings, house.gates), restrict)
    assert house.server.stop()
    store.close()
    engine.close()


def test_a_crossing_revoked_in_the_middle_ends_the_read(firm: Firm) -> None:
    token = firm.open_crossing()
    mine, others = firm.half_read(token), firm.half_read(firm.house.token(BUY))
    firm.room.revoke(BEN, "c-1")
    time.sleep(RECHECK_S)
    with pytest.raises(Denied) as caught:
        mine.read_all()
    [ended] = firm.ended()
    assert ended["denial_id"] == caught.value.decision.id
    assert others.read_all().num_rows
    assert len(firm.ended()) == 1
    assert firm.house.settled()
    with pytest.raises(Denied):
        firm.half_read(token, f"buy:{DOCUMENTS}")


def test_an_end_is_recorded_in_time_and_little_was_sent_however_slow_the_caller(
    open_house: Any,
) -> None:
    house = open_house()
    with house.stack:
        house.documents(BUY, ROWS, text="long " * 2000)
        rows = house.client(house.token(BUY)).read(DOCUMENTS)
        assert rows.read_next_batch().num_rows
        house.disabled.add("ana")
        # Nothing is pulled meanwhile.
        time.sleep(RECHECK_S + 0.5)
        told = [event["object"] for _, _, event in read_journal(house.home / "journal")]
        assert [one["ended"]["code"] for one in told if "ended" in one] == ["unauthenticated"]
        came: list[int] = []
        with pytest.raises(Unauthenticated):
            came.extend(batch.nbytes for batch in rows)
        assert sum(came) <= 4 << 20
        assert house.settled()


def test_an_issuer_restricted_in_the_middle_ends_reads_of_its_rows(firm: Firm) -> None:
    token = firm.house.token(BUY)
    before = firm.half_read(token)
    firm.house.documents(ISSUED, 1, start=ROWS)
    after = firm.half_read(token)
    firm.restrict("hooli")
    time.sleep(RECHECK_S)
    with pytest.raises(Denied):
        after.read_all()
    assert before.read_all().num_rows
    assert len(firm.ended()) == 1


@pytest.mark.parametrize(("subject", "told"), [("mia", PolicyUnavailable), ("bob", Denied)])
def test_trouble_in_a_crossings_compartment_is_told_to_whom_it_is_open(
    firm: Firm, subject: str, told: type[Exception]
) -> None:
    firm.open_crossing()
    client = firm.house.client(firm.house.token("confidential sides=sell", subject))
    for compartment in ("x.c-1", "x.c-2"):
        log = firm.house.home / "lake" / compartment / "curated" / "documents" / "_delta_log"
        log.mkdir(parents=True)
        (log / f"{0:020}.json").write_text("no JSON")
    with pytest.raises(told):
        client.read(f"x.c-1:{DOCUMENTS}")
    with pytest.raises(Denied):
        client.read(f"x.c-2:{DOCUMENTS}")


def test_an_engine_that_dies_ends_reads_once_state_has_moved(firm: Firm) -> None:
    rows = firm.half_read(firm.house.token(BUY))
    firm.open_crossing()
    firm.engine.close()
    time.sleep(RECHECK_S)
    with pytest.raises(PolicyUnavailable, match="try again"):
        rows.read_all()
    assert [one["code"] for one in firm.ended()] == ["unavailable"]
    assert firm.house.settled()


def test_an_engine_that_dies_leaves_what_was_decided_within_a_minute(firm: Firm) -> None:
    rows = firm.half_read(firm.house.token(BUY))
    firm.engine.close()
    time.sleep(RECHECK_S)
    with pytest.raises(PolicyUnavailable):
        firm.half_read(firm.house.token(BUY, "bob"))
    assert rows.read_next_batch().num_rows
