"""Detectors: what stands between data and a model, and between a model and its caller.

One contract (`verdict`, `batch`, `stream`, `face`), one module or package per detector. Importing
this loads neither numpy nor a model.
"""

from halocline_governance.detect.face import guarded, scan_all
from halocline_governance.detect.verdict import Detector, Span, Verdict

__all__ = ["Detector", "Span", "Verdict", "guarded", "scan_all"]
