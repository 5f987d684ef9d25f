"""A policy server that is down, stopped or killed: a denial within the deadline, never an allow."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import PolicyUnavailable
from halocline_governance.policy import Engine
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.client import Address, Remote
from halocline_governance.policy.server import start

DEADLINE_S = 0.6
# What scheduling on a busy machine may add to a deadline.
SLACK_S = 1.0
REVISION = "sha256:" + "a" * 64


def check_denied(engine: Engine) -> None:
    began = time.monotonic()
    with pytest.raises(PolicyUnavailable):
        engine.decide("serve", {})
    assert time.monotonic() - began < DEADLINE_S + SLACK_S


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    engine = Remote(
        Address("127.0.0.1", port, tls=False, token=None), REVISION, name="none", deadline_s=0.6
    )

    check_denied(engine)


def test_a_full_backlog_is_not_waited_for() -> None:
    """Connecting counts too: a listener that never accepts must not hold the caller."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting: list[socket.socket] = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        where = Address("127.0.0.1", port, tls=False, token=None)
        check_denied(Remote(where, REVISION, name="full", deadline_s=DEADLINE_S))
        for one in waiting:
            one.close()


@contextmanager
def _served(opa: Path, bundle: Bundle) -> Generator[tuple[Remote, int]]:
    before = set(_children())
    engine = start(opa, bundle, deadline_s=DEADLINE_S)
    (pid,) = set(_children()) - before
    try:
        yield engine, pid
    finally:
        engine.close()


def _children() -> Iterator[int]:
    for task in Path("/proc/self/task").iterdir():
        # A thread may end between the two; the one that tends OPA does not.
        with suppress(FileNotFoundError, ProcessLookupError):
            yield from (int(pid) for pid in (task / "children").read_text().split())


def test_opa_killed_under_load_never_allows_what_it_should_not(
    opa: Path, bundle: Bundle, questions: dict[str, dict[str, Any]]
) -> None:
    asked = questions["serve"]
    refused = {**asked, "purpose": "curiosity"}
    outcomes: list[tuple[bool, str]] = []

    def work(engine: Remote, may: bool) -> None:
        for _ in range(60):
            try:
                allow = engine.decide("serve", asked if may else refused).allow
                outcomes.append((may, "allow" if allow else "deny"))
            except PolicyUnavailable:
                outcomes.append((may, "unavailable"))

    with _served(opa, bundle) as (engine, pid):
        threads = [threading.Thread(target=work, args=(engine, i % 2 == 0)) for i in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        for thread in threads:
            thread.join(60)
        check_denied(engine)

    assert len(outcomes) == 360
    assert (False, "allow") not in outcomes
    assert (True, "deny") not in outcomes
    assert (True, "unavailable") in outcomes


def test_a_stopped_opa_denies_every_thread_in_time_and_recovers(
    opa: Path, bundle: Bundle, questions: dict[str, dict[str, Any]]
) -> None:
    with _served(opa, bundle) as (engine, pid):
        assert engine.decide("serve", questions["serve"]).allow
        os.kill(pid, signal.SIGSTOP)
        try:
            threads = [threading.Thread(target=check_denied, args=(engine,)) for _ in range(8)]
            began = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            assert time.monotonic() - began < DEADLINE_S + 2 * SLACK_S
        finally:
            os.kill(pid, signal.SIGCONT)
        assert engine.decide("serve", questions["serve"]).allow
        assert not engine.decide("serve", {**questions["serve"], "purpose": "x"}).allow
