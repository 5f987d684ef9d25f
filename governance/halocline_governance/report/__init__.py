"""The compliance report: for one output, who, why, by which model, from which data.

`build` writes HTML and JSON that say the same, each statement with its place in the journal.
"""

from halocline_governance.report.build import ReportPaths, Sources, build
from halocline_governance.report.pin import Pin, parse

__all__ = ["Pin", "ReportPaths", "Sources", "build", "parse"]
