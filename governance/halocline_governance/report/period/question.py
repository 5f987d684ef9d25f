"""What a period report is asked for, and where its facts come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.errors import Refused
from halocline_governance.report.period.duty import Duty
from halocline_governance.report.register import Period

if TYPE_CHECKING:
    from halocline_governance.gates import Gates
    from halocline_governance.guard import Guard
    from halocline_governance.journal import Journal, Trust
    from halocline_governance.lake import Lake
    from halocline_governance.lineage import Lineage


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report's facts come from. `say` is told how far a long reading is."""

    guard: Guard
    gates: Gates
    lake: Lake
    lineage: Lineage
    journal: Journal
    journal_dir: Path
    trust: Trust
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Question:
    """A period and a duty."""

    period: Period
    duty: Duty

    @property
    def name(self) -> str:
        """How the files are called first: by the first and the last day."""
        last = datetime.fromisoformat(self.period.end) - timedelta(microseconds=1)
        return f"report-{self.period.start[:10]}-to-{last.date()}-{self.duty.value}"

    def until(self, now: str) -> Question:
        """The same as far as the period is over: nothing is said of what is still to come.

        Raises:
            Refused: it has not begun.
        """
        if self.period.start >= now:
            raise Refused("the period has not begun")
        return replace(self, period=Period(self.period.start, min(self.period.end, now)))
