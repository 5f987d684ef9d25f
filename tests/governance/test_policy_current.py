"""What decides follows its files: a change counts from the next question on, and what cannot be
loaded denies. On both engines, with real files."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from halocline_governance import keys
from halocline_governance.decision import Decision
from halocline_governance.errors import HaloclineError, PolicyUnavailable
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import Label
from halocline_governance.policy import Engine, Signed, open_engine, signing
from halocline_governance.policy.archive import pack
from halocline_governance.policy.bundle import collect
from halocline_governance.policy.current import Current
from halocline_governance.policy.firm import Firm
from halocline_governance.policy.origin import Origin
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Store
from halocline_governance.state.crossings import Crossings
from halocline_governance.state.facts import Facts
from halocline_governance.state.history import History
from tests.governance.forking import in_a_child
from tests.governance.kept_events import Kept

BEA = Principal("bea", ("analyst",), Label("confidential", ("buy",)))
QUESTION = {
    "table": "curated.documents",
    "compartment": "buy",
    "columns": ["row_uid", "text"],
}
INPUT = {
    "principal": BEA.as_json(),
    "purpose": "analysis",
    "resource": QUESTION,
    "context": {"now": 1_700_000_000},
}


class FirmFile:
    """A firm's facts in a file, and engines made from it."""

    def __init__(self, path: Path, kind: str, opa: Path) -> None:
        self.path, self._kind, self._opa = path, kind, opa
        self.num_opened = 0
        self.restrict("initech")

    def restrict(self, *issuers: str) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({"restricted_issuers": list(issuers)}))
        draft.replace(self.path)

    def open(self, origin: Origin) -> Engine:
        self.num_opened += 1
        return open_engine(self._kind, self._opa, Firm(self.path).facts(origin.read))


@pytest.fixture(params=["embedded", "opa"])
def firm(request: pytest.FixtureRequest, tmp_path: Path, opa: Path) -> FirmFile:
    return FirmFile(tmp_path / "firm.json", request.param, opa)


@pytest.fixture
def current(firm: FirmFile) -> Iterator[Current]:
    engine = Current([firm.path], firm.open)
    yield engine
    engine.close()


def _blocked(engine: Engine) -> list[str]:
    return engine.decide("read", INPUT).obligations["blocked_issuers"]


def test_a_restriction_counts_from_the_next_question_on(firm: FirmFile, current: Current) -> None:
    before = current.revision
    assert _blocked(current) == ["initech"]
    for issuers in (["acme", "initech"], [], ["globex"]):
        firm.restrict(*issuers)
        assert _blocked(current) == issuers
        assert current.revision not in ("", before)
    firm.restrict("initech")
    assert current.revision == before


def test_what_did_not_change_is_not_loaded_again(firm: FirmFile, current: Current) -> None:
    for _ in range(20):
        _blocked(current)
    os.utime(firm.path)
    firm.path.write_text(firm.path.read_text())
    assert _blocked(current) == ["initech"]
    assert firm.num_opened == 1


def test_an_edit_without_a_trace_in_size_or_time_is_seen(firm: FirmFile, current: Current) -> None:
    seen = firm.path.stat()
    firm.path.write_text(firm.path.read_text().replace("initech", "inltech"))
    os.utime(firm.path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert _blocked(current) == ["inltech"]


def _lose(path: Path) -> None:
    path.unlink()


def _make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _writing(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_lose, id="lost"),
        pytest.param(_make_a_folder, id="a-folder"),
        pytest.param(_make_a_pipe, id="a-pipe"),
        pytest.param(_writing('{"restricted_issuers": ["ini'), id="torn"),
        pytest.param(_writing("{}"), id="empty"),
        pytest.param(_writing('{"restricted_issuers": [], "more": []}'), id="unknown-fact"),
    ],
)
def test_what_cannot_be_loaded_denies_until_it_is_mended(
    firm: FirmFile, current: Current, spoil: Callable[[Path], object]
) -> None:
    assert _blocked(current) == ["initech"]
    spoil(firm.path)
    for ask in (lambda: _blocked(current), lambda: current.revision):
        with pytest.raises(PolicyUnavailable):
            ask()
    if firm.path.is_dir():
        firm.path.rmdir()
    firm.restrict("acme")
    assert _blocked(current) == ["acme"]


def test_a_server_that_died_is_not_replaced(firm: FirmFile, current: Current) -> None:
    """Only what changed is loaded: an engine that fails denies."""
    current.close()
    with pytest.raises(PolicyUnavailable):
        _blocked(current)
    firm.restrict("acme")
    with pytest.raises(PolicyUnavailable):
        _blocked(current)


def test_what_fails_to_open_is_tried_again_without_a_change(tmp_path: Path) -> None:
    """A server elsewhere may not be there yet when the file here is."""
    path = tmp_path / "facts"
    path.write_text("1")
    is_down = False

    def opened(origin: Origin) -> Engine:
        if is_down:
            raise PolicyUnavailable("not there yet")
        issuers = [origin.read(path).decode()]
        return open_engine("embedded", None, {"restricted_issuers": issuers})

    current = Current([path], opened)
    is_down = True
    path.write_text("2")
    with pytest.raises(PolicyUnavailable, match="not there yet"):
        _blocked(current)
    is_down = False
    ends = time.monotonic() + 30
    found: list[str] = []
    while not found and time.monotonic() < ends:
        try:
            found = _blocked(current)
        except PolicyUnavailable:
            time.sleep(0.05)
    current.close()
    assert found == ["2"]


def test_no_question_after_a_change_is_answered_from_before_it(
    firm: FirmFile, current: Current, rng: Any
) -> None:
    """Askers in threads, while the list grows: whoever asks after issuer n was written is told of
    it, and whoever is in the middle of a question gets an answer."""
    written, over = 0, threading.Event()
    wrong: list[str] = []

    def ask() -> None:
        while not over.is_set():
            least = written
            try:
                told = _blocked(current)
            except HaloclineError as error:
                wrong.append(repr(error))
                return
            if not {f"issuer-{n}" for n in range(least)} <= set(told):
                wrong.append(f"{least} were written, told {told}")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    firm.restrict()
    for thread in threads:
        thread.start()
    for n in range(4):
        firm.restrict(*(f"issuer-{k}" for k in range(n + 1)))
        written = n + 1
        time.sleep(rng.random() * 0.3)
    over.set()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert _blocked(current) == [f"issuer-{n}" for n in range(4)]


def test_gates_record_what_could_not_be_loaded_as_denied(firm: FirmFile, current: Current) -> None:
    kept = Kept()
    gates = Gates(current, kept)
    assert gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, QUESTION).allow
    firm.path.write_text("nonsense")
    with pytest.raises(PolicyUnavailable):
        gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, QUESTION)
    answers = [event.object["answer"] for event in kept.events]
    assert [answer["allow"] for answer in answers] == [True, False]


class Overtaken(Current):
    """Its file changes after it told its revision, and before it is asked."""

    def __init__(self, firm: FirmFile) -> None:
        super().__init__([firm.path], firm.open)
        self.overtake: Callable[[], object] = lambda: None

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        self.overtake()
        return super().decide(gate, input)


def test_a_decision_is_remembered_for_those_that_made_it(firm: FirmFile, tmp_path: Path) -> None:
    store = Store(sa.URL.create("sqlite", database=str(tmp_path / "state.sqlite")))
    facts = Facts(store, Crossings(store), History(store))
    engine = Overtaken(firm)
    gates = Gates(engine, Kept(), facts=facts)
    engine.overtake = firm.restrict  # nothing is restricted for a moment
    lax = gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, QUESTION)
    engine.overtake = lambda: None
    firm.restrict("initech")
    told = gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, QUESTION)
    again = gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, QUESTION)
    engine.close()
    store.close()
    assert lax.obligations["blocked_issuers"] == []
    assert told.obligations["blocked_issuers"] == ["initech"]
    assert again.id == told.id


def test_a_signed_bundle_is_rolled_out_by_its_file_and_not_back(tmp_path: Path, opa: Path) -> None:
    key = keys.p256(tmp_path / "policy.key")
    place = Signed(tmp_path / "bundle.tar.gz", tmp_path / "policy.pub", tmp_path / "epoch")
    place.key.write_bytes(signing.pem(key.public_key()))
    old, new = (
        pack(collect({"restricted_issuers": [issuer]}), epoch, key)
        for epoch, issuer in ((1, "initech"), (2, "acme"))
    )
    place.bundle.write_bytes(old)
    files = [place.bundle, place.key]

    def opened(origin: Origin) -> Engine:
        return open_engine("opa", opa, None, signed=replace(place, read=origin.read))

    current = Current(files, opened)
    assert _blocked(current) == ["initech"]
    place.bundle.write_bytes(new)
    assert _blocked(current) == ["acme"]
    strangers = keys.p256(tmp_path / "stranger.key")
    nobodys = pack(collect({"restricted_issuers": []}), 3, strangers)
    for bad in (old, new[:-100], nobodys):
        place.bundle.write_bytes(bad)
        with pytest.raises(PolicyUnavailable):
            _blocked(current)
    place.bundle.write_bytes(new)
    assert _blocked(current) == ["acme"]
    current.close()


def test_a_forked_child_is_denied_at_once_and_leaves_its_parents_engine(
    firm: FirmFile, current: Current
) -> None:
    """Whether another thread asks, or loads, at the moment of the fork."""
    over = threading.Event()

    def ask() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            if number % 20 == 0:
                firm.restrict(f"issuer-{number}")
            _blocked(current)

    def childs() -> str:
        try:
            _blocked(current)
        except PolicyUnavailable as error:
            current.close()
            return str(error)
        return "it was answered"

    asker = threading.Thread(target=ask)
    asker.start()
    said = [in_a_child(childs) for _ in range(8)]
    over.set()
    asker.join(60)
    assert said == ["open a policy engine in this process"] * 8
    firm.restrict("acme")
    assert _blocked(current) == ["acme"]


def test_what_was_looked_at_is_what_decides(firm: FirmFile) -> None:
    """A file that was another one for the moment of loading, and then the first again."""
    strict = firm.path.read_bytes()

    def opened(origin: Origin) -> Engine:
        firm.restrict()
        try:
            return firm.open(origin)
        finally:
            firm.path.write_bytes(strict)

    engine = Current([firm.path], opened)
    assert _blocked(engine) == ["initech"]
    engine.close()
