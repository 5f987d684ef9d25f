"""What a period report is asked for, and where its facts come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.report.period.duty import Duty
from halocline_governance.report.register import Period

if TYPE_CHECKING:
    from halocline_governance.gates import Gates
    from halocline_governance.guard import Guard
    from halocline_governance.journal import Journal, Trust
    from halocline_governance.lake import Lake
    from halocline_governance.lineage import Lineage

Flags = Callable[[], Sequence[Mapping[str, str]]]


def no_flags() -> Sequence[Mapping[str, str]]:
    """When nobody checks lineage."""
    return ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report's facts come from.

    `flags` gives what lineage's checks find, each as `about` and `what`: governance does not know
    the pipelines.
    """

    guard: Guard
    gates: Gates
    lake: Lake
    lineage: Lineage
    journal: Journal
    journal_dir: Path
    trust: Trust
    flags: Flags = no_flags


@dataclass(frozen=True, slots=True)
class Question:
    """A period and a duty."""

    period: Period
    duty: Duty

    @property
    def name(self) -> str:
        """How the files are called."""
        first, after = self.period.start[:10], date.fromisoformat(self.period.end[:10])
        return f"report-{first}-to-{after - timedelta(days=1)}-{self.duty.value}"
