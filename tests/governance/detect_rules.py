"""Detectors that misbehave when a text asks for it, for tests of what holds them."""

from __future__ import annotations

import os
import re
import signal
import sys
from dataclasses import dataclass

from halocline_governance.detect.face import ByText
from halocline_governance.detect.verdict import Finding, Span

_SLOW = re.compile(r"(a+)+b")


@dataclass(frozen=True, slots=True)
class Rule(ByText):
    """Finds `jo`; `do:` and a word in a text make it go wrong."""

    id: str = "rule@1"
    kinds: frozenset[str] = frozenset(("name",))

    def holdback(self, text: str) -> int:
        return len(text.rpartition(" ")[2].encode("utf-8", "surrogatepass"))

    def find(self, text: str) -> Finding:
        if "do:loop" in text:
            _SLOW.fullmatch("a" * 64)
        if "do:die" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "do:exit" in text:
            os._exit(0)
        if "do:eat" in text:
            return Finding(score=float(len(bytearray(1 << 34))))
        if "do:tell" in text:
            sys.stderr.write(text)
            sys.stdout.write(text)
        if "do:raise" in text or "do:tell" in text:
            raise ValueError(text)
        data = text.encode()
        spans = [Span(m.start(), m.end(), "name", 0.5) for m in re.finditer(rb"\bjo\b", data)]
        return Finding(tuple(spans), score=len(spans) / 8)


@dataclass(frozen=True, slots=True)
class Other(Rule):
    """Another engine of `Rule`, which overlooks what stands behind `miss`."""

    def find(self, text: str) -> Finding:
        found = super(Other, self).find(text)
        at = text.find("miss")
        if at < 0:
            return found
        before = len(text[:at].encode())
        return Finding(tuple(span for span in found.spans if span.start < before), found.score)


def missing() -> Rule:
    """A detector that cannot be built."""
    raise FileNotFoundError("jo's weights")
