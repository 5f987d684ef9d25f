"""What the journal costs, in this disk's own syncs and beside sqlite (WAL, synchronous=FULL).

Appends by 64 coroutines and by 64 threads as fast as they can; then 2,000 a second that arrive
whether or not the ones before are done (Poisson). sqlite does the same twice: a transaction a
record, and behind the journal's own group commit; and so does a bare file, which shows what no log
can be quicker than here. A disk that stalls for 20 ms delays 40 records: waits are medians of
rounds in which all take turns. At last a log of BENCH_RECORDS records (ten million): opening it,
proving one of its records, verifying all.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Journal, Signer, proof, verify
from halocline_governance.journal.keeper import Keeper
from halocline_governance.journal.recovery import recover
from halocline_governance.journal.segments import Segments
from halocline_governance.journal.writer import GroupWriter, Sink
from halocline_governance.records import AuditEvent, Kind

CALLERS = 64
RECORDS = 64 * 1000
RATE = 2000
ROUNDS, SECONDS = 7, 2
LONG = int(os.environ.get("BENCH_RECORDS") or 10_000_000)
SIGNER = Signer(Ed25519PrivateKey.generate())
PLAN = "x" * 200


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "bench", "audit", {"number": number, "plan": PLAN})


def p99(times: Sequence[float]) -> float:
    return round(statistics.quantiles(times, n=100)[98] * 1e3, 2)


def fdatasync_ms(folder: Path) -> dict[str, float]:
    """Of one 512-byte append."""
    times: list[float] = []
    handle = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(1000):
        began = time.perf_counter()
        os.write(handle, bytes(512))
        os.fdatasync(handle)
        times.append(time.perf_counter() - began)
    os.close(handle)
    return {"p50": round(statistics.median(times) * 1e3, 3), "p99": p99(times)}


def by_coroutines(append: Callable[[int], Awaitable[object]], records: int) -> float:
    """Records per second."""

    async def one(caller: int) -> None:
        for number in range(caller, records, CALLERS):
            await append(number)

    async def all_of_them() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(one(caller) for caller in range(CALLERS)))
        return records / (time.perf_counter() - began)

    return round(asyncio.run(all_of_them()))


def by_threads(append: Callable[[int], object], records: int) -> float:
    """Records per second."""

    def one(caller: int) -> None:
        for number in range(caller, records, CALLERS):
            append(number)

    threads = [threading.Thread(target=one, args=(caller,)) for caller in range(CALLERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(records / (time.perf_counter() - began))


def arriving(append: Callable[[int], object]) -> float:
    """p99 in ms at `RATE` a second, from when a record was due: callers sleep, wake late, wait."""
    rng, due, now = random.Random(7), list[float](), 0.0
    while now < SECONDS:
        now += rng.expovariate(RATE)
        due.append(now)
    waits: list[float] = []
    start = time.perf_counter() + 0.1

    def one(caller: int) -> None:
        for number in range(caller, len(due), CALLERS):
            time.sleep(max(0.0, start + due[number] - time.perf_counter()))
            append(number)
            waits.append(time.perf_counter() - start - due[number])

    threads = [threading.Thread(target=one, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return p99(waits)


def arriving_coroutines(append: Callable[[int], Awaitable[object]]) -> float:
    """As `arriving`, by one event loop, from the call: a loop's timers are a millisecond coarse."""
    rng, waits = random.Random(7), list[float]()

    async def one(number: int) -> None:
        began = time.perf_counter()
        await append(number)
        waits.append(time.perf_counter() - began)

    async def all_of_them() -> None:
        start, now, tasks = time.perf_counter(), 0.0, list[asyncio.Task[None]]()
        while now < SECONDS:
            now += rng.expovariate(RATE)
            if (ahead := start + now - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            tasks.append(asyncio.create_task(one(len(tasks))))
        await asyncio.gather(*tasks)

    asyncio.run(all_of_them())
    return p99(waits)


class Sqlite:
    """A table of records, each durable when `append` returns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.execute("create table log (seq integer primary key, body text)")
        self._lock = threading.Lock()

    def append(self, number: int) -> None:
        body = json.dumps(event(number).as_json())
        with self._lock:
            self._db.execute("insert into log (body) values (?)", (body,))

    def write(self, bodies: Sequence[bytes]) -> Sequence[None]:
        self._db.execute("begin")
        self._db.executemany("insert into log (body) values (?)", [(body,) for body in bodies])
        self._db.execute("commit")
        return [None] * len(bodies)


class Bare:
    """A file, of which each group of bodies is durable when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, bodies: Sequence[bytes]) -> Sequence[None]:
        os.write(self._file, b"".join(bodies))
        os.fdatasync(self._file)
        return [None] * len(bodies)


@dataclass(frozen=True)
class Log:
    """How one of those compared is appended to, by number."""

    append: Callable[[int], object]
    append_async: Callable[[int], Awaitable[object]] | None = None
    records: int = RECORDS

    @classmethod
    def grouped(cls, sink: Sink[None]) -> Log:
        writer = GroupWriter(sink)

        def encoded(number: int) -> bytes:
            return json.dumps(event(number).as_json()).encode()

        return cls(
            lambda number: writer.append(encoded(number)),
            lambda number: writer.append_async(encoded(number)),
        )

    def rates(self) -> dict[str, float]:
        found = {"threads_per_s": by_threads(self.append, self.records)}
        if self.append_async:
            found["coroutines_per_s"] = by_coroutines(self.append_async, self.records)
        return found

    def waits(self, folder: Path) -> dict[str, float]:
        """At `RATE` a second, with what the disk's own sync took just before and after."""
        before = fdatasync_ms(folder)["p50"]
        found = {"threads_p99_ms": arriving(self.append)}
        if self.append_async:
            found["coroutines_p99_ms"] = arriving_coroutines(self.append_async)
        return {**found, "fdatasync_p50_ms": (before + fdatasync_ms(folder)["p50"]) / 2}


def told(rounds: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Medians over rounds; waits also in syncs of the same round, and by their quartiles."""
    found: dict[str, Any] = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        low, found[name], high = (round(one, 3) for one in statistics.quantiles(values, n=4))
        if "p99" in name:
            in_syncs = [one[name] / one["fdatasync_p50_ms"] for one in rounds]
            found[name + "_quartiles"] = [low, high]
            found[name.replace("_ms", "_in_fdatasyncs")] = round(statistics.median(in_syncs), 1)
    return found


def short(folder: Path) -> dict[str, Any]:
    """Rates and waits of the journal and of those beside it."""
    sqlite = Sqlite(folder / "each.sqlite")
    with Journal.open(folder / "j", SIGNER) as journal:
        logs = {
            "journal": Log(
                lambda number: journal.append(event(number)),
                lambda number: journal.append_async(event(number)),
            ),
            "sqlite": Log(sqlite.append, None, RECORDS // 16),
            "sqlite_in_groups": Log.grouped(Sqlite(folder / "grouped.sqlite")),
            "bare_file_in_groups": Log.grouped(Bare(folder / "bare")),
        }
        rates = {name: log.rates() for name, log in logs.items()}
        rounds = [{name: log.waits(folder) for name, log in logs.items()} for _ in range(ROUNDS)]
    return {name: rates[name] | told([one[name] for one in rounds]) for name in logs}


def build(folder: Path) -> None:
    """A log of `LONG` records, by the journal's own writer but for its queue."""
    Journal.open(folder, SIGNER).close()
    log = folder / "log-0000"
    found = recover(log, SIGNER, None)
    segments = Segments(found.last, found.tree, found.prev, found.head.size)
    keeper = Keeper(segments, log, SIGNER, None, found.kept)
    segments.sign = keeper.sign
    body = (
        '{"event_id":"01940000-0000-7000-8000-%012x","kind":"read","object":{"number":%d},'
        '"purpose":"audit","subject":"bench","ts":"2026-01-01T00:00:00.000000Z"}'
    )
    for start in range(0, LONG, 4096):
        numbers = range(start, min(start + 4096, LONG))
        segments.write([(body % (number, number)).encode() for number in numbers])
        found.kept.extend(*segments.fresh())
        if start % (4096 * 256) == 0:
            print(f"   {start:>10,} of {LONG:,} records", file=sys.stderr, flush=True)
    keeper.sign()
    keeper.close()
    segments.close()


def long(folder: Path) -> dict[str, Any]:
    """Times of a long log."""
    build(folder)
    began = time.perf_counter()
    Journal.open(folder, SIGNER).close()
    opened = time.perf_counter() - began
    rng, times = random.Random(7), list[float]()
    for _ in range(200):
        seq = rng.randrange(LONG)
        began = time.perf_counter()
        proof.prove(folder, "log-0000", seq)
        times.append(time.perf_counter() - began)
    began = time.perf_counter()
    found = verify(folder, SIGNER.trust)
    verified = found.logs[0].num_records / (time.perf_counter() - began)
    assert found.ok
    return {
        "records": LONG,
        "open_and_close_s": round(opened, 3),
        "proof_p50_ms": round(statistics.median(times) * 1e3, 2),
        "proof_p99_ms": p99(times),
        "verify_per_s": round(verified),
    }


def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        measured: dict[str, Any] = {
            "fdatasync_ms": fdatasync_ms(Path(name)),
            **short(Path(name)),
            "long": long(Path(name) / "long"),
        }
    for key, value in measured.items():
        for inner, figure in value.items():
            figure_text = f"{figure:,}" if isinstance(figure, int | float) else str(figure)
            print(f"{key:20} {inner:28} {figure_text:>16}", file=sys.stderr)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
