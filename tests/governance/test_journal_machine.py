"""The journal against a plain list: whatever is done to it in whatever order, it holds what was
acknowledged, in order, provably, and nothing else."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)

from halocline_governance.journal import Journal, Receipt, proof, read, segments, verify
from halocline_governance.records import AuditEvent, Kind, timestamp
from tests.governance.journal_world import SIGNER, judged

MAX_OPEN = 3
WHICH = st.integers(0, MAX_OPEN - 1)
TEXTS = st.text(max_size=40)


def quietly_copied(folder: Path, copy: Path) -> None:
    """A copy of one moment: nothing was written, not even a head, while it was made."""

    def state() -> list[tuple[str, int, int]]:
        found = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
        return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found]

    while True:
        try:
            before = state()
            shutil.copytree(folder, copy)
            if before == state():
                return
        except (OSError, shutil.Error):
            pass  # a draft was there and is gone
        shutil.rmtree(copy, ignore_errors=True)


class Machine(RuleBasedStateMachine):
    """`acked[log]` is the plain list: the numbers of the durable records, by their place."""

    def __init__(self) -> None:
        super().__init__()
        self.scratch = Path(tempfile.mkdtemp(prefix="journal-machine-"))
        self.folder = self.scratch / "journal"
        self.open: list[Journal] = []
        self.acked: dict[str, dict[int, int]] = {}
        self.notes: dict[str, list[str]] = {}
        self.number = 0
        self.steps = 0
        self.clock = time.time

    def teardown(self) -> None:
        time.time = self.clock
        for journal in self.open:
            journal.close()
        if self.acked:
            self.holds()
        shutil.rmtree(self.scratch)

    def event(self, text: str = "") -> AuditEvent:
        self.number += 1
        seen: dict[str, Any] = {"number": self.number, "text": text}
        return AuditEvent(Kind.READ, "ana", "analysis", seen, ts=timestamp(time.time()))

    def acknowledge(self, journal: Journal, number: int, receipt: Receipt) -> None:
        log = self.acked[journal.name]
        assert receipt.log == journal.name
        assert receipt.seq not in log
        log[receipt.seq] = number

    def some(self, which: int) -> Journal:
        return self.open[which % len(self.open)]

    @initialize()
    def begin(self) -> None:
        self.another()

    @precondition(lambda self: len(self.open) < MAX_OPEN)
    @rule()
    def another(self) -> None:
        """It takes the first name that nobody holds, as another process would."""
        held = {journal.name for journal in self.open}
        journal = Journal.open(self.folder, SIGNER)
        self.open.append(journal)
        self.acked.setdefault(journal.name, {})
        self.notes.setdefault(journal.name, [])
        free = (f"log-{number:04d}" for number in range(MAX_OPEN + 1))
        assert journal.name == next(name for name in free if name not in held)

    @precondition(lambda self: self.open)
    @rule(which=WHICH, texts=st.lists(TEXTS, min_size=1, max_size=8))
    def append(self, which: int, texts: list[str]) -> None:
        journal = self.some(which)
        for text in texts:
            event = self.event(text)
            self.acknowledge(journal, event.object["number"], journal.append(event))

    @precondition(lambda self: self.open)
    @rule(each=st.integers(1, 6))
    def append_from_threads(self, each: int) -> None:
        """Several threads on every open log."""
        done: list[tuple[Journal, int, Receipt]] = []
        work = [(journal, [self.event() for _ in range(each)]) for journal in self.open * 2]

        def run(journal: Journal, events: list[AuditEvent]) -> None:
            done.extend((journal, e.object["number"], journal.append(e)) for e in events)

        threads = [threading.Thread(target=run, args=item) for item in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == each * len(work)
        for journal, number, receipt in done:
            self.acknowledge(journal, number, receipt)

    @precondition(lambda self: self.open)
    @rule(which=WHICH, count=st.integers(1, 30))
    def append_in_a_loop(self, which: int, count: int) -> None:
        journal, events = self.some(which), [self.event() for _ in range(count)]

        async def all_of_them() -> list[Receipt]:
            return await asyncio.gather(*(journal.append_async(event) for event in events))

        for event, receipt in zip(events, asyncio.run(all_of_them()), strict=True):
            self.acknowledge(journal, event.object["number"], receipt)

    @precondition(lambda self: self.open)
    @rule(which=WHICH)
    def seal(self, which: int) -> None:
        journal = self.some(which)
        note = journal.seal()
        assert SIGNER.trust.open(note).size > max(self.acked[journal.name], default=-1)
        self.notes[journal.name].append(note)

    @precondition(lambda self: self.open)
    @rule(which=WHICH)
    def close(self, which: int) -> None:
        journal = self.some(which)
        journal.close()
        self.open.remove(journal)

    @rule(back=st.floats(-1e6, 1e6))
    def clock_steps(self, back: float) -> None:
        real = self.clock
        time.time = lambda: real() - back

    @precondition(lambda self: self.open)
    @rule(which=WHICH, stage=st.integers(0, 3), cut=st.floats(0, 1), draft=st.booleans())
    def crash(self, which: int, stage: int, cut: float, draft: bool) -> None:
        """All writers die while one of them writes one more record, which nobody acknowledged."""
        journal, left = self.some(which), self.scratch / "left"
        quietly_copied(self.folder, left)
        event = self.event("x" * 300)
        receipt = journal.append(event)
        survives = self._leave(left / journal.name, journal.name, stage, cut)
        if draft:
            (left / journal.name / ".checkpoint").write_bytes(b"halocline/log")
        for each in self.open:
            each.close()
        self.open = []
        shutil.rmtree(self.folder)
        left.rename(self.folder)
        if survives:
            self.acked[journal.name][receipt.seq] = event.object["number"]

    def _leave(self, left: Path, name: str, stage: int, cut: float) -> bool:
        """What came to disk of one more record: part of its frame, behind a new segment's head."""
        written = self.folder / name
        grown = sorted(written.glob("*.seg"))[-1]
        old = left / grown.name
        if not old.exists():
            if stage == 0:
                return False
            shutil.copy(written / "checkpoint", left / "checkpoint")
            if stage == 1:
                return False
            old.touch()
            before = 0
        else:
            before = old.stat().st_size
        new = grown.read_bytes()[before:]
        part = new[: round(len(new) * cut)]
        with old.open("ab") as file:
            file.write(part if stage < 3 else part + bytes(len(new) - len(part)))
        return part == new

    @precondition(lambda self: self.open)
    @rule(which=WHICH, at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def damage(self, which: int, at: float, bit: int) -> None:
        """One bit of what a head covers: both verifiers say no, and yes again when it is back."""
        journal = self.some(which)
        journal.seal()
        copy = self.scratch / "copy"
        quietly_copied(self.folder, copy)
        paths = [*(copy / journal.name).glob("*.seg"), copy / journal.name / "checkpoint"]
        data = [(path, path.read_bytes()) for path in sorted(paths)]
        offset = int(at * sum(len(good) for _, good in data))
        for path, good in data:
            if offset < len(good):
                bad = bytearray(good)
                bad[offset] ^= 1 << bit
                path.write_bytes(bad)
                assert not judged(copy, self.scratch / "trust").ok, (path.name, offset, bit)
                path.write_bytes(good)
                break
            offset -= len(good)
        assert judged(copy, self.scratch / "trust").ok
        shutil.rmtree(copy)

    @precondition(lambda self: any(self.acked.values()))
    @rule(pick=st.integers(0, 10**6))
    def prove(self, pick: int) -> None:
        """Any record under any head that covers it, and any two heads of a log."""
        choose = random.Random(pick)
        for journal in self.open:
            journal.seal()
        name = choose.choice([log for log, records in self.acked.items() if records])
        newest = (self.folder / name / "checkpoint").read_text(encoding="utf-8")
        covered = SIGNER.trust.open(newest).size
        if min(self.acked[name]) >= covered:
            return  # its writer died before it signed a head
        seq = choose.choice([seq for seq in self.acked[name] if seq < covered])
        notes = [n for n in self.notes[name] if SIGNER.trust.open(n).size > seq]
        found = proof.prove(self.folder, name, seq, choose.choice([None, *notes]))
        event = proof.check(proof.Proof.parse(found.as_json()), SIGNER.trust)
        assert event["object"]["number"] == self.acked[name][seq]
        if len(self.notes[name]) > 1:
            old, new = sorted(choose.sample(range(len(self.notes[name])), 2))
            between = proof.consistency(
                self.folder, name, self.notes[name][old], self.notes[name][new]
            )
            between.check(SIGNER.trust)

    @invariant()
    def holds_now_and_then(self) -> None:
        self.steps += 1
        if self.steps % 8 == 0:
            self.holds()

    def holds(self) -> None:
        """It verifies, under every head there ever was, and reads as the model has it."""
        heads = [note for notes in self.notes.values() for note in notes]
        found = verify(self.folder, SIGNER.trust, heads=heads)
        assert found.ok, found.problems
        told: dict[str, dict[int, int]] = {name: {} for name in self.acked}
        places: dict[str, list[int]] = {name: [] for name in self.acked}
        for log, seq, event in read(self.folder):
            places[log].append(seq)
            if event["kind"] == Kind.READ:
                told[log][seq] = event["object"]["number"]
        assert told == self.acked
        assert all(seqs == list(range(len(seqs))) for seqs in places.values())


@pytest.mark.timeout(3600)
def test_the_journal_is_the_plain_list(
    scale: Callable[[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With segments so small that many are begun; at the soak size some 10^5 operations."""
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 2000)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=scale(4, 1200),
            stateful_step_count=scale(40, 90),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            phases=[Phase.generate, Phase.shrink],
        ),
    )
