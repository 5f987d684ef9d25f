"""One decision of the read gate, uncached, side by side: embedded, through an OPA server, and the
same question by a bare httpx POST to that server. By form: the bound, which answers for any number
of labels, and label by label.

Every way is asked in turn, so that what else the machine does falls on all of them alike. Before
that, on one core and with no server running, the embedded engine alone: wall and processor time by
case, beside the floor, which is a policy that proves nothing and is asked the same.
"""

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from halocline_governance.gates import Gate
from halocline_governance.label import Label
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.choose import open_engine
from halocline_governance.policy.client import Remote
from halocline_governance.policy.embedded import Embedded
from halocline_governance.policy.engine import Engine
from halocline_governance.principal import Principal

FORMS: Mapping[str, int | None] = {
    "bound": None,
    "1_labels": 1,
    "4_labels": 4,
    "50_labels": 50,
    "200_labels": 200,
}
# Dear: each label has an NDA of its own, and the caller all of them.
CASES: Mapping[str, tuple[str, int]] = {
    "bound": ("plain", 0),
    "1_plain": ("plain", 1),
    "1_dear": ("dear", 1),
    "4_dear": ("dear", 4),
    "4_common": ("common", 4),
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


def case(kind: str, num_labels: int) -> dict[str, Any]:
    """The same with labels of a kind, or with none: for the bound alone."""
    if kind == "dear":
        return question(num_labels)
    asked = question(None)
    levels = ("internal", "public", "confidential", "restricted")
    labels = [Label(level, ("buy",)) for level in levels[:num_labels]]
    if labels:
        asked["resource"]["labels"] = {label.label_id: label.as_json() for label in labels}
    return asked


def alone(engine: Engine, seconds: float = SECONDS) -> dict[str, dict[str, float]]:
    """By case, milliseconds on one core of the engine and of the floor: by the wall's clock and by
    the processor's."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    floor = _floor()
    try:
        return {
            f"alone_{name}": _beside(engine, floor, case(*form), seconds)
            for name, form in CASES.items()
        }
    finally:
        floor.close()
        os.sched_setaffinity(0, cores)


def _floor() -> Embedded:
    """Policies that allow whatever is asked, to see what asking costs."""
    text = 'decision := {"allow": true, "reasons": [], "obligations": {}}'
    modules = {f"{gate}/{gate}.rego": f"package halocline.{gate}\n\n{text}\n" for gate in Gate}
    return Embedded(Bundle(modules, {}))


def _beside(
    engine: Engine, floor: Engine, asked: Mapping[str, Any], seconds: float
) -> dict[str, float]:
    wall: tuple[list[float], list[float]] = ([], [])
    processor: tuple[list[float], list[float]] = ([], [])
    assert engine.decide("read", asked).allow
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(wall[0]) < 20:
        for i, one in enumerate((engine, floor)):
            began, spent = time.perf_counter(), time.thread_time()
            one.decide("read", asked)
            wall[i].append((time.perf_counter() - began) * 1000)
            processor[i].append((time.thread_time() - spent) * 1000)
    figures = {
        "p50_ms": wall[0],
        "processor_p50_ms": processor[0],
        "floor_p50_ms": wall[1],
        "floor_processor_p50_ms": processor[1],
    }
    p50s = {name: round(statistics.median(times), 3) for name, times in figures.items()}
    return p50s | {"count": len(wall[0])}


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
    measured: dict[str, Any] = {**alone(embedded)}
    server = open_engine("opa", Path(found), FIRM) if found else None
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
