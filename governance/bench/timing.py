"""What the time of an answer tells: denied reads of what is hidden beside those of what is missing.

Each figure is the chance that a denied read of a hidden place takes longer than one of a place that
does not exist (the area under the ROC curve of who guesses by time alone): 0.5 tells nothing. Its
standard error is Hanley and McNeil's (1982). A scan's own time is told beside: within a
compartment that one may read, rows that one may not see are scanned too.
"""

import json
import math
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Denied
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Crossings, Facts, History, Store

TABLE = "curation.decisions"
SAMPLES = 400
WHO = Principal("bench", ("analyst",), Label("internal", ("buy",)))
# By compartment, how many labels and rows lie there; None is no table.
HIDDEN: dict[str, tuple[int, int] | None] = {
    "one": (1, 10),
    "many": (200, 200),
    "big": (1, 200_000),
    "bare": None,
}
MISSING = "gone"


def main() -> None:
    beside = Path(sys.prefix) / "bin" / "opa"
    opa = Path(shutil.which("opa") or beside)
    measured: dict[str, Any] = {"samples": SAMPLES}
    with tempfile.TemporaryDirectory(prefix="halocline-bench-") as name:
        lake = Lake(Path(name) / "lake")
        for side, size in HIDDEN.items():
            fill(lake, side, size)
        fill(lake, "buy", (1, 1_000), hidden=0)
        fill(lake, "buy.acme", (1, 1_000), hidden=199_000)
        for kind in ("embedded", "opa"):
            measured[kind] = asked(lake, Path(name) / kind, kind, opa)
    for key, value in measured.items():
        print(f"{key:10} {value}", file=sys.stderr)
    print(json.dumps(measured))


def fill(lake: Lake, place: str, size: tuple[int, int] | None, hidden: int = 0) -> None:
    """Rows of a compartment, and `hidden` more under a label that nobody here may see."""
    side, *tenants = place.split(".")
    label = Label("internal", (side,), tuple(tenants))
    if size is None:
        lake.intern(label)
        return
    num_labels, num_rows = size
    ids = [
        lake.intern(label if number == 0 else label | Label("internal", ndas=(f"n{number}",)))
        for number in range(num_labels)
    ]
    kept = [ids[number % num_labels] for number in range(num_rows)]
    if hidden:
        kept += [lake.intern(label | Label("restricted"))] * hidden
    schema = tables.table(TABLE).arrow()
    words = pa.repeat("word", len(kept))
    filled = {field.name: words for field in schema if field.type == pa.string()}
    filled["row_uid"] = pa.array(range(len(kept)), pa.int64())
    filled["kept_uid"] = pa.nulls(len(kept), pa.int64())
    filled["label_id"] = pa.array(kept)
    rows = pa.table([filled[name] for name in schema.names], schema=schema)
    with lake.lease(place, TABLE) as where:
        write_deltalake(where.uri, rows)


def asked(lake: Lake, home: Path, kind: str, opa: Path) -> dict[str, Any]:
    engine = open_engine(kind, opa, {"restricted_issuers": []})
    home.mkdir()
    store = Store(f"sqlite:///{home / 'state.sqlite'}")
    facts = Facts(store, Crossings(store), History(store))
    with Journal.open(home / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        guard = Guard(lake, Gates(engine, journal, facts=facts))
        times = interleaved(guard)
        told: dict[str, Any] = {
            side: guessed(times[side], times[MISSING]) for side in [*HIDDEN, "again"]
        }
        told["denied_p50_ms"] = round(statistics.median(times[MISSING]) * 1e3, 3)
        told["scan_200k_hidden_ms"] = scanned(guard, "buy.acme")
        told["scan_none_hidden_ms"] = scanned(guard, "buy")
    store.close()
    engine.close()
    return told


def interleaved(guard: Guard) -> dict[str, list[float]]:
    """Seconds of denied reads, in random order. `again` is the missing place once more, so that
    the figure of what cannot differ stands beside the others."""
    rng = random.Random(7)
    sides = [*HIDDEN, MISSING, "again"]
    times: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(SAMPLES + 10):
        for side in rng.sample(sides, len(sides)):
            took = denied(guard, MISSING if side == "again" else side)
            if number >= 10:
                times[side].append(took)
    return times


def denied(guard: Guard, side: str) -> float:
    began = time.perf_counter()
    try:
        guard.plan(WHO, Purpose.ANALYSIS, f"{side}:{TABLE}")
    except Denied:
        return time.perf_counter() - began
    raise AssertionError(f"{side} was read")


def guessed(hidden: list[float], missing: list[float]) -> dict[str, float]:
    wins = sum((h > m) + (h == m) / 2 for h in hidden for m in missing)
    area = wins / (len(hidden) * len(missing))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    n, m = len(hidden), len(missing)
    spread = area * (1 - area) + (n - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)
    return {"area": round(area, 3), "standard_error": round(math.sqrt(spread / (n * m)), 3)}


def scanned(guard: Guard, place: str) -> float:
    who = Principal("reader", ("analyst",), Label("internal", ("buy",), ("acme",)))
    plan = guard.plan(who, Purpose.ANALYSIS, f"{place}:{TABLE}")
    times: list[float] = []
    for _ in range(10):
        began = time.perf_counter()
        assert guard.reader(plan).read_all().num_rows == 1_000
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1e3, 2)


if __name__ == "__main__":
    main()
