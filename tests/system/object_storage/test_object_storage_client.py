"""What our own S3 client asks and believes: each label once, no more than it must, over a fork."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from halocline_governance.errors import StorageUnavailable
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.lake.bucket import Bucket
from halocline_governance.lake.s3 import S3Client
from tests.system.object_storage.relay import Relay

if TYPE_CHECKING:
    from tests.system.object_storage.conftest import Server, Servers, User

pytestmark = pytest.mark.system

TABLE = "curated.documents"


@pytest.fixture(scope="module")
def own(servers: Servers) -> Server:
    """One in whose buckets nobody else leaves labels."""
    return servers.fresh()


@pytest.fixture
def user(own: Server) -> User:
    return own.user("buy")


@pytest.fixture
def relay(own: Server) -> Iterator[Relay]:
    with Relay(own.port).running() as relay:
        yield relay


def seen_by(relay: Relay, user: User, home: Path) -> Lake:
    place = replace(user.place, endpoint=relay.endpoint)
    return Lake(home / "lake", {"buy": Bucket("buy", place)})


def label(name: str) -> Label:
    return Label("internal", ("buy",), issuers=(name,))


def spoil(user: User, one: Label, content: bytes = b"{}") -> None:
    path = f"/{user.bucket}/lake/_labels/{one.label_id}"
    assert user.ask("PUT", path, content=content).status == 200


def test_each_label_is_read_once_and_a_spoilt_one_again_when_it_was_replaced(
    relay: Relay, user: User, tmp_path: Path
) -> None:
    lake, (good, bad) = seen_by(relay, user, tmp_path), map(label, ("good", "bad"))
    lake.intern(good)
    spoil(user, bad)

    for _ in range(5):
        assert lake.labels("buy").get(good.label_id) == good
        assert bad.label_id not in lake.labels("buy")
    assert lake.labels("buy") is lake.labels("buy")
    assert len(relay.paths("GET", f"_labels/{good.label_id}")) == 1
    assert len(relay.paths("GET", f"_labels/{bad.label_id}")) == 1

    spoil(user, bad, b"{} ")
    assert bad.label_id not in lake.labels("buy")
    spoil(user, bad, bad.canonical())
    assert lake.labels("buy")[bad.label_id] == bad
    # What was right once stays right here: its name says what it is.
    spoil(user, bad)
    assert lake.labels("buy")[bad.label_id] == bad
    assert bad.label_id not in seen_by(relay, user, tmp_path).labels("buy")


def test_a_label_taken_away_while_it_was_looked_for_is_found_when_it_is_back(
    own: Server, user: User, tmp_path: Path
) -> None:
    one = label("gone")
    with Relay(own.port, hold=f"_labels/{one.label_id}").running() as relay:
        lake = seen_by(relay, user, tmp_path)
        spoil(user, one, one.canonical())
        looking = threading.Thread(target=lake.labels, args=("buy",))
        looking.start()
        assert relay.held.wait(10)
        path = f"/{user.bucket}/lake/_labels/{one.label_id}"
        user.ask("DELETE", path)
        relay.go.set()
        looking.join()

        assert one.label_id not in lake.labels("buy")
        spoil(user, one, one.canonical())
        assert lake.labels("buy")[one.label_id] == one


def test_interning_mends_a_spoilt_label_and_asks_once(
    relay: Relay, user: User, tmp_path: Path
) -> None:
    lake, bad = seen_by(relay, user, tmp_path), label("mended")
    spoil(user, bad, bad.canonical()[:-1])
    for _ in range(3):
        assert lake.intern(bad) == bad.label_id

    assert lake.labels("buy")[bad.label_id] == bad
    assert len(relay.paths("PUT", f"_labels/{bad.label_id}")) == 2


def forked(act: Callable[[], bool], limit_s: float = 20) -> bool:
    """Whether a forked child finds it so, in time."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if act() else 1
            gc.collect()
        finally:
            os._exit(code)
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def test_a_child_forked_while_labels_are_read_reads_them_over_a_connection_of_its_own(
    own: Server, user: User, tmp_path: Path
) -> None:
    first, second = label("first"), label("second")
    with Relay(own.port, hold=f"_labels/{second.label_id}").running() as relay:
        lake = seen_by(relay, user, tmp_path)
        lake.intern(first)
        known = lake.labels("buy").keys()
        spoil(user, second, second.canonical())
        # Holds the lock of the labels, and a connection in the middle of a request.
        reading = threading.Thread(target=lake.labels, args=("buy",))
        reading.start()
        assert relay.held.wait(10)
        before = {one.connection for one in relay.asked}
        num = len(relay.asked)
        threading.Timer(1, relay.go.set).start()

        wanted = {*known, second.label_id}
        assert forked(
            lambda: set(lake.labels("buy")) == wanted and lake.exists("buy", TABLE) is False
        )
        asked = relay.asked[num:]
        reading.join()
        assert set(lake.labels("buy")) == wanted
    assert asked
    assert not before & {one.connection for one in asked}


def test_a_child_does_not_give_back_its_parent_s_lease(
    relay: Relay, user: User, tmp_path: Path
) -> None:
    lake = seen_by(relay, user, tmp_path)
    path = f"/{user.bucket}/lake/_leases/{TABLE}"
    with lake.lease("buy", TABLE):
        held = user.ask("GET", path).body
        leaving = lake.lease("buy", "raw.documents")
        leaving.__enter__()

        def leave() -> bool:
            leaving.__exit__(None, None, None)
            return True

        assert forked(leave)
        other = f"/{user.bucket}/lake/_leases/raw.documents"
        assert b'"ends": 0.0' not in user.ask("GET", other).body
        leaving.__exit__(None, None, None)
        assert b'"ends": 0.0' in user.ask("GET", other).body
        assert user.ask("GET", path).body == held


class Endless(BaseHTTPRequestHandler):
    """Says something at once and then goes on as long as it is heard."""

    num_sent = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("etag", '"x"')
        self.end_headers()
        try:
            while True:
                Endless.num_sent += self.wfile.write(b"<" * 65536)
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_of_an_endless_answer_a_label_s_worth_is_read(user: User) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = replace(user.place, endpoint=f"http://127.0.0.1:{server.server_port}")
        client, bucket = S3Client("buy", place), Bucket("buy", place)
        held = client.get("any")
        assert held is not None
        assert len(held.content) == 1 << 20
        with pytest.raises(StorageUnavailable, match="no listing"):
            bucket.labels()
        server.shutdown()
    # And what the sockets of both sides may buffer.
    assert Endless.num_sent < 40 << 20
