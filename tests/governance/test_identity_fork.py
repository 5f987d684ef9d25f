"""A process that forks while its threads verify, decide and look up: the child neither hangs nor
speaks on its parent's connections, and takes nothing from it when it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import PolicyUnavailable, Unauthenticated
from halocline_governance.identity import Authenticator
from halocline_governance.identity.oidc import FRESH_S, PAUSE_S
from halocline_governance.policy import Engine, open_engine
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.server import start
from halocline_governance.state import Store
from halocline_governance.state.directory import Directory
from tests.governance.forking import in_a_child
from tests.governance.oidc_issuer import ED, World, jwk, send

# A fork with threads is what is tested, and Python warns of it from 3.12 on.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


@pytest.fixture
def slow(world: World) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The issuer's first answer waits: `asked` says that somebody does, `go` lets it come."""
    asked, go = threading.Event(), threading.Event()

    def wait(request: BaseHTTPRequestHandler) -> None:
        if not asked.is_set():
            asked.set()
            go.wait(10)
        send(request, {"keys": world.keys})

    world.answers["/realm/keys"] = wait
    yield asked, go
    go.set()


def test_a_fork_amid_a_fetch_leaves_the_child_free_to_fetch(
    world: World, slow: tuple[threading.Event, threading.Event]
) -> None:
    verifier, token = world.verifier(), world.token()
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(verifier.verify(token).subject))
    thread.start()
    assert slow[0].wait(10), "the parent fetches, and holds its lock"
    assert in_a_child(lambda: verifier.verify(token).subject) == "ana"
    slow[1].set()
    thread.join(10)
    assert found == ["ana"]


def test_a_child_has_the_keys_of_its_parent_and_looks_for_new_ones_itself(world: World) -> None:
    verifier = world.verifier()
    assert verifier.verify(world.token()).subject == "ana"
    assert in_a_child(lambda: verifier.verify(world.token()).subject) == "ana"
    assert world.num_fetches == 1

    world.publish(jwk(ED, "k2"))
    world.wait(PAUSE_S)
    rotated = world.token(ED, "EdDSA", "k2")
    assert in_a_child(lambda: verifier.verify(rotated).subject) == "ana"
    world.wait(FRESH_S)
    assert in_a_child(lambda: verifier.verify(world.token()).subject).startswith(
        Unauthenticated.__name__
    )


def test_a_child_sees_what_its_parent_disables(world: World, tmp_path: Path) -> None:
    """The directory over a fork: connections of its own, the same database."""
    from halocline_governance.principal import Principal
    from tests.governance.directory_people import TOP, Recording

    store = Store(f"sqlite:///{tmp_path}/state/governance.sqlite")
    directory = Directory(store)
    doors = Authenticator({world.url: world.verifier()}, directory)
    assert doors.verify(world.token()).subject == "ana"
    assert in_a_child(lambda: doors.verify(world.token()).subject) == "ana"

    officer = Principal("cleo", ("compliance",), TOP)
    directory.set_disabled("ana", True, officer, Recording(store))
    said = in_a_child(lambda: doors.verify(world.token()).subject)
    assert said == "Unauthenticated: this subject is disabled in the directory"
    store.close()


def test_a_child_that_closes_leaves_its_parents_opa_alone(
    opa: Path, bundle: Bundle, questions: dict[str, dict[str, Any]]
) -> None:
    """As a context manager's end in a worker would: OPA belongs to the parent."""
    engine = start(opa, bundle)
    busy, done = threading.Event(), threading.Event()

    def work() -> None:
        while not done.is_set():
            assert engine.decide("serve", questions["serve"]).allow
            busy.set()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert busy.wait(10)
    try:
        for _ in range(10):
            assert in_a_child(lambda: _ask(engine, questions["serve"])) == "refused, and closed"
    finally:
        done.set()
        for thread in threads:
            thread.join(10)
    assert engine.decide("serve", questions["serve"]).allow
    engine.close()


def test_a_child_of_a_parent_amid_a_question_opens_an_embedded_engine_of_its_own(
    bundle: Bundle, embedded: Engine, questions: dict[str, dict[str, Any]]
) -> None:
    def open_and_ask() -> str:
        own = open_engine("embedded", None, bundle.data["firm"])
        return str(own.decide("serve", questions["serve"]).allow)

    busy, done = threading.Event(), threading.Event()

    def work() -> None:
        while not done.is_set():
            assert embedded.decide("serve", questions["serve"]).allow
            busy.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert busy.wait(10)
    try:
        for _ in range(5):
            said = in_a_child(lambda: str(embedded.decide("serve", questions["serve"])))
            assert said == "PolicyUnavailable: serve gate: open a policy engine in this process"
        assert in_a_child(open_and_ask) == "True"
    finally:
        done.set()
        thread.join(10)


def _ask(engine: Engine, question: dict[str, Any]) -> str:
    try:
        engine.decide("serve", question)
    except PolicyUnavailable:
        engine.close()
        return "refused, and closed"
    return "answered on its parent's connection"
