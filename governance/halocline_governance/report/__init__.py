"""The compliance report: for one output, who, why, by which model, from which data.

`build` writes HTML and JSON that say the same, each statement with its place in the journal.
`register` tells every crossing of a wall in a period.
"""

from halocline_governance.report.build import ReportPaths, Sources, build
from halocline_governance.report.earlier import differences, pin_of
from halocline_governance.report.pin import Pin, parse
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period, register

__all__ = [
    "Entry", "Period", "Pin", "ReportPaths", "Sources", "build", "differences", "parse", "pin_of",
    "register",
]  # fmt: skip
