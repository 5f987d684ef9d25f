"""Durable appends per second, beside sqlite doing the same and this disk's own fsync."""

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Journal, Signer, verify
from halocline_governance.records import AuditEvent, Kind

CALLERS = 64
RECORDS = 20_000


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "bench", "audit", {"number": number, "plan": "x" * 200})


def spread(write: Callable[[int], object]) -> tuple[float, float]:
    """Records per second and p99 in ms of `write`, called by 64 threads."""
    waits: list[float] = []

    def one(number: int) -> None:
        began = time.perf_counter()
        write(number)
        waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(one, range(RECORDS)))
    took = time.perf_counter() - began
    return RECORDS / took, statistics.quantiles(waits, n=100)[98] * 1000


def fsync_ms(folder: Path) -> float:
    """Median time of one 512-byte append with fdatasync."""
    times: list[float] = []
    handle = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(300):
        began = time.perf_counter()
        os.write(handle, bytes(512))
        os.fdatasync(handle)
        times.append(time.perf_counter() - began)
    os.close(handle)
    return statistics.median(times) * 1000


def sqlite_rate(folder: Path) -> float:
    """Records per second of sqlite, WAL and synchronous=FULL, one transaction per record."""
    db = sqlite3.connect(folder / "log.sqlite", isolation_level=None)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=full")
    db.execute("create table log (seq integer primary key, body text)")
    count = RECORDS // 10
    began = time.perf_counter()
    for number in range(count):
        db.execute("insert into log (body) values (?)", (json.dumps(event(number).as_json()),))
    took = time.perf_counter() - began
    db.close()
    return count / took


def main() -> None:
    signer = Signer(Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        disk = fsync_ms(folder)
        with Journal.open(folder / "j", signer) as journal:
            rate, p99 = spread(lambda number: journal.append(event(number)))
        began = time.perf_counter()
        found = verify(folder / "j", signer.trust)
        verified = sum(log.num_records for log in found.logs) / (time.perf_counter() - began)
        peer = sqlite_rate(folder)
    measured = {
        "callers": CALLERS,
        "records": RECORDS,
        "fdatasync_ms": round(disk, 3),
        "durable_records_per_s": round(rate),
        "append_p99_ms": round(p99, 2),
        "append_p99_in_fdatasyncs": round(p99 / disk, 1),
        "verify_records_per_s": round(verified),
        "sqlite_wal_full_records_per_s": round(peer),
        "times_sqlite": round(rate / peer, 1),
    }
    for key, value in measured.items():
        print(f"{key:32} {value}", file=sys.stderr)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
