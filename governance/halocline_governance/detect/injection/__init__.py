"""Prompt injection: text from outside that talks to the model instead of to people.

A tripwire and no wall: docs/detectors.md says what it was measured on and what passes it.
"""

from halocline_governance.detect.injection.detector import FOUND, InjectionDetector

__all__ = ["FOUND", "InjectionDetector"]
