"""Alerts: a leak is one too many, everything else keeps to its false-alarm budget."""

from __future__ import annotations

import random

import pytest

from halocline_monitoring import alarms, histogram, windows
from halocline_monitoring.alarms import Alert, Rules
from halocline_monitoring.windows import Partial


def partial(rng: random.Random, count: int, rates: dict[str, float], shift: float = 0) -> Partial:
    counts = {name: sum(rng.random() < rate for _ in range(count)) for name, rate in rates.items()}
    bins = list(histogram.empty("mean_entropy"))
    for _ in range(count):
        bins[histogram.place("mean_entropy", rng.gauss(4 + shift, 1))] += 1
    return Partial(count, counts, {"mean_entropy": tuple(bins)})


QUIET = {"outcome:held": 0.05, "now:pii@3:found": 0.02, "now:toxicity@1:found": 0.2}


def test_quiet_windows_keep_to_the_stated_rate() -> None:
    rng = random.Random(11)
    rules = Rules(false_alarm_rate=0.3, max_watched=4)
    runs = 300

    noisy = sum(
        bool(alarms.judge(partial(rng, 120, QUIET), partial(rng, 80, QUIET), rules).alerts)
        for _ in range(runs)
    )

    assert noisy <= 0.3 * runs


def test_a_rate_that_rose_is_told_with_its_bounds() -> None:
    rng = random.Random(11)
    risen = {**QUIET, "outcome:held": 0.4}

    found = alarms.judge(partial(rng, 300, QUIET), partial(rng, 300, risen), Rules()).alerts

    assert [alert.metric for alert in found] == ["outcome:held"]
    assert found[0].value > found[0].bound > (found[0].baseline or 0)
    assert found[0].false_alarm_rate == Rules().false_alarm_rate / Rules().max_watched


def test_a_rate_that_fell_is_no_alert() -> None:
    rng = random.Random(11)
    fallen = dict.fromkeys(QUIET, 0.0)

    assert not alarms.judge(partial(rng, 300, QUIET), partial(rng, 300, fallen), Rules()).alerts


def test_drift_is_told() -> None:
    rng = random.Random(11)

    found = alarms.judge(partial(rng, 400, {}), partial(rng, 400, {}, shift=1.0), Rules())

    assert [alert.metric for alert in found.alerts] == ["drift:mean_entropy"]


@pytest.mark.parametrize(
    ("count", "severity"),
    [
        ("leaked:canary@1", "page"),
        ("leaked:segregation@3", "page"),
        ("now:pii@3:unscanned", "ticket"),
        ("changed:pii@3", "ticket"),
    ],
)
def test_one_event_is_enough(count: str, severity: str) -> None:
    found = alarms.events(Partial(1000, {count: 1}), Rules())

    assert [(alert.metric, alert.severity, alert.value) for alert in found] == [
        (count, severity, 1.0)
    ]


@pytest.mark.parametrize(
    ("metric", "baseline", "what"),
    [
        ("leaked:canary@1", None, "canary@1 found something in bytes that left: 1 outputs"),
        ("now:pii@3:unscanned", None, "pii@3 could not scan: 1 outputs"),
        ("drift:mean_entropy", None, "mean_entropy drifted (p at most 1)"),
        ("outcome:held", 0.25, "outcome:held rose to 100.0% of 9 outputs (before: 25.0%, at most"),
    ],
)
def test_an_alert_says_what_happened(metric: str, baseline: float | None, what: str) -> None:
    assert Alert(metric, "ticket", 1.0, 0.5, baseline, 9, 0.0).as_json()["what"].startswith(what)


def test_what_is_expected_is_no_event() -> None:
    seen = windows.Partial(10, {"outcome:released": 10, "now:pii@3:clean": 10, "leaked:pii@3": 1})

    assert alarms.events(seen, Rules()) == ()


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Rules(false_alarm_rate=rate)
