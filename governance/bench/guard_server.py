"""Arrow through the guard server on loopback: beside a bare Flight server that streams the same
files without a token, a decision or a filter; and the server's peak memory at three table sizes.

The bare one scans the table in one scan, which queues up to a GiB and more for a slow reader.
"""

import json
import os
import sys
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake
from pyarrow import flight

from halocline_governance import tables
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.guard.client import connect
from halocline_governance.guard.server import GuardServer
from halocline_governance.identity import Issuer, Verifier
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine

TABLE = "curated.documents"
LABEL = Label("confidential", ("buy",))
# The smallest table is larger than what is read ahead.
ROWS_A_FILE = 50_000
FILES = 8
SIZES = {"x1": FILES, "x4": 4 * FILES, "x16": 16 * FILES}
COLUMNS = ("row_uid", "label_id", "source", "content_sha256", "text")
ROUNDS = 3


def write(lake: Lake, files: int) -> None:
    label_id = lake.intern(LABEL)
    schema = tables.table(TABLE).arrow()
    with lake.lease("buy", TABLE) as place:
        for number in range(files):
            first = number * ROWS_A_FILE
            uids = range(first, first + ROWS_A_FILE)
            columns: dict[str, Any] = {
                "row_uid": uids,
                "label_id": [label_id] * ROWS_A_FILE,
                "source": ["bench"] * ROWS_A_FILE,
                "licence": ["MIT"] * ROWS_A_FILE,
                "language": ["en"] * ROWS_A_FILE,
                "content_sha256": [f"{uid:064x}" for uid in uids],
                "subject_keys": [[]] * ROWS_A_FILE,
                "num_pii": [0] * ROWS_A_FILE,
                "text": [f"{uid} the quick brown fox jumps over the dog. " * 10 for uid in uids],
                "recipe": ["r"] * ROWS_A_FILE,
                "run_id": ["t"] * ROWS_A_FILE,
            }
            arrays = [pa.array(columns[field.name], field.type) for field in schema]
            write_deltalake(place.uri, pa.Table.from_arrays(arrays, schema=schema), mode="append")


class Bare(flight.FlightServerBase):
    def __init__(self, path: Path) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self._path = path

    def do_get(self, context: object, ticket: object) -> flight.FlightDataStream:
        scanner = (
            DeltaTable(self._path)
            .to_pyarrow_dataset()
            .scanner(
                columns=list(COLUMNS), batch_readahead=4, fragment_readahead=2, batch_size=8192
            )
        )
        return flight.RecordBatchStream(scanner.to_reader())


def serve(home: Path, kind: str, told: Connection) -> None:
    """One server in a process of its own, until told; then its peak memory in MiB."""
    if kind == "bare":
        bare = Bare(Lake(home / "lake").path("buy", TABLE))
        told.send((f"grpc://127.0.0.1:{bare.port}", ""))
        told.recv()
    else:
        key = Ed25519PrivateKey.generate()
        token = Issuer(key).issue("bench", ["analyst"], LABEL)
        with Journal.open(home / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
            engine = open_engine("embedded", None, {"restricted_issuers": []})
            guard = Guard(Lake(home / "lake"), Gates(engine, journal))
            server = GuardServer(guard, Verifier(key.public_key()).verify)
            told.send((server.url, token))
            told.recv()
            server.stop()
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    told.send(int(peak.split()[1]) / 1024)
    told.recv()
    os._exit(0)


def drain(batches: Any) -> int:
    return sum(batch.nbytes for batch in batches)


def measure(home: Path, kind: str) -> dict[str, float]:
    """The best of some reads; the client only counts."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(home, kind, theirs))
    process.start()
    url, token = ours.recv()
    speeds, first, size = list[float](), list[float](), 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        if kind == "bare":
            with flight.FlightClient(url) as client:
                rows = client.do_get(flight.Ticket(b"")).to_reader()
                head = rows.read_next_batch()
                first.append(time.perf_counter() - began)
                size = head.nbytes + drain(rows)
        else:
            with connect(url, token) as lake:
                rows = lake.read(f"buy:{TABLE}", COLUMNS)
                head = rows.read_next_batch()
                first.append(time.perf_counter() - began)
                size = head.nbytes + drain(rows)
        speeds.append(size / 1e6 / (time.perf_counter() - began))
    ours.send("end")
    peak = ours.recv()
    ours.send("bye")
    process.join()
    return {
        "MB": round(size / 1e6, 1),
        "MB_per_s": round(max(speeds), 1),
        "first_batch_ms": round(min(first) * 1000, 1),
        "peak_rss_MiB": round(peak, 1),
    }


def main() -> None:
    measured: dict[str, Any] = {"load_before": round(os.getloadavg()[0], 2)}
    with tempfile.TemporaryDirectory() as folder:
        for name, files in SIZES.items():
            home = Path(folder) / name
            write(Lake(home / "lake"), files)
            bare, guard = measure(home, "bare"), measure(home, "guard")
            ratio = round(guard["MB_per_s"] / bare["MB_per_s"], 3)
            measured[name] = {"bare": bare, "guard": guard, "ratio": ratio}
            print(told(name, measured[name]), file=sys.stderr)
    for kind in ("bare", "guard"):
        peaks = [measured[name][kind]["peak_rss_MiB"] for name in SIZES]
        growth = {name: round(peak / peaks[0], 3) for name, peak in zip(SIZES, peaks, strict=True)}
        measured[f"{kind}_peak_growth"] = growth
        print(f"{kind:5} peak memory beside x1: {growth}", file=sys.stderr)
    print(json.dumps(measured))


def told(name: str, size: dict[str, Any]) -> str:
    bare, guard = size["bare"], size["guard"]
    return (
        f"{name:4} {guard['MB']:7.0f} MB: guard {guard['MB_per_s']:.0f} MB/s, bare "
        f"{bare['MB_per_s']:.0f} MB/s, ratio {size['ratio']:.2f}; peak memory guard "
        f"{guard['peak_rss_MiB']:.0f} MiB, bare {bare['peak_rss_MiB']:.0f} MiB"
    )


if __name__ == "__main__":
    main()
