"""The group writer: order, room, one sync for many, and nothing after a failure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from halocline_governance.errors import JournalUnavailable
from halocline_governance.journal import Spool, writer
from halocline_governance.journal.writer import GroupWriter


class Gate:
    """A sink that writes when it is let, and answers with the place of each record."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.opened = threading.Event()
        self.error: Exception | None = None

    def write(self, bodies: Sequence[bytes]) -> Sequence[int]:
        self.opened.wait(20)
        if self.error:
            raise self.error
        first = sum(len(group) for group in self.groups)
        self.groups.append(list(bodies))
        return range(first, first + len(bodies))


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_whoever_comes_during_a_sync_shares_the_next(gate: Gate) -> None:
    group_writer = GroupWriter(gate)
    futures = [group_writer.submit(b"%d" % number) for number in range(500)]
    gate.opened.set()

    assert [future.result(20) for future in futures] == list(range(500))
    group_writer.close()
    assert len(gate.groups) <= 3
    assert b"".join(b"".join(group) for group in gate.groups) == b"".join(
        b"%d" % number for number in range(500)
    )


def test_threads_and_coroutines_wait_for_room_and_nothing_is_dropped(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_MAX_QUEUED", 4)
    group_writer = GroupWriter(gate)
    places: list[int] = []

    async def both() -> None:
        loop = asyncio.get_running_loop()
        threads = [
            loop.run_in_executor(None, group_writer.append, b"thread-%d" % number)
            for number in range(20)
        ]
        tasks = [
            asyncio.ensure_future(group_writer.append_async(b"task-%d" % number))
            for number in range(20)
        ]
        await asyncio.sleep(0.05)
        assert not any(waiting.done() for waiting in [*threads, *tasks])
        gate.opened.set()
        places.extend(await asyncio.gather(*threads, *tasks))

    asyncio.run(both())
    group_writer.close()
    assert sorted(places) == list(range(40))
    assert max(len(group) for group in gate.groups) <= 4


def test_a_record_larger_than_the_room_goes_alone(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_MAX_QUEUED_BYTES", 10)
    group_writer = GroupWriter(gate)
    gate.opened.set()

    assert group_writer.append(bytes(100)) == 0
    assert group_writer.append(b"small") == 1
    group_writer.close()


def test_after_a_failure_everybody_is_refused_for_good(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_MAX_QUEUED", 4)
    group_writer = GroupWriter(gate)
    gate.error = OSError(5, "Input/output error")

    async def everybody() -> list[int | BaseException]:
        loop = asyncio.get_running_loop()
        threads = [loop.run_in_executor(None, group_writer.append, b"thread") for _ in range(5)]
        tasks = [asyncio.ensure_future(group_writer.append_async(b"task")) for _ in range(5)]
        await asyncio.sleep(0.02)
        gate.opened.set()
        return await asyncio.gather(*threads, *tasks, return_exceptions=True)

    for error in asyncio.run(everybody()):
        assert isinstance(error, JournalUnavailable)
        assert "Input/output error" in str(error)
    gate.error = None
    with pytest.raises(JournalUnavailable, match="Input/output"):
        group_writer.append(b"later")
    group_writer.close()
    assert gate.groups == []


def test_a_cancelled_coroutine_leaves_the_others_theirs(gate: Gate) -> None:
    group_writer = GroupWriter(gate)

    async def some() -> list[int]:
        tasks = [asyncio.ensure_future(group_writer.append_async(b"%d" % n)) for n in range(9)]
        await asyncio.sleep(0.02)
        tasks[4].cancel()
        gate.opened.set()
        return await asyncio.gather(*tasks[:4], *tasks[5:])

    assert asyncio.run(some()) == [0, 1, 2, 3, 5, 6, 7, 8]
    group_writer.close()


def test_a_closed_loop_stops_nobody_else(gate: Gate) -> None:
    group_writer = GroupWriter(gate)

    async def leaves() -> None:
        task = asyncio.ensure_future(group_writer.append_async(b"left"))
        await asyncio.sleep(0.02)
        task.cancel()

    asyncio.run(leaves())
    gate.opened.set()
    assert group_writer.append(b"stays") == 1
    group_writer.close()


def test_closing_writes_what_is_queued(gate: Gate) -> None:
    group_writer = GroupWriter(gate)
    futures = [group_writer.submit(b"x") for _ in range(3)]
    closing = threading.Thread(target=group_writer.close)
    closing.start()
    gate.opened.set()
    closing.join(20)

    assert [future.result(0) for future in futures] == [0, 1, 2]
    with pytest.raises(JournalUnavailable, match="closed"):
        group_writer.append(b"late")


def test_a_spool_numbers_rows_of_threads_and_coroutines_and_goes_on(tmp_path: Path) -> None:
    for first in (1, 41):
        spool = Spool(tmp_path)

        async def both(spool: Spool = spool) -> list[int]:
            loop = asyncio.get_running_loop()
            threads = [loop.run_in_executor(None, spool.append, {"n": n}) for n in range(20)]
            return await asyncio.gather(
                *(spool.append_async({"n": n}) for n in range(20, 40)), *threads
            )

        assert sorted(asyncio.run(both())) == list(range(first, first + 40))
        rows = dict(spool.rows(after=first - 1))
        assert sorted(rows) == list(range(first, first + 40))
        assert sorted(row["n"] for row in rows.values()) == list(range(40))
        spool.close()
        with (tmp_path / "rows").open("ab") as file:
            file.write(b"\x09\x00\x00\x00torn")
