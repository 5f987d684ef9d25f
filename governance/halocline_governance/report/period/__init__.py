"""The report of a period: what was so, for whom it is evidence, and what proves it.

`build` writes HTML, PDF and JSON that say the same; `verify` checks them from the JSON and the
journal's public key, and with the journal and the lake makes them again.
"""

from halocline_governance.report.period.build import Paths, build
from halocline_governance.report.period.document import Document
from halocline_governance.report.period.duty import Duty
from halocline_governance.report.period.question import Question, Sources
from halocline_governance.report.period.span import parse

__all__ = ["Document", "Duty", "Paths", "Question", "Sources", "build", "parse"]
