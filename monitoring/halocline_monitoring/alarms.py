"""Turns a window and its reference into alerts, at a stated chance of a false one.

A leak is an event: one is enough. Rates and distributions are statistics: all that is watched in
one window shares one false-alarm budget, split evenly. Knows no table.

Law (tests/monitoring/test_alarms.py): where nothing changed, a window has a statistical alert with
probability at most `Rules.false_alarm_rate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from halocline_governance import bounds
from halocline_monitoring import windows
from halocline_monitoring.drift import divergence
from halocline_monitoring.drift.divergence import Shift

_QUIET = ("outcome:released", "finish:stop", "finish:length")
_RATES = ("outcome:", "finish:", "kind:")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """`false_alarm_rate` is per window and compartment, shared by `max_watched` metrics: a number
    fixed beforehand, since one that follows the data would break the bound. `max_reference` is how
    many earlier outputs a window is held against. `events` are the detectors, by name, of which
    one finding in released bytes is an alert."""

    false_alarm_rate: float = 0.01
    max_watched: int = 64
    max_reference: int = 5000
    events: tuple[str, ...] = ("canary", "secrets", "segregation")

    def __post_init__(self) -> None:
        if not 0 < self.false_alarm_rate < 1:
            raise ValueError("a false-alarm rate lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class Alert:
    """`value` passed `bound`. `baseline` is the reference's own rate; events have none."""

    metric: str
    severity: str
    value: float
    bound: float
    baseline: float | None
    num_outputs: int
    false_alarm_rate: float

    @property
    def what(self) -> str:
        """The alert in words; no text of an output is in them."""
        form, _, name = self.metric.partition(":")
        if form == "drift":
            return f"{name} drifted (p at most {self.value:.2g})"
        if self.baseline is None:
            said = {
                "leaked": "found something in bytes that left",
                "changed": "gave another verdict about the same bytes than when it was answered",
            }
            detector = name.partition(":")[0] if form == "now" else name
            return f"{detector} {said.get(form, 'could not scan')}: {self.value:.0f} outputs"
        return (
            f"{self.metric} rose to {self.value:.1%} of {self.num_outputs} outputs"
            f" (before: {self.baseline:.1%}, at most {self.bound:.1%})"
        )

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "what": self.what}


@dataclass(frozen=True, slots=True)
class Findings:
    """What one comparison gave: the alerts, and every shift for people to see."""

    alerts: tuple[Alert, ...]
    shifts: tuple[Shift, ...]


def judge(reference: windows.Partial, current: windows.Partial, rules: Rules) -> Findings:
    """Every alert about `current`, held against `reference`."""
    rates = _watched(reference, current)
    names = sorted({*reference.histograms} & {*current.histograms})
    shifts = tuple(
        divergence.compare(name, reference.histograms[name], current.histograms[name])
        for name in names
    )
    budget = rules.false_alarm_rate / max(rules.max_watched, len(rates) + len(shifts))
    alerts = [
        *(alert for name in rates if (alert := _rate(name, reference, current, budget))),
        *(_shifted(shift, budget) for shift in shifts if shift.p_value <= budget),
    ]
    return Findings(tuple(alerts), shifts)


def events(window: windows.Partial, rules: Rules) -> tuple[Alert, ...]:
    """The alerts that need no reference: leaks, verdicts that do not repeat, failed scans."""
    return tuple(_events(window, rules))


def _events(window: windows.Partial, rules: Rules) -> Iterator[Alert]:
    for name, count in sorted(window.counts.items()):
        form, _, rest = name.partition(":")
        detector = rest.partition("@")[0]
        is_leak = form == "leaked" and detector in rules.events
        is_unscanned = form == "now" and name.endswith(":unscanned")
        if is_leak or is_unscanned or form == "changed":
            severity = "page" if is_leak else "ticket"
            yield Alert(name, severity, float(count), 0.0, None, window.num_rows, 0.0)


def _watched(reference: windows.Partial, current: windows.Partial) -> list[str]:
    """The rates that can rise: fixed by what either side has seen."""
    names = {*reference.counts, *current.counts}
    return sorted(
        name
        for name in names
        if name not in _QUIET
        and (name.startswith(_RATES) or (name.startswith("now:") and name.endswith(":found")))
    )


def _rate(
    name: str, reference: windows.Partial, current: windows.Partial, budget: float
) -> Alert | None:
    """An alert when even the lowest likely rate now is above the highest likely rate then."""
    hits, trials = current.rate(name)
    known, of_known = reference.rate(name)
    if not trials or not of_known:
        return None
    ceiling = bounds.upper(known, of_known, budget / 2)
    if bounds.lower(hits, trials, budget / 2) <= ceiling:
        return None
    return Alert(name, "ticket", hits / trials, ceiling, known / of_known, trials, budget)


def _shifted(shift: Shift, budget: float) -> Alert:
    name = f"drift:{shift.metric}"
    return Alert(name, "ticket", shift.p_value, budget, None, shift.num_current, budget)
