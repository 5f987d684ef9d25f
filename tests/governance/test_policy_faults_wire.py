"""A policy server that lies below HTTP: smuggled answers, doubly framed, or of other things."""

from __future__ import annotations

import json
import socket
import time
import zlib
from typing import Any

import pytest

from halocline_governance.errors import PolicyUnavailable
from halocline_governance.policy import Engine
from tests.governance.test_policy_faults import (
    ALLOW,
    REVISION,
    WHOLE,
    Talk,
    check_recorded_denial,
    drips,
    lying,
    raw,
    says,
)

YES = json.dumps(WHOLE).encode()
NO = json.dumps({**WHOLE, "result": {**ALLOW, "allow": False}}).encode()
OK = b"HTTP/1.1 200 OK\r\n"


def sends(*pieces: bytes, pause_s: float = 0.0) -> Talk:
    def talk(peer: socket.socket) -> None:
        for piece in pieces:
            peer.sendall(piece)
            time.sleep(pause_s)

    return talk


def framed(*headers: str, body: bytes = YES) -> Talk:
    """This body under these headers, and then the end of the connection."""

    def talk(peer: socket.socket) -> None:
        peer.sendall(OK + "".join(f"{one}\r\n" for one in headers).encode() + b"\r\n" + body)
        peer.shutdown(socket.SHUT_RDWR)

    return talk


def chunked(*chunks: bytes, last: bytes = b"0\r\n\r\n") -> bytes:
    framed_ = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks)
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + framed_ + last


def provenance(bundles: object) -> Talk:
    return says({"result": ALLOW, "provenance": {"bundles": bundles}})


def deep(levels: int) -> Talk:
    nest = "[" * levels + "]" * levels
    told = {**WHOLE, "result": {**ALLOW, "obligations": {"x": "NEST"}}}
    return says(json.dumps(told).replace('"NEST"', nest).encode())


LENGTH = len(YES)
LIES: dict[str, Talk] = {
    # What is said
    "a decision of another shape of gate": says({**WHOLE, "result": {"decision": ALLOW}}),
    "all the gates at once": says({**WHOLE, "result": {"serve": ALLOW, "read": ALLOW}}),
    "allow beside result": says({**WHOLE, **ALLOW, "result": None}),
    "allow in a list of one": says({**WHOLE, "result": [ALLOW]}),
    "allow 1.0": says({**WHOLE, "result": {**ALLOW, "allow": 1.0}}),
    "reasons for an allow": says({**WHOLE, "result": {**ALLOW, "reasons": [1]}}),
    "obligations twice": raw(
        '{"result": {"allow": true, "reasons": [], "obligations": {"a": 1}, "obligations": {}},'
        ' "provenance": PROVENANCE}'
    ),
    "a key twice, far down": raw(
        '{"result": {"allow": true, "reasons": [], "obligations": {"a": [{"b": 1, "b": 2}]}},'
        ' "provenance": PROVENANCE}'
    ),
    "a key twice, escaped": raw(
        '{"result": {"allow": true, "\\u0061llow": true, "reasons": [], "obligations": {}},'
        ' "provenance": PROVENANCE}'
    ),
    "provenance twice": raw(
        '{"result": {"allow": true, "reasons": [], "obligations": {}},'
        ' "provenance": PROVENANCE, "provenance": PROVENANCE}'
    ),
    "a number without end": raw(
        '{"result": {"allow": true, "reasons": [], "obligations": {"until": ' + "9" * 5000 + "}},"
        ' "provenance": PROVENANCE}'
    ),
    "a million deep": says(b'{"result": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"),
    "a thousand deep": deep(1000),
    "a lone surrogate": raw(
        '{"result": {"allow": "\\ud800", "reasons": [], "obligations": {}},'
        ' "provenance": PROVENANCE}'
    ),
    "a byte-order mark": says(b"\xef\xbb\xbf" + YES),
    "two documents": says(YES + b"\n" + YES),
    # Who says it
    "a revision in other letters": provenance({"b": {"revision": REVISION.upper()}}),
    "a revision with a space": provenance({"b": {"revision": REVISION + " "}}),
    "a revision elsewhere": says({"result": ALLOW, "provenance": {"revision": REVISION}}),
    "bundles a list": provenance([{"revision": REVISION}]),
    "a bundle that is only a name": provenance({"b": REVISION}),
    "ours and one without a revision": provenance({"b": {"revision": REVISION}, "c": {}}),
    "ours and one that is null": provenance({"b": {"revision": REVISION}, "c": None}),
    # How it is framed
    "deflate": says(zlib.compress(YES), headers="Content-Encoding: deflate\r\n"),
    "packed in two ways": says(YES, headers="Content-Encoding: identity, gzip\r\n"),
    "too short a length": says(YES, length=LENGTH - 1),
    "too long a length": framed(f"Content-Length: {LENGTH + 1}"),
    "no length, cut short": framed(body=YES[:-1]),
    "chunks cut short": sends(chunked(YES[:20], last=b"")[:-2]),
    "a chunk of no size": sends(
        OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n" + YES + b"\r\n0\r\n\r\n"
    ),
    "a chunk of a negative size": sends(
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + YES + b"\r\n0\r\n\r\n"
    ),
    "a chunk as long as the world": sends(
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + YES
    ),
    "dripping chunks": drips(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;x=" + b"y" * 50 + b"\r\n \r\n"
    ),
    "trailers for ever": drips(chunked(YES, last=b"0\r\n"), b"X-A: b\r\n"),
    "a hundred and one headers": framed(*(f"X-{n}: y" for n in range(101)), "Content-Length: 5"),
    "a header as long as the world": framed("X: " + "y" * 100_000),
    "a status of no number": sends(b"HTTP/1.1 OK 200\r\nContent-Length: 5\r\n\r\n" + YES),
    "HTTP/0.9": sends(YES),
    "HTTP/2": sends(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a hint, then silence": sends(b"HTTP/1.1 103 Early Hints\r\n\r\n", pause_s=3),
    "see other": says(WHOLE, "303 See Other", "Location: file:///etc/passwd\r\n"),
    "permanently elsewhere": says(WHOLE, "308 Permanent Redirect", "Location: //evil/\r\n"),
    "a challenge": says(WHOLE, "407 Proxy Authentication Required", "Proxy-Authenticate: x\r\n"),
    "206": says(WHOLE, "206 Partial Content"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_a_recorded_denial_in_time(lie: str) -> None:
    with lying(LIES[lie]) as (_, engine):
        check_recorded_denial(engine)


SMUGGLED: dict[str, bytes] = {
    "behind a length": OK + b"Content-Length: %d\r\n\r\n" % len(NO) + NO
    + OK + b"Content-Length: %d\r\n\r\n" % LENGTH + YES,
    "behind the last chunk": chunked(NO) + OK + b"Content-Length: %d\r\n\r\n" % LENGTH + YES,
    "in a trailer": chunked(NO, last=b"0\r\nX: HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") + YES,
    "before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" + OK
    + b"Content-Length: %d\r\n\r\n" % len(NO) + NO + YES,
    "as a body without length": OK + b"Connection: keep-alive\r\n"
    + b"Content-Length: %d\r\n\r\n" % len(NO) + NO + b"\r\n\r\n" + OK + b"\r\n" + YES,
}  # fmt: skip


@pytest.mark.parametrize("how", SMUGGLED)
def test_a_second_answer_is_never_the_next_questions(how: str) -> None:
    """Each question gets a no, with a yes sent along: at no time is the yes believed."""
    with lying(sends(SMUGGLED[how])) as (_, engine):
        for _ in range(4):
            assert not allows(engine)


def test_a_second_answer_that_comes_late_is_not_believed_either() -> None:
    first = OK + b"Content-Length: %d\r\n\r\n" % len(NO) + NO
    second = OK + b"Content-Length: %d\r\n\r\n" % LENGTH + YES
    with lying(sends(first, second, pause_s=0.05)) as (_, engine):
        for _ in range(4):
            assert not allows(engine)
            time.sleep(0.1)


@pytest.mark.parametrize(
    "headers",
    [
        (f"Content-Length: {len(NO)}", f"Content-Length: {len(NO) + LENGTH}"),
        (f"Content-Length: {len(NO) + LENGTH}", f"Content-Length: {len(NO)}"),
        (f"Content-Length: {len(NO)}, {len(NO)}",),
        (f"Content-Length: {len(NO)}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: identity", f"Content-Length: {len(NO)}"),
        ("Transfer-Encoding : chunked", f"Content-Length: {len(NO)}"),
    ],
    ids=str,
)
def test_an_answer_framed_in_two_ways_never_allows(headers: tuple[str, ...]) -> None:
    """Whichever way it is read, the next question is not answered by its rest."""
    head = OK + "".join(f"{one}\r\n" for one in headers).encode() + b"\r\n"
    with lying(sends(head + NO + YES)) as (_, engine):
        assert not allows(engine)
        assert not allows(engine)


def allows(engine: Engine) -> bool:
    """Whether it does; no answer is a no."""
    try:
        return engine.decide("serve", {}).allow
    except PolicyUnavailable:
        return False


def test_these_servers_would_be_believed_if_they_did_not_lie() -> None:
    """Else the lies above would show nothing."""
    honest: list[Talk] = [
        sends(chunked(YES[:20], YES[20:])),
        sends(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: %d\r\n\r\n" % LENGTH + YES),
        framed(),
        framed(f"Content-Length: {LENGTH}"),
        deep(1),
    ]
    for talk in honest:
        with lying(talk) as (_, engine):
            assert engine.decide("serve", {}).allow
    no: Any = says({**WHOLE, "result": {**ALLOW, "allow": False}})
    with lying(no) as (_, engine):
        assert not engine.decide("serve", {}).allow
