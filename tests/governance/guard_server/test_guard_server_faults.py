"""What the guard server rests on, taken away: policies, journal, token, crossing, the server."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from halocline_governance.errors import Denied, PolicyUnavailable, Unauthenticated
from halocline_governance.guard.server import Limits
from halocline_governance.policy import Engine
from tests.governance.guard_loose import Loose

DOCUMENTS = "curated.documents"
BUY = "confidential sides=buy"
# More bytes than a connection holds while nobody reads.
ROWS = 6000
SLOW = Limits(piece_bytes=1 << 16)


@pytest.fixture
def loose(served: Engine) -> Loose:
    return Loose(served)


@pytest.fixture
def house(open_house: Any, loose: Loose) -> Any:
    opened = open_house(engine=loose, limits=SLOW)
    with opened.stack:
        opened.documents(BUY, ROWS, text="long " * 2000)
        yield opened
    assert opened.server.stop()


def half_read(house: Any, token: str | None = None) -> Any:
    """A read of which a row has come and most has not."""
    rows = house.client(token or house.token(BUY)).read(DOCUMENTS)
    assert rows.read_next_batch().num_rows
    return rows


def test_policies_that_do_not_answer_deny(house: Any, loose: Loose) -> None:
    client = house.client(house.token(BUY))
    loose.down = True
    for call in (client.list, lambda: client.describe(DOCUMENTS), lambda: client.read(DOCUMENTS)):
        with pytest.raises(PolicyUnavailable, match="unavailable"):
            call()
    loose.down = False
    assert client.read(DOCUMENTS, ["row_uid"]).read_all().num_rows == ROWS


def test_a_policy_that_changed_after_the_ticket_is_the_one_that_counts(
    house: Any, loose: Loose
) -> None:
    token = house.token(BUY)
    client = house.client(token)
    info = client._flight.get_flight_info  # pyright: ignore[reportPrivateUsage]
    loose.denying = False

    def denied_meanwhile(*arguments: Any) -> Any:
        found = info(*arguments)
        loose.denying = True
        return found

    class Between:
        get_flight_info = staticmethod(denied_meanwhile)
        do_get = client._flight.do_get  # pyright: ignore[reportPrivateUsage]
        close = client._flight.close  # pyright: ignore[reportPrivateUsage]

    client._flight = Between()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    with pytest.raises(Denied):
        client.read(DOCUMENTS)


def test_without_a_journal_there_are_no_rows(house: Any) -> None:
    client = house.client(house.token(BUY))
    house.journal.close()
    for call in (client.list, lambda: client.describe(DOCUMENTS), lambda: client.read(DOCUMENTS)):
        with pytest.raises(PolicyUnavailable, match="unavailable"):
            call()


def test_a_token_that_expires_in_the_middle_ends_the_read(house: Any) -> None:
    rows = half_read(house, house.token(BUY, lifetime_s=2))
    time.sleep(2.2)
    with pytest.raises(Unauthenticated):
        rows.read_all()
    assert house.settled()


def test_a_person_disabled_in_the_middle_reads_no_further(house: Any) -> None:
    rows = half_read(house)
    house.disabled.add("ana")
    time.sleep(1.2)
    with pytest.raises(Unauthenticated):
        rows.read_all()
    assert house.settled()


def test_what_allowed_a_read_ends_in_the_middle(house: Any, loose: Loose) -> None:
    loose.alter = {"until": int(time.time()) + 3}
    rows = half_read(house)
    time.sleep(3.2)
    with pytest.raises(Denied):
        rows.read_all()
    assert house.settled()


def test_a_read_has_a_deadline(open_house: Any) -> None:
    brief = open_house(limits=replace(SLOW, stream_s=0.5))
    with brief.stack:
        brief.documents(BUY, ROWS, text="long " * 2000)
        rows = half_read(brief)
        time.sleep(1.2)
        with pytest.raises(PolicyUnavailable, match="too long"):
            rows.read_all()
        assert brief.settled()


def test_a_stopping_server_ends_its_reads_with_a_word(open_house: Any) -> None:
    house = open_house(limits=SLOW)
    with house.stack:
        house.documents(BUY, ROWS, text="long " * 2000)
        rows = half_read(house)
        time.sleep(1.1)
        ended: list[bool] = []
        stopping = threading.Thread(target=lambda: ended.append(house.server.stop()))
        stopping.start()
        with pytest.raises(PolicyUnavailable):
            rows.read_all()
        stopping.join()
        assert ended == [True]
        assert house.server.streams == 0


def test_a_caller_who_does_not_read_holds_nobody_up_for_long(open_house: Any) -> None:
    house = open_house(limits=SLOW)
    house.documents(BUY, ROWS, text="long " * 2000)
    with house.stack:
        rows = half_read(house)
        time.sleep(0.5)  # until the connection is full, and the server waits for the caller
        assert not house.server.stop(timeout_s=0.5)
        del rows
        assert house.settled()
