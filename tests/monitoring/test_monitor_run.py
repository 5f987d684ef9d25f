"""Monitoring a window end to end: through the guard, once, and into its own compartment."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.errors import Denied, Refused
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.lineage import keyed
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal
from halocline_governance.records import Kind
from halocline_monitoring.alarms import Rules
from halocline_monitoring.run import ALERTS, OUTPUTS, WINDOWS, Monitor

BUY = parse_compact("confidential sides=buy")
SELL = parse_compact("confidential sides=sell")
DAY = ("2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z")
NEXT = (DAY[1], "2026-01-03T00:00:00.000000Z")
LEAK = "write to jane.roe@example.com"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as opened:
        yield opened


@pytest.fixture
def monitor(tmp_path: Path, journal: Journal) -> Monitor:
    lake = Lake(tmp_path / "lake")
    gates = Gates(open_engine("embedded", None, {"restricted_issuers": []}), journal)
    service = Principal("svc:monitor", ("service",), BUY)
    rules = Rules(events=("pii",))
    return Monitor(lake, Guard(lake, gates), gates, service, [PiiDetector()], rules)


def put(lake: Lake, count: int, label: Label = BUY, **other: Any) -> None:
    day = other.pop("day", "01")
    rows = [output(number, day, lake.intern(label), other) for number in range(count)]
    data = pa.Table.from_pylist(rows, schema=tables.table(OUTPUTS).arrow())
    with lake.lease(label.compartment, OUTPUTS) as place:
        write_deltalake(place.uri, data, mode="append")


def output(number: int, day: str, label_id: str, other: dict[str, Any]) -> dict[str, Any]:
    text = str(other.get("output", f"answer {number}"))
    ts = f"2026-01-{day}T{number // 60 % 24:02}:{number % 60:02}:00.000000Z"
    row: dict[str, Any] = {column.name: "" for column in tables.table(OUTPUTS).columns}
    return row | {
        "row_uid": number,
        "label_id": label_id,
        "request_id": f"{day}-{number:05}",
        "ts": ts,
        "finished_ts": ts,
        "model_version": 1,
        "outcome": "released",
        "finish_reason": "stop",
        "output": text,
        "released_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "verdicts": "[]",
        "prompt_tokens": 10 + number % 7,
        "completion_tokens": 20 + number % 11,
        "mean_logprob": -1.0 - number % 5 / 4,
        "mean_entropy": 2.0 + number % 3 / 4,
        **other,
    }


def recorded(lake: Lake, table: str, compartment: str = "buy") -> list[dict[str, Any]]:
    return [dict(row) for row in keyed.rows(lake, compartment, table)]


def test_a_window_is_recorded_once(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 10, output=LEAK)
    first = monitor.window(["buy"], *DAY, tmp_path / "out")
    before = recorded(monitor.lake, WINDOWS), recorded(monitor.lake, ALERTS)

    again = monitor.window(["buy"], *DAY, tmp_path / "out")

    assert (recorded(monitor.lake, WINDOWS), recorded(monitor.lake, ALERTS)) == before
    assert len(before[0]) == len(before[1]) == 1
    assert [seen.is_new for seen in (*first.observations, *again.observations)] == [True, False]
    assert again.observations[0].partial == first.observations[0].partial
    assert again.alerts == first.alerts


def test_a_run_cut_between_alerts_and_window_is_finished(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 10, output=LEAK)
    monitor.window(["buy"], *DAY, tmp_path / "out")
    shutil.rmtree(monitor.lake.path("buy", WINDOWS))

    monitor.window(["buy"], *DAY, tmp_path / "out")

    assert len(recorded(monitor.lake, WINDOWS)) == len(recorded(monitor.lake, ALERTS)) == 1


def test_each_answer_is_watched_by_the_checks_of_its_label(
    monitor: Monitor, tmp_path: Path
) -> None:
    put(monitor.lake, 2, output=LEAK)
    put(monitor.lake, 3, output=LEAK, label=Label("internal", sides=("buy",)))

    def detectors(label: Label) -> list[PiiDetector]:
        return [PiiDetector()] if label == BUY else []

    by_label = replace(monitor, detectors=detectors)

    seen = by_label.window(["buy"], *DAY, tmp_path / "out").observations[0]

    assert seen.partial.rate("now:pii@3:found") == (2, 5)


def test_only_the_windows_own_outputs_count(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 6)
    put(monitor.lake, 9, day="02")

    report = monitor.window(["buy"], *NEXT, tmp_path / "out")

    assert report.num_outputs == 9
    assert report.observations[0].reference == "the last 6 outputs before this window"


def test_without_an_earlier_window_it_says_so(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 6)

    seen = monitor.window(["buy"], *DAY, tmp_path / "out").observations[0]

    assert seen.reference.startswith("the first half of this window")
    assert "it needs 20 outputs on each side" in seen.notes[0]
    assert seen.page is None


def test_enough_outputs_give_a_page_that_holds_none_of_their_text(
    monitor: Monitor, tmp_path: Path
) -> None:
    put(monitor.lake, 60, output="marker-in-an-answer")

    page = monitor.window(["buy"], *DAY, tmp_path / "out").observations[0].page

    assert page is not None
    text = page.read_text(encoding="utf-8")
    assert "completion_tokens" in text
    assert "marker-in-an-answer" not in text
    assert page.stat().st_mode & 0o077 == 0


def test_a_leak_in_released_bytes_is_a_page(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 3)
    put(monitor.lake, 1, output=LEAK, day="01")

    report = monitor.window(["buy"], *DAY, tmp_path / "out")

    assert [(a.metric, a.severity) for a in report.alerts] == [("leaked:pii@3", "page")]
    assert recorded(monitor.lake, ALERTS)[0]["disposition"] == "open"


def test_the_record_comes_before_the_window(
    monitor: Monitor, tmp_path: Path, journal: Journal
) -> None:
    put(monitor.lake, 3)
    seen = monitor.window(["buy"], *DAY, tmp_path / "out").observations[0]

    events = [event for *_, event in read(tmp_path / "journal") if event["kind"] == Kind.MONITOR]

    assert [event["object"]["window_id"] for event in events] == [seen.window_id]
    journal.close()
    put(monitor.lake, 3, day="02")
    with pytest.raises(Exception, match="journal"):
        monitor.window(["buy"], *NEXT, tmp_path / "out")
    assert len(recorded(monitor.lake, WINDOWS)) == 1


def test_a_compartment_the_service_may_not_read_is_denied(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 3)
    put(monitor.lake, 3, label=SELL)

    with pytest.raises(Denied):
        monitor.window(["buy", "sell"], *DAY, tmp_path / "out")


def test_who_may_read_less_records_no_window_for_who_may_read_more(
    monitor: Monitor, tmp_path: Path
) -> None:
    low = Label("internal", sides=("buy",))
    put(monitor.lake, 3, label=low)
    put(monitor.lake, 4)
    lesser = replace(monitor, principal=replace(monitor.principal, clearance=low))

    seen = lesser.window(["buy"], *DAY, tmp_path / "out").observations[0]
    whole = monitor.window(["buy"], *DAY, tmp_path / "out").observations[0]

    assert (seen.partial.num_rows, whole.partial.num_rows) == (3, 7)
    assert lesser.window(["buy"], *DAY, tmp_path / "out").num_outputs == 3


def test_a_window_held_against_what_one_may_not_read_is_not_shown(
    monitor: Monitor, tmp_path: Path
) -> None:
    low = Label("internal", sides=("buy",))
    put(monitor.lake, 4)
    put(monitor.lake, 3, label=low, day="02")
    monitor.window(["buy"], *NEXT, tmp_path / "out")
    lesser = replace(monitor, principal=replace(monitor.principal, clearance=low))

    with pytest.raises(Refused, match="may not read"):
        lesser.window(["buy"], *NEXT, tmp_path / "out")


def test_no_outputs_record_nothing(monitor: Monitor, tmp_path: Path) -> None:
    put(monitor.lake, 3)

    report = monitor.window(["buy"], *NEXT, tmp_path / "out")

    assert report.observations[0].notes == ("no outputs in this window: nothing was recorded",)
    assert recorded(monitor.lake, WINDOWS) == []


def test_a_window_ends_after_it_starts(monitor: Monitor, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="RFC 3339"):
        monitor.window(["buy"], DAY[1], DAY[0], tmp_path / "out")
