"""The ledger only grows, nobody comes between, and a changed row is found and named."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from halocline_governance.errors import Unverified
from halocline_registry.ledger import Entry, Ledger, Step


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def add(ledger: Ledger, number: int, record: Callable[[Entry], object] = lambda _: None) -> None:
    ledger.add(lambda _: (Step.REQUESTED, {"number": number}), record)


def numbers(ledger: Ledger) -> list[int]:
    return [entry.body["number"] for entry in ledger.entries()]


def test_rows_are_linked_and_come_back(path: Path) -> None:
    ledger = Ledger(path)
    for number in range(5):
        add(ledger, number)
    ledger.close()
    entries = Ledger(path).entries()

    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.prev for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]


def test_nothing_is_written_that_was_not_recorded_first(path: Path) -> None:
    ledger = Ledger(path)

    def fail(_: Entry) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        add(ledger, 1, fail)
    assert ledger.entries() == ()
    recorded: list[Entry] = []
    add(ledger, 2, recorded.append)
    assert tuple(recorded) == ledger.entries()


def test_no_row_when_there_is_nothing_to_say(path: Path) -> None:
    ledger = Ledger(path)

    assert ledger.add(lambda _: None, lambda _: pytest.fail("recorded")) is None
    assert ledger.entries() == ()


def test_processes_and_threads_take_turns(path: Path) -> None:
    """Each adds one more than it sees; a lost update would repeat a number."""
    ledgers = [Ledger(path), Ledger(path)]

    def bump(place: int) -> None:
        def count(entries: tuple[Entry, ...]) -> tuple[Step, dict[str, int]]:
            return Step.REQUESTED, {"number": len(entries)}

        ledgers[place % 2].add(count, lambda _: None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bump, range(60)))
    assert numbers(ledgers[0]) == numbers(ledgers[1]) == list(range(60))


def test_the_database_itself_refuses_to_change_a_row(path: Path) -> None:
    add(Ledger(path), 1)
    with sqlite3.connect(path) as db:
        for statement in ("UPDATE entry SET hash = 'x'", "DELETE FROM entry"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET content = replace(content, '\"number\":2', '\"number\":9') WHERE seq = 3",
        "UPDATE entry SET hash = printf('%064d', 0) WHERE seq = 3",
        "UPDATE entry SET content = '{}' WHERE seq = 3",
        "UPDATE entry SET content = ' ' || content WHERE seq = 3",
        "DELETE FROM entry WHERE seq = 3",
        "UPDATE entry SET seq = 33 WHERE seq = 3",
    ],
)
def test_whoever_gets_around_that_is_found(path: Path, statement: str) -> None:
    ledger = Ledger(path)
    for number in range(5):
        add(ledger, number)
    ledger.close()
    tamper(path, statement)

    with pytest.raises(Unverified, match="row 3"):
        Ledger(path)


def test_a_row_rewritten_with_its_hash_breaks_the_next(path: Path) -> None:
    ledger = Ledger(path)
    for number in range(3):
        add(ledger, number)
    second = ledger.entries()[1]
    forged = Entry(second.seq, second.prev, second.ts, second.step, {"number": 7})
    ledger.close()
    tamper(
        path,
        "UPDATE entry SET content = ?, hash = ? WHERE seq = 2",
        forged.content().decode(),
        forged.hash,
    )

    with pytest.raises(Unverified, match="row 3"):
        Ledger(path)


def tamper(path: Path, statement: str, *values: str) -> None:
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER entry_is_final")
    db.execute("DROP TRIGGER entry_stays")
    db.execute(statement, values)
    db.commit()
    db.close()


WRITER = """
import sys
from pathlib import Path
from halocline_registry.ledger import Ledger, Step

ledger = Ledger(Path(sys.argv[1]))
for number in range(10_000):
    ledger.add(lambda rows: (Step.REQUESTED, {"number": len(rows)}), lambda entry: None)
    print(number, flush=True)
"""


def test_what_returned_survives_a_kill(path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    returned = [int(writer.stdout.readline()) for _ in range(20)]
    os.kill(writer.pid, signal.SIGKILL)
    returned += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    ledger = Ledger(path)

    assert numbers(ledger) == list(range(len(ledger.entries())))
    assert len(ledger.entries()) >= len(returned)
    add(ledger, -1)


def test_rows_are_plain_json(path: Path) -> None:
    ledger = Ledger(path)
    add(ledger, 1)
    (row,) = [json.loads(json.dumps(entry.as_json())) for entry in ledger.entries()]

    assert row["step"] == "requested"
    assert row["body"] == {"number": 1}
