"""Monitors windows of `serving.outputs`, one compartment at a time, and records what it saw.

The journal entry comes first, then the alerts, then the window: a window on record is complete,
and a run that was cut short is simply repeated. Recording the same window twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from halocline_governance import tables
from halocline_governance.detect import Detector
from halocline_governance.errors import Refused
from halocline_governance.gates import Gates
from halocline_governance.guard import Grant, Guard
from halocline_governance.label import Label, join
from halocline_governance.lake import Lake
from halocline_governance.lineage import keyed
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind, row_uid, timestamp
from halocline_monitoring import alarms, windows
from halocline_monitoring.alarms import Alert, Rules
from halocline_monitoring.drift import page
from halocline_monitoring.drift.divergence import Shift
from halocline_monitoring.windows import Partial, Row

OUTPUTS = "serving.outputs"
WINDOWS = "monitoring.windows"
ALERTS = "monitoring.alerts"

_COLUMNS = (
    "row_uid", "label_id", "request_id", "ts", "outcome", "finish_reason", "output",
    "released_sha256", "verdicts", "prompt_tokens", "completion_tokens", "mean_logprob",
    "mean_entropy",
)  # fmt: skip
_FIRST_HALF = "the first half of this window: there is no earlier one"


@dataclass(frozen=True, slots=True)
class Span:
    """Which outputs, of which labels, watched by which detectors: another of these is another
    window, so that who may read less never records a window for who may read more."""

    compartment: str
    start: str
    end: str
    label_ids: tuple[str, ...]
    detectors: tuple[str, ...]

    @property
    def id(self) -> str:
        facts = [self.compartment, self.start, self.end, *self.label_ids, *self.detectors]
        text = "\x1f".join(facts)
        return "w" + hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Observation:
    """One compartment in one window. `is_new` is false when it was on record already."""

    compartment: str
    window_id: str
    partial: Partial
    alerts: tuple[Alert, ...]
    reference: str
    is_new: bool
    shifts: tuple[Shift, ...] = ()
    page: Path | None = None
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "compartment": self.compartment,
            "window_id": self.window_id,
            "partial": self.partial.as_json(),
            "alerts": [alert.as_json() for alert in self.alerts],
            "reference": self.reference,
            "is_new": self.is_new,
            "page": str(self.page) if self.page else None,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What one run over one window saw, compartment by compartment; never added up."""

    window_start: str
    window_end: str
    observations: tuple[Observation, ...]

    @property
    def num_outputs(self) -> int:
        return sum(seen.partial.num_rows for seen in self.observations)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(alert for seen in self.observations for alert in seen.alerts)

    def as_json(self) -> dict[str, Any]:
        return {
            "window_start": self.window_start,
            "window_end": self.window_end,
            "observations": [seen.as_json() for seen in self.observations],
        }


@dataclass(frozen=True, slots=True)
class Monitor:
    """What a deployment watches with.

    Args:
        principal: a service or a compliance officer; the read gate decides what it may see.
        detectors: those of the release gate, so that a verdict means the same at both places: the
            checks for an answer of this label, or the same ones for all.
    """

    lake: Lake
    guard: Guard
    gates: Gates
    principal: Principal
    detectors: Callable[[Label], Sequence[Detector]] | Sequence[Detector]
    rules: Rules = field(default_factory=Rules)

    def window(
        self, compartments: Sequence[str], window_start: str, window_end: str, out_dir: Path
    ) -> WindowReport:
        """Watch the outputs with `window_start <= ts < window_end` in each compartment.

        Raises:
            Denied: a compartment that may not be read for monitoring.
            Refused: a window that ends before it starts.
        """
        if not window_start < window_end:
            raise Refused("a window ends after it starts; give RFC 3339 times in UTC")
        span = (window_start, window_end)
        seen = tuple(self._watch(name, span, out_dir) for name in sorted(set(compartments)))
        return WindowReport(window_start, window_end, seen)

    def _watch(self, compartment: str, span: tuple[str, str], out_dir: Path) -> Observation:
        grant, all_rows = self._outputs(compartment)
        rows = [row for row in all_rows if span[0] <= row["ts"] < span[1]]
        earlier = [row for row in all_rows if row["ts"] < span[0]][-self.rules.max_reference :]
        if not rows:
            note = "no outputs in this window: nothing was recorded"
            return Observation(compartment, "", Partial(), (), "", False, notes=(note,))
        label_ids = sorted({str(row["label_id"]) for row in rows})
        ids = {check.id for id_ in label_ids for check in self._checks(grant.labels[id_])}
        window = Span(compartment, *span, tuple(label_ids), tuple(sorted(ids)))
        known = self._on_record(grant, window)
        if known is not None:
            return known
        seen = self._compare(grant, window, (earlier, rows), out_dir)
        label = join(grant.labels[row["label_id"]] for row in [*rows, *earlier])
        self._record(seen, label, grant, window)
        return seen

    def _checks(self, label: Label) -> Sequence[Detector]:
        return self.detectors(label) if callable(self.detectors) else self.detectors

    def _outputs(self, compartment: str) -> tuple[Grant, list[Row]]:
        """All readable outputs of a compartment, oldest first."""
        plan = self.guard.plan(
            self.principal, Purpose.MONITORING, f"{compartment}:{OUTPUTS}", _COLUMNS
        )
        rows: list[Row] = self.guard.table(plan).to_pylist()
        rows.sort(key=lambda row: (row["ts"], row["request_id"]))
        return plan.grants[0], rows

    def _compare(
        self, grant: Grant, window: Span, rows: tuple[list[Row], list[Row]], out_dir: Path
    ) -> Observation:
        """The window held against what came before it, or else its halves against each other."""
        before, after = rows
        reference = f"the last {len(before)} outputs before this window"
        is_first = not before
        if is_first:
            middle = len(after) // 2
            before, after, reference = after[:middle], after[middle:], _FIRST_HALF

        def checks(label_id: str) -> Sequence[Detector]:
            return self._checks(grant.labels[label_id])

        first, second = (windows.of(part, checks) for part in (before, after))
        whole = first.merge(second) if is_first else second
        findings = alarms.judge(first, second, self.rules)
        drawn = page.write(before, after, out_dir / f"{window.id}.html")
        return Observation(
            window.compartment,
            window.id,
            whole,
            (*alarms.events(whole, self.rules), *findings.alerts),
            reference,
            True,
            shifts=findings.shifts,
            page=drawn.path,
            notes=(drawn.note,) if drawn.note else (),
        )

    def _on_record(self, grant: Grant, window: Span) -> Observation | None:
        """The window as recorded, for somebody who may read all that it was made from."""
        compartment = grant.compartment
        for row in keyed.rows(self.lake, compartment, WINDOWS):
            if row["window_id"] != window.id:
                continue
            if not self.lake.label(compartment, row["label_id"]) <= join(grant.labels.values()):
                raise Refused(f"window {window.id} was made from outputs that you may not read")
            alerts = tuple(
                _alert(alert)
                for alert in keyed.rows(self.lake, compartment, ALERTS)
                if alert["window_id"] == window.id
            )
            partial = windows.parse(row["partials"])
            return Observation(compartment, window.id, partial, alerts, row["reference"], False)
        return None

    def _record(self, seen: Observation, label: Label, grant: Grant, span: Span) -> None:
        label_id = self.lake.intern(label, seen.compartment)
        self.gates.journal.append(
            AuditEvent(
                Kind.MONITOR,
                self.principal.subject,
                Purpose.MONITORING.value,
                {
                    "window_id": seen.window_id,
                    "compartment": seen.compartment,
                    "outputs_version": grant.version,
                    "num_outputs": seen.partial.num_rows,
                    "alerts": sorted(alert.metric for alert in seen.alerts),
                    "decision_id": grant.decision.id,
                },
            )
        )
        now = timestamp()
        shared = {"label_id": label_id, "window_id": seen.window_id, "ts": now}
        window = {
            **shared,
            "row_uid": row_uid(WINDOWS, seen.window_id),
            "window_start": span.start,
            "window_end": span.end,
            "outputs_version": grant.version,
            "num_outputs": seen.partial.num_rows,
            "detectors": list(span.detectors),
            "partials": seen.partial.dumps(),
            "reference": seen.reference,
            "decision_id": grant.decision.id,
        }
        alerts = list(_alert_rows(seen, shared))
        for table, new, key in ((ALERTS, alerts, "alert_id"), (WINDOWS, [window], "window_id")):
            # Outputs that came late may change a repeated window; what was first stands.
            first_stands = keyed.Law(free=tables.table(table).column_names)
            with keyed.lease(self.lake, seen.compartment, table):
                keyed.add(self.lake, seen.compartment, table, new, [key], first_stands)


def _alert_rows(seen: Observation, shared: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for alert in seen.alerts:
        alert_id = (
            "a" + hashlib.sha256(f"{seen.window_id}/{alert.metric}".encode()).hexdigest()[:32]
        )
        yield {
            **shared,
            **asdict(alert),
            "row_uid": row_uid(ALERTS, alert_id),
            "alert_id": alert_id,
            "reference": seen.reference,
            "disposition": "open",
        }


def _alert(row: Row) -> Alert:
    return Alert(
        row["metric"],
        row["severity"],
        row["value"],
        row["bound"],
        row["baseline"],
        row["num_outputs"],
        row["false_alarm_rate"],
    )
