"""Counters for operators, in Prometheus's text format. No subject, label, model text or value."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

_HELP: Mapping[str, tuple[str, str]] = {
    "halocline_requests_total": ("counter", "Requests by endpoint and outcome."),
    "halocline_errors_total": ("counter", "Requests answered with an error, by public code."),
    "halocline_prompt_tokens_total": ("counter", "Tokens of admitted prompts."),
    "halocline_completion_tokens_total": ("counter", "Tokens generated."),
    "halocline_generation_seconds_total": ("counter", "Seconds from admission to record."),
    "halocline_waiting": ("gauge", "Requests that wait for an engine."),
    "halocline_records_pending": ("gauge", "Durable records not yet in serving.outputs."),
}


class Metrics:
    """Counts, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[tuple[str, tuple[tuple[str, str], ...]], float]
        self._counts = defaultdict(float)

    def add(self, name: str, amount: float = 1.0, /, **labels: str) -> None:
        """Add to one series of a name listed in this module."""
        if name not in _HELP:
            raise ValueError(f"no metric {name}")
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += amount

    def text(self, gauges: Mapping[str, float]) -> str:
        """Everything counted so far, and these gauges."""
        with self._lock:
            series = dict(self._counts)
        for name, value in gauges.items():
            series[name, ()] = value
        lines: list[str] = []
        for name, (kind, told) in _HELP.items():
            lines += [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
            found = sorted((labels, value) for (at, labels), value in series.items() if at == name)
            lines += [f"{name}{_braced(labels)} {value:g}" for labels, value in found]
        return "\n".join(lines) + "\n"


def _braced(labels: tuple[tuple[str, str], ...]) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""
