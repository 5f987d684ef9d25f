"""The guard server: rows to whom they belong, nothing to anybody else, whatever is sent."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyarrow import flight

from halocline_governance.errors import (
    Denied,
    HaloclineError,
    PolicyUnavailable,
    Refused,
    Unauthenticated,
)
from halocline_governance.guard.client import connect
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.guard.server import GuardServer, Limits
from halocline_governance.identity import Issuer
from halocline_governance.journal import read as read_journal
from halocline_governance.label import parse_compact

DOCUMENTS = "curated.documents"
BUY = "confidential sides=buy"
SELL = "restricted sides=sell"

Call = Callable[[Any, Any], object]


def raw(house: Any) -> flight.FlightClient:
    return house.stack.enter_context(flight.FlightClient(house.server.url))


def calls(token: str | None, *more: tuple[bytes, bytes]) -> flight.FlightCallOptions:
    bearer = [] if token is None else [(b"authorization", b"Bearer " + token.encode())]
    return flight.FlightCallOptions(headers=[*bearer, *more])


def by(content: bytes) -> flight.FlightDescriptor:
    return flight.FlightDescriptor.for_command(content)


def command(**asked: Any) -> flight.FlightDescriptor:
    return by(Descriptor(DOCUMENTS, **asked).encode())


def ticket(house: Any, token: str, **asked: Any) -> flight.Ticket:
    return raw(house).get_flight_info(command(**asked), calls(token)).endpoints[0].ticket


def uids(reader: pa.RecordBatchReader) -> set[int]:
    return set(reader.read_all()["row_uid"].to_pylist())


def records(house: Any, kind: str) -> list[dict[str, Any]]:
    events = (event for _, _, event in read_journal(house.home / "journal"))
    return [event for event in events if event["kind"] == kind]


@pytest.fixture
def filled(house: Any) -> Any:
    house.documents("public", 3)
    house.documents(BUY, 4, start=10)
    house.documents(SELL, 5, start=20)
    return house


def test_each_caller_gets_its_own_rows(filled: Any) -> None:
    buyer, seller = filled.client(filled.token(BUY)), filled.client(filled.token(SELL))

    assert uids(buyer.read(DOCUMENTS)) == {0, 1, 2, 10, 11, 12, 13}
    assert uids(seller.read(DOCUMENTS)) == {0, 1, 2, 20, 21, 22, 23, 24}
    assert uids(buyer.read(f"buy:{DOCUMENTS}", where=[("row_uid", ">", 11)])) == {12, 13}
    assert buyer.read(DOCUMENTS, limit=2).read_all().num_rows == 2
    assert buyer.read(DOCUMENTS, ["text"], [("row_uid", "=", 10)]).read_all().to_pylist() == [
        {"text": "text 10"}
    ]


def test_a_table_is_listed_and_described_as_far_as_it_may_be_read(filled: Any) -> None:
    buyer = filled.client(filled.token(BUY))

    assert [(one["table"], one["compartment"]) for one in buyer.list()] == [
        (DOCUMENTS, "buy"),
        (DOCUMENTS, "public"),
    ]
    shown = buyer.describe(DOCUMENTS)
    assert "text" in shown.names
    assert shown == buyer.read(DOCUMENTS).schema
    assert buyer.list("training") == []


def test_a_hidden_table_looks_like_a_missing_one(filled: Any) -> None:
    buyer = filled.client(filled.token(BUY))

    told: list[tuple[str, str]] = []
    for where in ("sell", "nowhere", "sell.nobody"):
        with pytest.raises(Denied) as error:
            buyer.read(f"{where}:{DOCUMENTS}")
        told.append((error.value.code, re.sub(r"decision [\w-]{36}", "decision", str(error.value))))
    assert len(set(told)) == 1


def test_the_decision_and_the_read_are_recorded_before_the_first_row(filled: Any) -> None:
    token = filled.token(BUY)
    promised = ticket(filled, token)
    assert records(filled, "read") == []

    stream = raw(filled).do_get(promised, calls(token))
    assert stream.read_chunk().data.num_rows
    [read] = records(filled, "read")
    decided = {one["object"]["answer"]["id"] for one in records(filled, "decision")}
    grants = read["object"]["plan"]["grants"]
    assert {grant["decision_id"] for grant in grants} <= decided
    assert read["subject"] == "ana"
    stream.cancel()


EVERY_CALL: dict[str, Call] = {
    "list": lambda c, o: list(c.list_flights(b"", o)),
    "info": lambda c, o: c.get_flight_info(command(), o),
    "schema": lambda c, o: c.get_schema(command(), o),
    "get": lambda c, o: c.do_get(flight.Ticket(b"x"), o).read_all(),
    "action": lambda c, o: list(c.do_action(flight.Action("CreatePreparedStatement", b""), o)),
    "actions": lambda c, o: list(c.list_actions(o)),
    "put": lambda c, o: c.do_put(command(), pa.schema([]), o)[0].close(),
    "exchange": lambda c, o: c.do_exchange(command(), o)[0].close(),
}


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL)
def test_no_call_is_answered_without_a_token(filled: Any, call: Call) -> None:
    good = filled.token(BUY)
    other = Issuer(Ed25519PrivateKey.generate()).issue("ana", ["analyst"], parse_compact(BUY))
    old = filled.token(BUY, lifetime_s=-1)
    tampered = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + good.split(".")[1] + "."
    bad: list[flight.FlightCallOptions] = [
        *(calls(one) for one in (None, "", other, old, tampered, unsigned, "x" * 5000)),
        flight.FlightCallOptions(headers=[(b"authorization", good.encode())]),
        flight.FlightCallOptions(headers=[(b"authorization", b"Basic " + good.encode())]),
        calls(good, (b"authorization", b"Bearer " + filled.token(SELL).encode())),
    ]
    # The client's own get_schema raises the same as an OSError.
    unauthenticated = (flight.FlightUnauthenticatedError, OSError)
    for options in bad:
        with pytest.raises(unauthenticated, match=r"^unauthenticated"):
            call(raw(filled), options)
    twice = calls(good, *[(b"x-halocline-purpose", b"analysis")] * 2)
    with pytest.raises((flight.FlightError, pa.ArrowException, OSError), match="malformed"):
        call(raw(filled), twice)
    filled.disabled.add("ana")
    with pytest.raises(unauthenticated, match=r"^unauthenticated"):
        call(raw(filled), calls(good))


NO_CALL: dict[str, Call] = {
    "put": lambda c, o: c.do_put(command(), pa.schema([]), o)[0].close(),
    "exchange": lambda c, o: c.do_exchange(command(), o)[0].close(),
    "action": lambda c, o: list(c.do_action(flight.Action("shutdown", b""), o)),
    "criteria": lambda c, o: list(c.list_flights(b"*", o)),
    "path": lambda c, o: c.get_flight_info(flight.FlightDescriptor.for_path("buy", DOCUMENTS), o),
    "long": lambda c, o: c.get_flight_info(by(b"x" * (64 << 20)), o),
    "deep": lambda c, o: c.get_flight_info(by(b"[" * 200_000), o),
    "protobuf": lambda c, o: c.get_flight_info(by(b"\x0a\xff\xff"), o),
}


@pytest.mark.parametrize("call", NO_CALL.values(), ids=NO_CALL)
def test_what_the_server_does_not_do_is_malformed(filled: Any, call: Call) -> None:
    with pytest.raises(pa.ArrowInvalid, match="malformed: ") as error:
        call(raw(filled), calls(filled.token(BUY)))
    assert "Traceback" not in str(error.value)


def test_a_schema_that_cannot_be_told_holds_no_trace(filled: Any) -> None:
    client, buyer = raw(filled), filled.client(filled.token(BUY))
    for content in (b"[" * 200_000, b"{}", Descriptor(f"sell:{DOCUMENTS}").encode()):
        asked = by(content)
        schema = client.get_schema(asked, calls(filled.token(BUY))).schema
        assert schema.names == []
        assert b"Traceback" not in schema.metadata[b"halocline.failed"]
    with pytest.raises(Denied, match="decision"):
        buyer.describe(f"sell:{DOCUMENTS}")
    with pytest.raises(Refused, match="no table"):
        buyer.describe("no.table")


def test_a_ticket_serves_its_caller_once_and_soon(filled: Any, open_house: Any) -> None:
    token, same = filled.token(BUY), filled.token(BUY)
    other = filled.token("restricted sides=buy", subject="bob")
    client = raw(filled)

    def refused(promised: flight.Ticket, whose: str) -> None:
        with pytest.raises(flight.FlightUnauthorizedError, match=r"^denied: ask for a new ticket"):
            client.do_get(promised, calls(whose)).read_all()

    promised = ticket(filled, token)
    refused(promised, other)
    refused(promised, same)  # the same person by another token
    assert client.do_get(promised, calls(token)).read_all().num_rows == 7
    refused(promised, token)
    for forged in (b"", b"halocline-", promised.ticket[:-1], promised.ticket + b"x", b"{}"):
        refused(flight.Ticket(forged), token)

    brief = open_house(limits=Limits(ticket_s=0.1, tickets_per_subject=3))
    with brief.stack:
        brief.documents(BUY, 1)
        token, client = brief.token(BUY), raw(brief)
        promised = ticket(brief, token)
        time.sleep(0.2)
        refused(promised, token)


def test_a_flood_of_tickets_costs_only_who_sends_it(open_house: Any) -> None:
    crowd = open_house(limits=Limits(tickets_per_subject=3))
    with crowd.stack:
        crowd.documents(BUY, 1)
        mine, flood = crowd.token(BUY, subject="bob"), crowd.token(BUY)
        waiting = ticket(crowd, mine)
        first = ticket(crowd, flood)
        last = [ticket(crowd, flood) for _ in range(20)][-1]
        client = raw(crowd)
        assert client.do_get(waiting, calls(mine)).read_all().num_rows == 1
        assert client.do_get(last, calls(flood)).read_all().num_rows == 1
        with pytest.raises(flight.FlightUnauthorizedError):
            client.do_get(first, calls(flood)).read_all()


def test_errors_tell_a_code_and_an_id_and_nothing_else(filled: Any) -> None:
    (filled.lake.path("buy", DOCUMENTS) / "_delta_log" / f"{0:020}.json").write_text("broken")
    client = raw(filled)
    told: list[str] = []
    for asked in (Descriptor(f"buy:{DOCUMENTS}"), Descriptor(f"sell:{DOCUMENTS}")):
        token = filled.token(BUY)
        question = by(asked.encode())
        promised = client.get_flight_info(question, calls(token)).endpoints[0].ticket
        with pytest.raises(flight.FlightError) as error:
            client.do_get(promised, calls(token)).read_all()
        told.append(str(error.value).partition(". ")[0])
    assert told[0] == "unavailable: try again; if it lasts, tell whoever runs the guard"
    assert re.fullmatch(r"denied \(decision [\w-]{36}\)", told[1])


def test_fifty_callers_at_once_get_exactly_their_own(open_house: Any, rng: Any) -> None:
    crowd = open_house(limits=Limits(streams=50))
    levels = ["public", "internal", "confidential", "restricted"]
    sides = ["", " sides=buy", " sides=sell", " sides=buy tenants=acme", " sides=sell ndas=n1"]
    for number, (level, side) in enumerate((lv, sd) for lv in levels for sd in sides):
        crowd.documents(level + side, 40, start=100 * number)

    def expected(clearance: str) -> set[int]:
        mine = parse_compact(clearance)
        return {row["row_uid"] for row in crowd.rows[DOCUMENTS] if row["label"] <= mine}

    clearances = [rng.choice(levels) + rng.choice(sides) for _ in range(50)]
    barrier = threading.Barrier(50)

    def reads(number: int) -> set[int]:
        with connect(crowd.server.url, crowd.token(clearances[number], f"p{number}")) as client:
            barrier.wait(timeout=30)
            found = [uids(client.read(DOCUMENTS)) for _ in range(2)]
            assert found[0] == found[1]
            return found[0]

    with crowd.stack, ThreadPoolExecutor(50) as pool:
        found = list(pool.map(reads, range(50)))
    assert found == [expected(one) for one in clearances]
    assert crowd.settled()


def test_slots_are_counted_by_subject_and_come_back(open_house: Any) -> None:
    small = open_house(limits=Limits(streams=3, streams_per_subject=2, piece_bytes=1 << 16))
    with small.stack:
        small.documents(BUY, 6000, text="long " * 2000)
        ana, bob = small.client(small.token(BUY)), small.client(small.token(BUY, "bob"))
        held = [ana.read(DOCUMENTS) for _ in range(2)]
        with pytest.raises(PolicyUnavailable):
            ana.read(DOCUMENTS).read_next_batch()
        other = bob.read(DOCUMENTS)
        assert other.read_next_batch().num_rows
        del held, other
        assert small.settled()
        assert ana.read(DOCUMENTS, columns=["row_uid"]).read_all().num_rows == 6000


def test_revocation_between_ticket_and_read_takes_effect(filled: Any) -> None:
    token, client = filled.token(BUY), raw(filled)
    promised = ticket(filled, token)
    filled.disabled.add("ana")
    with pytest.raises(flight.FlightUnauthenticatedError):
        client.do_get(promised, calls(token)).read_all()


def test_a_client_killed_in_the_middle_frees_its_stream(house: Any) -> None:
    house.documents(BUY, 6000, text="long " * 2000)
    program = (
        "import sys, time\n"
        "from halocline_governance.guard.client import connect\n"
        "rows = connect(sys.argv[1], sys.stdin.readline().strip()).read('curated.documents')\n"
        "rows.read_next_batch()\n"
        "print('reading', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, house.server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(house.token(BUY) + "\n")
        child.stdin.flush()
        assert child.stdout.readline() == "reading\n"
        assert house.server.streams == 1
        child.kill()
    assert house.settled()


def test_a_server_that_others_reach_needs_tls(filled: Any) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        with pytest.raises(Refused, match="--tls-cert"):
            GuardServer(cast("Any", None), cast("Any", None), (host, 0))
    with pytest.raises(Refused, match="cannot listen"):
        GuardServer(cast("Any", None), cast("Any", None), ("127.0.0.1", filled.server.port))


def test_the_client_tells_what_went_wrong(filled: Any, tmp_path: Path) -> None:
    buyer = filled.client(filled.token(BUY))

    def fails(kind: type[HaloclineError], **asked: Any) -> None:
        with pytest.raises(kind):
            buyer.read(**{"table": DOCUMENTS, **asked}).read_all()

    fails(Refused, columns=["nothing"])
    fails(Refused, columns="text")
    fails(Refused, where="num_pii = 0")
    fails(Refused, where=("num_pii", "=", 0))
    fails(Refused, where=[("num_pii", "=")])
    fails(Refused, where=[("num_pii", "=", object())])
    fails(Refused, where=[("num_pii", "=", float("nan"))])
    fails(Refused, purpose="fun")
    fails(Refused, limit="5")
    fails(Refused, limit=-1)
    fails(Refused, table=None)
    fails(Refused, columns=[])
    fails(Refused, columns=["text", "text"])
    fails(Refused, where=[("text", "=", 1)])
    fails(Refused, where=[("text", "like", "%")])
    fails(Refused, where=[("nothing", "=", 1)])
    fails(Refused, version=0)
    fails(Denied, table=f"buy:{DOCUMENTS}", version=0)
    fails(Denied, table=f"buy:{DOCUMENTS}", version=9)
    fails(Refused, table="no.table")
    fails(Refused, table="../buy:curated.documents")
    fails(Denied, purpose="training")
    fails(Denied, table=f"sell:{DOCUMENTS}")
    with pytest.raises(Unauthenticated):
        filled.client("nobody").list()
    with pytest.raises(PolicyUnavailable), connect("grpc://127.0.0.1:1", "x") as nobody:
        nobody.list()
    bad = ("http://x:1", "grpc://x", "grpc://u:p@x:1", "grpc+unix:///x")
    clear = (
        "grpc://guard:8815",
        "grpc+tcp://192.0.2.7:1",
        "grpc://localhost.evil:1",
        "grpc://[::2]:1",
    )
    for url in (*bad, *clear):
        with pytest.raises(Refused):
            connect(url, "x")
    with pytest.raises(Refused):
        connect("grpc+tls://localhost:1", "x", tmp_path / "missing.pem")
