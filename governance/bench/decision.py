"""One decision of the read gate: embedded and through an OPA server, by number of labels."""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halocline_governance.label import Label
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal

NUM_LABELS = (1, 4, 50, 200)


def question(count: int) -> dict[str, Any]:
    labels = [Label("internal", ("buy",), ndas=(f"n{number}",)) for number in range(count)]
    clearance = Label("restricted", ("buy",), ndas=tuple(sorted(f"n{n}" for n in range(count))))
    return {
        "principal": Principal("bench", ("analyst",), clearance).as_json(),
        "purpose": "analysis",
        "resource": {
            "table": "curated.documents",
            "compartment": "buy",
            "columns": ["row_uid", "text"],
            "labels": {label.label_id: label.as_json() for label in labels},
        },
        "context": {"now": 1_700_000_000},
    }


def timed(ask: Callable[[], object], seconds: float = 2.0) -> dict[str, float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(times, n=100)
    return {"p50_ms": round(cuts[49], 3), "p99_ms": round(cuts[98], 3), "count": len(times)}


def main() -> None:
    beside = Path(sys.prefix) / "bin" / "opa"
    found = str(beside) if beside.exists() else shutil.which("opa")
    measured: dict[str, Any] = {}
    for name in ("embedded", *(["opa"] if found else [])):
        engine = open_engine(name, Path(found) if found else None, {"restricted_issuers": []})
        for count in NUM_LABELS:
            asked = question(count)
            assert engine.decide("read", asked).allow
            measured[f"{name}_{count}_labels"] = timed(
                lambda e=engine, a=asked: e.decide("read", a)
            )
        engine.close()
    for key, value in measured.items():
        print(f"{key:24} {value}", file=sys.stderr)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
