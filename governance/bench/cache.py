"""A decision that was made a moment ago, beside making it: its epoch read, the look at the files it
was made by, its key, its copy."""

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halocline_governance import keys
from halocline_governance.gates import Gate, Gates
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.policy.choose import open_engine
from halocline_governance.policy.current import Current
from halocline_governance.policy.firm import Firm
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Crossings, Facts, History, Store

BUDGET_P99_US = 50.0
# A file that was written a moment ago is read at every look: it may have changed in the same tick.
SETTLED_S = 3.0
WHO = Principal("bench", ("analyst",), Label("confidential", ("buy",), ("acme",)))


def questions() -> dict[str, tuple[Gate, Purpose, dict[str, Any]]]:
    from halocline_governance import tables

    label = Label("internal", ("buy",)).as_json()
    model = {"name": "house", "version": 2, "weights_sha256": "a" * 64, "label": label}
    read = {
        "table": "curated.documents",
        "compartment": "buy",
        "columns": [*tables.table("curated.documents").column_names],
    }
    serve = {
        "endpoint": "/v1/chat/completions",
        "model": {**model, "alias": "champion"},
        "context_label": label,
    }
    return {
        "read": (Gate.READ, Purpose.ANALYSIS, read),
        "serve": (Gate.SERVE, Purpose.INFERENCE, serve),
    }


def installed(home: Path, kind: str, opa: Path | None) -> Current:
    """An engine that follows its files, as a platform has it; they were left alone for a while."""
    firm = Firm(home / "policy" / "firm.json")
    firm.begin()
    engine = Current(
        [home / "policy" / "firm.json"],
        lambda origin: open_engine(kind, opa, firm.facts(origin.read)),
    )
    time.sleep(SETTLED_S)
    return engine


def timed(ask: Callable[[], object], seconds: float) -> dict[str, float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1e6)
    cuts = statistics.quantiles(times, n=100)
    return {"p50_us": round(cuts[49], 1), "p99_us": round(cuts[98], 1), "count": len(times)}


def main() -> None:
    beside = Path(sys.prefix) / "bin" / "opa"
    found = str(beside) if beside.exists() else shutil.which("opa")
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        store = Store(f"sqlite:///{home}/state/governance.sqlite")
        facts = Facts(store, Crossings(store), History(store))
        signer = Signer(keys.ed25519(home / "journal.key"))
        with Journal.open(home / "journal", signer) as journal:
            for kind in ("embedded", *(["opa"] if found else [])):
                engine = installed(home, kind, Path(found) if found else None)
                anew = Gates(engine, journal)
                cached = Gates(engine, journal, facts=facts)
                for gate, (where, purpose, resource) in questions().items():
                    assert cached.require(where, WHO, purpose, resource)
                    hit = timed(lambda: cached.ask(where, WHO, purpose, resource), 2.0)  # noqa: B023
                    made = timed(lambda: anew.ask(where, WHO, purpose, resource), 2.0)  # noqa: B023
                    ratio = round(made["p50_us"] / hit["p50_us"], 1)
                    measured[f"{gate}_{kind}"] = {
                        "cached": hit,
                        "uncached": made,
                        "uncached_over_cached_p50": ratio,
                        "within_budget": hit["p99_us"] <= BUDGET_P99_US,
                    }
                engine.close()
        measured["epoch"] = timed(store.epoch, 1.0)
        engine = installed(home, "embedded", None)
        measured["revision"] = timed(lambda: engine.revision, 1.0)
        engine.close()
        store.close()
    for key, value in measured.items():
        print(f"{key:16} {value}", file=sys.stderr)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
