"""The directory's word takes effect on a running service's next call, whatever is remembered."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from halocline_governance.gates import Gates
from halocline_governance.identity import ISSUER, Authenticator, Verifier
from halocline_governance.journal import Journal
from halocline_governance.label import PUBLIC, Label
from halocline_governance.policy import Engine, open_engine
from halocline_governance.principal import Principal
from halocline_governance.state import Store
from halocline_governance.state.crossings import Crossings
from halocline_governance.state.directory import Directory, Entry
from halocline_governance.state.facts import Facts
from halocline_governance.state.history import History
from halocline_serving.app import create_app
from halocline_serving.outputs import Outputs
from halocline_serving.runtime import Runtime, ServedModel
from halocline_serving.server import running

BUY = Label("confidential", sides=("buy",))
OFFICER = Principal("cleo", ("compliance",), Label("restricted"))


@dataclass
class Office:
    """Where an officer writes: a store of its own, as another process would have it."""

    directory: Directory
    journal: Journal

    def put(self, *roles: str, clearance: Label) -> None:
        self.directory.put(Entry("ana", roles, clearance), OFFICER, self.journal)

    def set_disabled(self, disabled: bool) -> None:
        self.directory.set_disabled("ana", disabled, OFFICER, self.journal)


@pytest.fixture(params=["embedded", "opa"])
def engine(request: pytest.FixtureRequest, policy: Engine) -> Iterator[Engine]:
    if request.param == "embedded":
        yield policy
        return
    found = shutil.which("opa", path=str(Path(sys.prefix) / "bin")) or shutil.which("opa")
    assert found, "OPA is missing: run `make setup`"
    engine = open_engine("opa", Path(found), {"restricted_issuers": []})
    yield engine
    engine.close()


@pytest.fixture
def office(world: Any, engine: Engine) -> Office:
    """The service runs; callers are told by tokens and the directory."""
    url = f"sqlite:///{world.home}/state/governance.sqlite"
    store, elsewhere = Store(url), Store(url)
    world.stack.callback(store.close)
    world.stack.callback(elsewhere.close)
    journal = world.open_journal()
    world.outputs = Outputs(world.lake, journal, every_s=0.2)
    world.stack.callback(world.outputs.close)
    scripted = world.scripted(["All ", "is ", "well."], BUY)
    verifiers = {ISSUER: Verifier(world.issuer.key.public_key())}
    world.runtime = Runtime(
        models={"scripted": ServedModel(scripted, scripted.ref, "champion", "d-1")},
        gates=Gates(engine, journal, facts=Facts(store, Crossings(store), History(store))),
        outputs=world.outputs,
        detectors=world.detectors,
        verify=Authenticator(verifiers, Directory(store)).verify,
    )
    world.url = world.stack.enter_context(running(create_app(world.runtime), port=0))
    return Office(Directory(elsewhere), journal)


def ask(client: openai.OpenAI) -> str:
    """A call; the id of the serve gate's decision."""
    raw = client.chat.completions.with_raw_response.create(
        model="scripted", messages=[{"role": "user", "content": "How is it?"}]
    )
    assert raw.parse().choices[0].message.content == "All is well."
    return raw.headers["x-halocline-decision"]


def test_who_is_disabled_is_refused_on_the_next_call(world: Any, office: Office) -> None:
    client = world.client(world.token(clearance=BUY))
    assert ask(client) == ask(client)  # the decision is remembered, and yet:
    office.set_disabled(True)
    for _ in range(3):
        with pytest.raises(openai.AuthenticationError) as caught:
            ask(client)
        assert caught.value.code == "unauthenticated"
    office.put("analyst", clearance=BUY)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
    office.set_disabled(False)
    assert ask(client)


def test_who_is_narrowed_is_denied_on_the_next_call(world: Any, office: Office) -> None:
    client = world.client(world.token(clearance=BUY))
    before = ask(client)
    office.put("analyst", clearance=PUBLIC)
    with pytest.raises(openai.PermissionDeniedError):
        ask(client)
    office.put(clearance=BUY)
    with pytest.raises(openai.PermissionDeniedError):
        ask(client)
    office.put("analyst", clearance=BUY)
    assert ask(client) != before  # decided anew: nothing of another epoch is used


def test_a_directory_that_cannot_be_read_lets_nobody_in(world: Any, office: Office) -> None:
    client = world.client(world.token(clearance=BUY))
    ask(client)
    for file in (world.home / "state").iterdir():
        file.unlink()
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client)
    assert (caught.value.status_code, caught.value.code) == (503, "unavailable")
