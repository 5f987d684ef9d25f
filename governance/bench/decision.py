"""One decision of the read gate, uncached, side by side: embedded, through an OPA server, and the
same question by a bare httpx POST to that server. By form: the bound, which answers for any number
of labels, and label by label.

Every way is asked in turn, so that what else the machine does falls on all of them alike.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from halocline_governance.label import Label
from halocline_governance.policy.choose import open_engine
from halocline_governance.policy.client import Remote
from halocline_governance.principal import Principal

FORMS: Mapping[str, int | None] = {
    "bound": None,
    "1_labels": 1,
    "4_labels": 4,
    "50_labels": 50,
    "200_labels": 200,
}
SECONDS = 4.0
FIRM = {"restricted_issuers": ["initech", "umbrella"]}

Ask = Callable[[], object]


def question(num_labels: int | None) -> dict[str, Any]:
    """What a guard asks; with labels, as many as the caller has NDAs."""
    numbers = range(num_labels or 1)
    clearance = Label("restricted", ("buy",), ndas=tuple(sorted(f"n{n}" for n in numbers)))
    resource: dict[str, Any] = {
        "table": "curated.documents",
        "compartment": "buy",
        "columns": ["row_uid", "text"],
    }
    if num_labels is not None:
        labels = [Label("internal", ("buy",), ndas=(f"n{n}",)) for n in numbers]
        resource["labels"] = {label.label_id: label.as_json() for label in labels}
    return {
        "principal": Principal("bench", ("analyst",), clearance).as_json(),
        "purpose": "analysis",
        "resource": resource,
        "context": {"now": 1_700_000_000, "crossings": [], "history": []},
    }


def timed(ways: Mapping[str, Ask], seconds: float = SECONDS) -> dict[str, dict[str, float]]:
    """Milliseconds of each way, asked in turn."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for ask in ways.values():
        ask()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or any(len(some) < 20 for some in times.values()):
        for name, ask in ways.items():
            began = time.perf_counter()
            ask()
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: _figures(some) for name, some in times.items()}


def bare(server: Remote, asked: Mapping[str, Any]) -> Ask:
    """The same question to the same server, by httpx alone and believed as it comes."""
    where = server.where
    client = httpx.Client(
        base_url=f"http://{where.host}:{where.port}",
        headers={"Authorization": f"Bearer {where.token}"},
        trust_env=False,
    )
    path = "/v1/data/halocline/read/decision?provenance=true"
    return lambda: client.post(path, json={"input": asked}).json()["result"]


def main() -> None:
    beside = Path(sys.prefix) / "bin" / "opa"
    found = str(beside) if beside.exists() else shutil.which("opa")
    embedded = open_engine("embedded", None, FIRM)
    server = open_engine("opa", Path(found), FIRM) if found else None
    measured: dict[str, Any] = {}
    for form, num_labels in FORMS.items():
        asked = question(num_labels)
        ways: dict[str, Ask] = {"embedded": lambda a=asked: embedded.decide("read", a)}
        if isinstance(server, Remote):
            ways["opa"] = lambda a=asked, s=server: s.decide("read", a)
            ways["bare_httpx"] = bare(server, asked)
        assert embedded.decide("read", asked).allow
        figures = timed(ways)
        measured |= {f"{way}_{form}": one for way, one in figures.items()}
        if "opa" in figures:
            ratio = figures["opa"]["p50_ms"] / figures["bare_httpx"]["p50_ms"]
            measured[f"opa_over_bare_{form}"] = {"ratio_of_p50": round(ratio, 3)}
    for engine in (embedded, server):
        if engine is not None:
            engine.close()
    for key, value in measured.items():
        print(f"{key:26} {value}", file=sys.stderr)
    print(json.dumps(measured))


def _figures(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50_ms": round(cuts[49], 3), "p99_ms": round(cuts[98], 3), "count": len(times)}


if __name__ == "__main__":
    main()
