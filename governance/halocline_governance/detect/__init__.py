"""Detectors: what stands between data and a model, and between a model and its caller.

One contract (`verdict`), one module per detector. Importing this loads neither numpy nor a model.
"""

from halocline_governance.detect.verdict import Detector, Span, Verdict, guarded, scan_all

__all__ = ["Detector", "Span", "Verdict", "guarded", "scan_all"]
