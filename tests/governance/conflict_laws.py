"""What holds of conflict classes, whichever the database. Each test gives `url` in its own way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import JournalUnavailable
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import PUBLIC, Label
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Crossings, Facts, History, Store
from tests.governance.kept_events import Kept
from tests.governance.stored import Decided

Scale = Callable[[int, int], int]
TENANTS = ("alpha", "beta", "delta", "gamma")

# Asks for what its arguments say and writes down what it was handed, as a job writes rows. KILLED
# makes it kill itself when the decision is recorded, `before` or `after` it is durable.
ASKING = """
import os, signal, sys
sys.path.insert(0, os.environ["ROOT"])
from pathlib import Path
from halocline_governance.gates import Gates
from halocline_governance.journal import Journal, Signer
from halocline_governance.keys import ed25519
from halocline_governance.policy import open_engine
from halocline_governance.state import Store
from tests.governance.conflict_laws import asked, facts_of
from tests.governance.stored import FIRM

home = Path(os.environ["JOURNAL"])
journal = Journal.open(home / "journal", Signer(ed25519(home / "journal.key")))

class Killed:
    def append(self, event):
        if os.environ.get("KILLED") == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        journal.append(event)
        if os.environ.get("KILLED") == "after":
            os.kill(os.getpid(), signal.SIGKILL)

engine, store = open_engine("embedded", None, FIRM), Store(os.environ["URL"])
gates = Gates(engine, Killed(), facts=facts_of(store))
handed = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
print("ready", flush=True)
sys.stdin.readline()
for word in sys.argv[2:]:
    subject, tenant = word.split(":")
    if asked(gates, subject, tenant).allow:
        os.write(handed, f"{subject} {tenant}\\n".encode())
"""


def facts_of(store: Store) -> Facts:
    return Facts(store, Crossings(store), History(store))


def person(subject: str, role: str = "banker") -> Principal:
    return Principal(subject, (role,), Label("confidential", ("buy",), TENANTS))


def about(tenant: str) -> dict[str, Any]:
    """A question of the serve gate about a model of this tenant."""
    label = Label("confidential", ("buy",), (tenant,)).as_json()
    model = {"name": "house", "version": 2, "weights_sha256": "a" * 64, "label": label}
    return {
        "endpoint": "/v1/chat/completions",
        "model": {**model, "alias": "champion"},
        "context_label": PUBLIC.as_json(),
    }


def asked(gates: Gates, subject: str, tenant: str, role: str = "banker") -> Any:
    return gates.ask(Gate.SERVE, person(subject, role), Purpose.INFERENCE, about(tenant))


def start(url: str, home: Path, out: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", ASKING, str(out), *words],
        env={**os.environ, "URL": url, "JOURNAL": str(home), "ROOT": root, **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=120)
    return process.returncode


def handed(folder: Path) -> set[tuple[str, str]]:
    lines = [line for path in folder.glob("*.out") for line in path.read_text().splitlines()]
    return {(line.split()[0], line.split()[1]) for line in lines}


class ConflictLaws(Decided):
    @pytest.fixture
    def kept(self) -> Kept:
        return Kept()

    @pytest.fixture
    def gates(self, engine: Engine, store: Store, kept: Kept) -> Gates:
        return Gates(engine, kept, facts=facts_of(store))

    def test_who_touched_one_may_not_touch_its_competitor(self, gates: Gates, store: Store) -> None:
        assert asked(gates, "bea", "alpha").allow
        assert not asked(gates, "bea", "beta").allow
        assert asked(gates, "bea", "alpha").allow
        assert asked(gates, "bea", "gamma").allow  # pairs, not classes
        assert asked(gates, "dan", "beta").allow
        assert History(store).of("bea") == ("alpha", "gamma")
        assert History(store).of("dan") == ("beta",)

    def test_a_touch_names_the_decision_that_allowed_it(
        self, gates: Gates, store: Store, kept: Kept
    ) -> None:
        decision = asked(gates, "bea", "alpha")

        (touch,) = History(store).touches()
        assert (touch.subject, touch.tenant) == ("bea", "alpha")
        assert touch.decision_id == decision.id
        assert kept.events[-1].object["answer"]["obligations"]["touches"] == ["alpha"]

    def test_the_exempt_and_what_competes_with_nobody_leave_no_history(
        self, gates: Gates, store: Store
    ) -> None:
        assert asked(gates, "cora", "alpha", "compliance").allow
        assert asked(gates, "cora", "beta", "compliance").allow
        assert asked(gates, "bea", "delta").allow
        assert History(store).touches() == ()

    def test_what_cannot_be_recorded_is_not_touched(
        self, gates: Gates, store: Store, kept: Kept
    ) -> None:
        kept.fails = lambda _: True
        with pytest.raises(JournalUnavailable):
            asked(gates, "bea", "alpha")
        kept.fails = lambda _: False

        assert History(store).of("bea") == ()
        assert asked(gates, "bea", "beta").allow

    def test_threads_never_win_both(
        self, url: str, engine: Engine, store: Store, kept: Kept, scale: Scale
    ) -> None:
        many = 8
        for number in range(scale(15, 500)):
            subject, barrier = f"s{number}", threading.Barrier(many)
            doors = [Gates(engine, kept, facts=facts_of(store)) for _ in range(2)]

            def ask(
                turn: int,
                subject: str = subject,
                barrier: threading.Barrier = barrier,
                doors: list[Gates] = doors,
            ) -> tuple[str, bool]:
                tenant = ("alpha", "beta")[turn % 2]
                barrier.wait()
                return tenant, asked(doors[turn // 2 % 2], subject, tenant).allow

            with ThreadPoolExecutor(many) as pool:
                answers = list(pool.map(ask, range(many)))

            won = {tenant for tenant, allow in answers if allow}
            assert len(won) == 1
            assert History(store).of(subject) == tuple(won)
            assert sum(allow for _, allow in answers) == many // 2

    def test_processes_never_win_both(
        self, url: str, store: Store, tmp_path: Path, scale: Scale
    ) -> None:
        subjects = [f"s{number}" for number in range(scale(10, 200))]
        running: list[subprocess.Popen[str]] = []
        for number in range(4):
            order = ("alpha", "beta") if number % 2 else ("beta", "alpha")
            words = [f"{subject}:{tenant}" for subject in subjects for tenant in order]
            running.append(start(url, tmp_path, tmp_path / f"{number}.out", *words))
        for process in running:
            let_go(process)
        assert [ended(process) for process in running] == [0] * 4

        won = handed(tmp_path)
        assert {subject for subject, _ in won} == set(subjects)
        assert len(won) == len(subjects)
        touched = {(one.subject, one.tenant) for one in History(store).touches()}
        assert won == touched

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_killed_between_decision_and_touch_nothing_is_handed_over(
        self, url: str, store: Store, tmp_path: Path, when: str
    ) -> None:
        process = start(url, tmp_path, tmp_path / "0.out", "bea:alpha", KILLED=when)
        let_go(process)

        assert ended(process) == -signal.SIGKILL
        assert handed(tmp_path) == set()
        assert History(store).of("bea") == ()

    def test_killed_at_any_time_all_that_was_handed_over_is_in_the_history(
        self, url: str, store: Store, tmp_path: Path, rng: random.Random, scale: Scale
    ) -> None:
        for turn in range(scale(3, 40)):
            words = [f"t{turn}-{number}:alpha" for number in range(3000)]
            process = start(url, tmp_path, tmp_path / f"{turn}.out", *words)
            let_go(process)
            time.sleep(rng.uniform(0.05, 0.6))
            process.kill()
            ended(process)

        touched = {(one.subject, one.tenant) for one in History(store).touches()}
        assert handed(tmp_path) <= touched
        assert len(touched - handed(tmp_path)) <= scale(3, 40)
        assert touched
