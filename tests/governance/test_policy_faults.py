"""A policy server that lies, stalls or dies: a recorded denial within the deadline, and no more."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from halocline_governance.errors import PolicyUnavailable
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import Label
from halocline_governance.policy import Engine
from halocline_governance.policy.client import Address, Remote
from halocline_governance.principal import Principal, Purpose
from tests.governance.kept_events import Kept

DEADLINE_S = 0.6
# What scheduling on a busy machine may add to a deadline.
SLACK_S = 1.0
REVISION = "sha256:" + "a" * 64
ALLOW: dict[str, Any] = {"allow": True, "reasons": [], "obligations": {}}
WHOLE: dict[str, Any] = {"result": ALLOW, "provenance": {"bundles": {"b": {"revision": REVISION}}}}
Talk = Callable[[socket.socket], None]


class Liar:
    """A server on loopback that reads a request and then says what it is told to say."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.num_asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(peer,), daemon=True).start()

    def _meet(self, peer: socket.socket) -> None:
        with peer:
            try:
                while _read_request(peer):
                    self.num_asked += 1
                    self.talk(peer)
            except OSError:
                return  # the client hung up on us


def _read_request(peer: socket.socket) -> bool:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = peer.recv(65536)
        if not piece:
            return False
        got += piece
    head, _, rest = got.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(rest) < length:
        rest += peer.recv(65536)
    return True


def says(
    body: bytes | str | object, status: str = "200 OK", headers: str = "", length: int | None = None
) -> Talk:
    """Answer with this body, as JSON unless it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def talk(peer: socket.socket) -> None:
        size = len(raw) if length is None else length
        head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n"
        peer.sendall(head.encode() + raw)

    return talk


def then_hangs_up(talk: Talk) -> Talk:
    def both(peer: socket.socket) -> None:
        talk(peer)
        peer.shutdown(socket.SHUT_RDWR)

    return both


def drips(prefix: bytes, drop: bytes) -> Talk:
    """A byte now and then, each in time for any timeout of a single read."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(prefix)
        for _ in range(400):
            time.sleep(0.05)
            peer.sendall(drop)

    return talk


def silent(peer: socket.socket) -> None:
    time.sleep(20)


def resets(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    peer.close()


def floods(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for _ in range(100_000):
        peer.sendall(chunk)


def provenance(*revisions: object) -> dict[str, Any]:
    named = {str(i): {"revision": revision} for i, revision in enumerate(revisions)}
    return {"result": ALLOW, "provenance": {"bundles": named}}


def raw(text: str) -> Talk:
    """This very JSON text, with the provenance of the right revision."""
    return says(text.replace("PROVENANCE", json.dumps(WHOLE["provenance"])).encode())


OLD = "sha256:" + "b" * 64
LIES: dict[str, Talk] = {
    "result true": says({**WHOLE, "result": True}),
    "result text": says({**WHOLE, "result": "allow"}),
    "result a list": says({**WHOLE, "result": [ALLOW]}),
    "no result": says({"provenance": WHOLE["provenance"]}),
    "null result": says({**WHOLE, "result": None}),
    "extra field": says({**WHOLE, "result": {**ALLOW, "also": 1}}),
    "missing field": says({**WHOLE, "result": {"allow": True, "reasons": []}}),
    "allow 1": says({**WHOLE, "result": {**ALLOW, "allow": 1}}),
    "allow 'true'": says({**WHOLE, "result": {**ALLOW, "allow": "true"}}),
    "reasons null": says({**WHOLE, "result": {**ALLOW, "reasons": None}}),
    "obligations list": says({**WHOLE, "result": {**ALLOW, "obligations": []}}),
    "allow twice": raw(
        '{"result": {"allow": false, "allow": true, "reasons": [], "obligations": {}},'
        ' "provenance": PROVENANCE}'
    ),
    "result twice": raw(
        '{"result": null, "result": {"allow": true, "reasons": [], "obligations": {}},'
        ' "provenance": PROVENANCE}'
    ),
    "not a number": raw(
        '{"result": {"allow": true, "reasons": [], "obligations": {"until": NaN}},'
        ' "provenance": PROVENANCE}'
    ),
    "old revision": says(provenance(OLD)),
    "old and new revision": says(provenance(REVISION, OLD)),
    "no revision": says(provenance(None)),
    "revision of another type": says(provenance([REVISION])),
    "no bundles": says({"result": ALLOW, "provenance": {"bundles": {}}}),
    "bundles a list": says({"result": ALLOW, "provenance": {"bundles": [{"revision": REVISION}]}}),
    "bundles a text": says({"result": ALLOW, "provenance": {"bundles": REVISION}}),
    "bundle a text": says({"result": ALLOW, "provenance": {"bundles": {"b": REVISION}}}),
    "no provenance": says({"result": ALLOW}),
    "null provenance": says({"result": ALLOW, "provenance": None}),
    "provenance a list": says({"result": ALLOW, "provenance": [WHOLE["provenance"]]}),
    "provenance a text": says({"result": ALLOW, "provenance": REVISION}),
    "not an object": says([WHOLE]),
    "empty body": says(b""),
    "truncated JSON": says(json.dumps(WHOLE).encode()[:-3]),
    "truncated body": then_hangs_up(says(json.dumps(WHOLE).encode(), length=4000)),
    "trailing text": says(json.dumps(WHOLE).encode() + b"{}"),
    "bytes that are not UTF-8": says(json.dumps(WHOLE).encode().replace(b"[]", b'["\xff"]')),
    "UTF-16": says(json.dumps(WHOLE).encode("utf-16")),
    "nested too deep": says(b"[" * 200_000),
    "HTML": says(b"<html>allow</html>", headers="Content-Type: text/html\r\n"),
    "status 500": says(WHOLE, "500 Internal Server Error"),
    "status 401": says(WHOLE, "401 Unauthorized"),
    "status 201": says(WHOLE, "201 Created"),
    "status 204": says(b"", "204 No Content"),
    "status 101": says(b"", "101 Switching Protocols"),
    "redirect": says(WHOLE, "307 Temporary Redirect", "Location: /v1/data\r\n"),
    "redirect away": says(WHOLE, "302 Found", "Location: http://127.0.0.1:9/\r\n"),
    "gzip": says(gzip.compress(json.dumps(WHOLE).encode()), headers="Content-Encoding: gzip\r\n"),
    "gzip bomb": says(gzip.compress(b" " * 50_000_000), headers="Content-Encoding: gzip\r\n"),
    "huge body": floods,
    "huge length": says(json.dumps(WHOLE).encode(), length=2**60),
    "negative length": says(json.dumps(WHOLE).encode(), length=-1),
    "not HTTP": lambda peer: peer.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "endless header": drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "slow header": drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "slow body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", b" "),
    "slow chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "continues for ever": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "silent": silent,
    "hangs up": lambda peer: peer.shutdown(socket.SHUT_RDWR),
    "reset": resets,
}


@contextmanager
def lying(talk: Talk) -> Generator[tuple[Liar, Remote]]:
    liar = Liar(talk)
    where = Address("127.0.0.1", liar.port, tls=False, token="t")
    engine = Remote(where, REVISION, name="liar", deadline_s=DEADLINE_S)
    try:
        yield liar, engine
    finally:
        engine.close()
        liar.close()


def ask(engine: Engine, journal: Kept) -> None:
    """One question through the gates, as everybody asks."""
    principal = Principal("ana", ("analyst",), Label("public"))
    Gates(engine, journal).ask(Gate.SERVE, principal, Purpose.INFERENCE, {})


def check_recorded_denial(engine: Engine) -> None:
    journal = Kept()
    began = time.monotonic()
    with pytest.raises(PolicyUnavailable):
        ask(engine, journal)
    assert time.monotonic() - began < DEADLINE_S + SLACK_S
    (event,) = journal.events
    assert event.object["answer"]["allow"] is False
    assert event.object["answer"]["reasons"] == ["unavailable"]


def test_this_server_would_be_believed_if_it_did_not_lie() -> None:
    """Else the lies below would show nothing."""
    for talk in (says(WHOLE), then_hangs_up(says(WHOLE, headers="Connection: close\r\n"))):
        with lying(talk) as (_, engine):
            assert engine.decide("serve", {}).allow
            assert engine.decide("serve", {}).allow


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_a_recorded_denial_in_time(lie: str) -> None:
    with lying(LIES[lie]) as (_, engine):
        check_recorded_denial(engine)


@pytest.mark.parametrize("lie", ["slow body", "truncated body", "status 500", "huge body", "reset"])
def test_a_lie_spoils_nothing_that_comes_after(lie: str) -> None:
    """What is left of one answer on the wire is never read as the next one."""
    with lying(LIES[lie]) as (liar, engine):
        check_recorded_denial(engine)
        liar.talk = says({**WHOLE, "result": {**ALLOW, "allow": False}})
        assert not engine.decide("serve", {}).allow
        liar.talk = LIES[lie]
        check_recorded_denial(engine)


def test_an_answer_before_its_question_is_not_read() -> None:
    """A second answer sent along with the first would be taken for the next question's."""

    no = json.dumps({**WHOLE, "result": {**ALLOW, "allow": False}}).encode()
    yes = json.dumps(WHOLE).encode()

    def twice(peer: socket.socket) -> None:
        told = (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(one) + one for one in (no, yes)
        )
        peer.sendall(b"".join(told))

    with lying(twice) as (_, engine):
        for _ in range(5):
            assert not engine.decide("serve", {}).allow


def test_a_question_is_never_asked_twice() -> None:
    with lying(resets) as (liar, engine):
        check_recorded_denial(engine)
        assert liar.num_asked == 1


def test_a_connection_that_was_closed_while_idle_is_made_anew() -> None:
    """Nothing was asked on it, so this is no retry."""

    def last(peer: socket.socket) -> None:
        says(WHOLE)(peer)
        peer.shutdown(socket.SHUT_RDWR)

    with lying(last) as (liar, engine):
        for asked in range(1, 4):
            assert engine.decide("serve", {}).allow
            assert liar.num_asked == asked
            time.sleep(0.05)


def test_a_jump_of_the_hosts_clock_moves_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines are monotonic: neither a jump forth denies, nor a jump back waits."""
    for jump_s in (-86_400.0, 86_400.0):
        real = time.time()
        monkeypatch.setattr(time, "time", lambda at=real + jump_s: at)
        with lying(says(WHOLE)) as (liar, engine):
            assert engine.decide("serve", {}).allow
            liar.talk = LIES["slow body"]
            check_recorded_denial(engine)
