"""What a failure is called: over Flight, over Flight SQL, in the client, and in the log."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
import pytest
from adbc_driver_manager import AdbcStatusCode
from pyarrow import flight

from halocline_governance.errors import (
    Denied,
    HaloclineError,
    PolicyUnavailable,
    Refused,
    Unauthenticated,
)
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.guard.server import Limits
from halocline_governance.guard.watch import RECHECK_S
from tests.governance.guard_loose import Loose

DOCUMENTS = "curated.documents"
BUY = "confidential sides=buy"


@dataclass(frozen=True)
class Told:
    """One code, as each of the doors tells it."""

    flight: type[Exception]
    adbc: AdbcStatusCode
    client: type[HaloclineError]


UNAUTHENTICATED = Told(
    flight.FlightUnauthenticatedError, AdbcStatusCode.UNAUTHENTICATED, Unauthenticated
)
DENIED = Told(flight.FlightUnauthorizedError, AdbcStatusCode.UNAUTHORIZED, Denied)
MALFORMED = Told(pa.ArrowInvalid, AdbcStatusCode.INVALID_ARGUMENT, Refused)
UNAVAILABLE = Told(flight.FlightUnavailableError, AdbcStatusCode.IO, PolicyUnavailable)

# What is asked, by descriptor and by SQL, and what comes of it.
CASES: dict[str, tuple[dict[str, Any], str, Told]] = {
    "compartment": (
        {"table": f"sell:{DOCUMENTS}"},
        f'SELECT text FROM "sell:{DOCUMENTS}"',
        DENIED,
    ),
    "column": ({"columns": ["subject_keys"]}, f"SELECT subject_keys FROM {DOCUMENTS}", DENIED),
    "no column": ({"columns": ["nothing"]}, f"SELECT nothing FROM {DOCUMENTS}", MALFORMED),
    "no table": ({"table": "no.table"}, "SELECT a FROM no.table", MALFORMED),
    "no compartment's name": ({"table": f"../x:{DOCUMENTS}"}, 'SELECT a FROM "../x:a"', MALFORMED),
    "limit": ({"limit": -1}, f"SELECT text FROM {DOCUMENTS} LIMIT -1", MALFORMED),
    "value": (
        {"where": [["text", "=", 1]]},
        f"SELECT text FROM {DOCUMENTS} WHERE text = 1",
        MALFORMED,
    ),
    "shape": (
        {"where": [["text", "like", "%"]]},
        f"SELECT count(*) FROM {DOCUMENTS} WHERE text LIKE '%'",
        MALFORMED,
    ),
    "no sense": ({"what": 1}, "DELETE", MALFORMED),
}


def content(asked: dict[str, Any]) -> bytes:
    return json.dumps({"table": DOCUMENTS, **asked}).encode()


def by_flight(house: Any, token: str, asked: bytes) -> None:
    options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
    with flight.FlightClient(house.server.url) as client:
        found = client.get_flight_info(flight.FlightDescriptor.for_command(asked), options)
        client.do_get(found.endpoints[0].ticket, options).read_all()


def by_adbc(house: Any, token: str, statement: str) -> None:
    header = adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value
    with (
        adbc.connect(
            house.server.url, db_kwargs={header: f"Bearer {token}"}, autocommit=True
        ) as database,
        database.cursor() as cursor,
    ):
        cursor.execute(statement)
        cursor.fetch_arrow_table()


def check(house: Any, token: str, told: Told, asked: bytes, statement: str) -> None:
    with pytest.raises(told.flight) as seen:
        by_flight(house, token, asked)
    with pytest.raises(adbc.Error) as sql:
        by_adbc(house, token, statement)
    assert sql.value.status_code is told.adbc, str(sql.value)
    for text in (str(seen.value), str(sql.value)):
        assert "Traceback" not in text
        assert ".py" not in text.partition("debug context")[0]


@pytest.fixture
def filled(house: Any) -> Any:
    house.documents(BUY, 3)
    house.documents("restricted sides=sell", 3, start=10)
    return house


@pytest.mark.parametrize(("asked", "statement", "told"), CASES.values(), ids=CASES)
def test_a_failure_has_one_code_over_both_protocols(
    filled: Any, asked: dict[str, Any], statement: str, told: Told
) -> None:
    check(filled, filled.token(BUY), told, content(asked), statement)


def test_nobody_is_unauthenticated(filled: Any) -> None:
    right = content({}), f"SELECT text FROM {DOCUMENTS}"
    for token in ("nobody", filled.token(BUY, lifetime_s=-1)):
        check(filled, token, UNAUTHENTICATED, *right)
    filled.disabled.add("ana")
    check(filled, filled.token(BUY), UNAUTHENTICATED, *right)


def test_what_cannot_be_decided_is_unavailable(filled: Any) -> None:
    filled.journal.close()
    check(filled, filled.token(BUY), UNAVAILABLE, content({}), f"SELECT text FROM {DOCUMENTS}")


def test_a_full_server_is_unavailable(open_house: Any) -> None:
    full = open_house(limits=Limits(streams=0))
    with full.stack:
        full.documents(BUY, 1)
        check(full, full.token(BUY), UNAVAILABLE, content({}), f"SELECT text FROM {DOCUMENTS}")


def test_a_read_that_takes_too_long_is_timed_out(open_house: Any) -> None:
    slow = open_house(limits=Limits(stream_s=0.5, piece_bytes=1 << 16))
    with slow.stack:
        slow.documents(BUY, 6000, text="long " * 2000)
        token = slow.token(BUY)
        options = flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
        client = slow.stack.enter_context(flight.FlightClient(slow.server.url))
        asked = flight.FlightDescriptor.for_command(content({}))
        stream = client.do_get(client.get_flight_info(asked, options).endpoints[0].ticket, options)
        header = adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value
        told = {header: f"Bearer {token}"}
        with (
            adbc.connect(slow.server.url, db_kwargs=told, autocommit=True) as database,
            database.cursor() as cursor,
        ):
            cursor.execute(f"SELECT text FROM {DOCUMENTS}")
            rows = cursor.fetch_record_batch()
            time.sleep(RECHECK_S + 0.2)
            with pytest.raises(flight.FlightTimedOutError, match="too long"):
                stream.read_all()
            with pytest.raises((adbc.Error, OSError), match="too long") as sql:
                rows.read_all()
            if isinstance(sql.value, adbc.Error):
                assert sql.value.status_code is AdbcStatusCode.TIMEOUT
            assert "Traceback" not in str(sql.value)


def test_the_client_raises_the_platforms_own_errors(filled: Any) -> None:
    buyer = filled.client(filled.token(BUY))
    for asked, _, told in CASES.values():
        if "what" in asked:
            continue
        with pytest.raises(told.client):
            buyer.read(**{"table": DOCUMENTS, **asked}).read_all()


FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "columns": ({"columns": "text"}, r"columns is a list of names, such as \['text'\]"),
    "where": ({"where": "num_pii = 0"}, r"where is a list of conditions, such as \[\("),
    "one condition": ({"where": ("num_pii", "=", 0)}, r"where is a list of conditions"),
    "half a condition": ({"where": [("num_pii", "=")]}, r"where is a list of conditions"),
    "operator": ({"where": [("num_pii", "~", 0)]}, r"operator is one of: =, !="),
    "value": ({"where": [("num_pii", "=", object())]}, r"value is a text, a number"),
    "purpose": ({"purpose": "fun"}, r"the purpose is one of: .*analysis"),
    "limit": ({"limit": "5"}, r"limit is a whole number from 0"),
    "version": ({"version": "1"}, r"version is a whole number from 0"),
}


@pytest.mark.parametrize(("asked", "form"), FORMS.values(), ids=FORMS)
def test_a_question_of_another_form_is_told_the_right_one(
    filled: Any, asked: dict[str, Any], form: str
) -> None:
    buyer = filled.client("a token that is not even sent")
    with pytest.raises(Refused, match=form):
        buyer.read(DOCUMENTS, **asked)


def test_purposes_of_list_and_describe_too(filled: Any) -> None:
    buyer = filled.client(filled.token(BUY))
    calls: list[Callable[[], object]] = [
        lambda: buyer.list("fun"),
        lambda: buyer.describe(DOCUMENTS, "fun"),
    ]
    for call in calls:
        with pytest.raises(Refused, match="the purpose is one of"):
            call()


# --- What the server's own log says


def test_the_log_tells_when_decisions_end_and_begin_again(
    open_house: Any, served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    loose = Loose(served)
    house = open_house(engine=loose)
    caplog.set_level(logging.INFO, "halocline_governance.guard")
    with house.stack:
        house.documents(BUY, 3)
        buyer = house.client(house.token(BUY))
        for _ in range(2):
            buyer.read(DOCUMENTS).read_all()
            loose.down = True
            for call in (buyer.list, lambda: buyer.read(DOCUMENTS).read_all(), buyer.list):
                with pytest.raises(PolicyUnavailable, match="try again"):
                    call()
            loose.down = False
            buyer.read(DOCUMENTS).read_all()
            with pytest.raises(Denied):
                buyer.read(f"sell:{DOCUMENTS}").read_all()
    said = [record.getMessage() for record in caplog.records]
    down = "nothing is decided, so every read is denied: down (docs/runbook.md)"
    assert said == [down, "decisions are made again"] * 2


NOISY = """
import sys
from halocline_governance.errors import HaloclineError
from halocline_governance.guard.client import connect
from halocline_governance.guard.server import GuardServer
server = GuardServer(None, None)
for act in (
    lambda: GuardServer(None, None, ("127.0.0.1", server.port)),
    lambda: connect(server.url.replace("grpc", "grpc+tls"), "x").list(),
    lambda: connect("grpc://127.0.0.1:1", "x").list(),
):
    try:
        act()
    except HaloclineError:
        continue
    sys.exit("nothing was raised")
server.stop()
"""


def test_grpc_writes_nothing_of_its_own_unless_asked() -> None:
    def noise(**more: str) -> str:
        environment = {k: v for k, v in os.environ.items() if k != "GRPC_VERBOSITY"} | more
        done = subprocess.run(
            [sys.executable, "-c", NOISY],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        return done.stderr

    assert noise() == ""
    assert "add_port" in noise(GRPC_VERBOSITY="ERROR")


def test_a_descriptor_is_checked_before_it_is_sent() -> None:
    with pytest.raises(Refused):
        Descriptor(DOCUMENTS, limit=float("inf")).encode()  # pyright: ignore[reportArgumentType]


def test_a_token_is_taken_up_to_a_size_and_then_refused_in_words(open_house: Any) -> None:
    house = open_house()
    with house.stack:
        house.documents(BUY, 1)

        def token(length: int) -> str:
            # Roles that mean nothing here, as an issuer may add.
            named = (f"{n:03}{'r' * length}" for n in range(100))
            return house.token(BUY, roles=("analyst", *named))

        most = next(n for n in range(100) if len(token(n)) > 7 << 10) - 1
        fits = token(most)
        client = house.client(fits)
        assert len(fits) > 6.8 * 1024
        # gRPC draws lots above its limit: no call of many may be lost below it.
        assert all(len(client.list()) == 1 for _ in range(20))
        for size in (token(most + 1), "x" * 16_380):
            with pytest.raises(Refused, match="the token has"):
                house.client(size).list()
