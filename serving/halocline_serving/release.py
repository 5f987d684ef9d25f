"""The release gate on an answer: text leaves only as bytes that every check saw and policy let go.

Knows no transport and no engine. Laws: each part that leaves completes a prefix of the answer whose
exact bytes were scanned and allowed; nothing of a finding leaves before it is found; once held,
nothing more leaves.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.detect import Detector, Verdict, scan_all
from halocline_governance.detect.holdback import Holdback

_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f][\"')\]]*\s|\n")

Ask = Callable[[str, Sequence[Verdict]], Decision]


class HeldBack(Exception):
    """The gate refused these bytes. Not a failure of the service: the answer ends here."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"held back (decision {decision.id})")
        self.decision = decision


class Release:
    """One answer on its way out. Detectors read each piece once, as it comes.

    Args:
        detectors: the checks for an answer of this label.
        ask: the release gate, given a hash and the verdicts about the bytes that have it.
        stride: look at a stream after so many characters without a sentence's end; None holds the
            whole answer back until it is settled.
    """

    def __init__(self, detectors: Sequence[Detector], ask: Ask, stride: int | None) -> None:
        self._detectors = detectors
        self._ask = ask
        self._stride = stride
        self._holdback = Holdback(detectors)
        self._fresh = self._ready = ""
        self.text = ""
        self.released = ""
        self.verdicts: Sequence[Verdict] = ()
        self.decision: Decision | None = None

    def push(self, text: str) -> str:
        """Take in what was generated; returns what may leave now, most often nothing.

        Raises:
            HeldBack: policy refuses what has been generated so far.
        """
        self.text += text
        self._fresh += text
        if self._stride is None or not self._is_due(self._stride):
            return ""
        self._ready += self._holdback.feed(self._fresh)
        self._fresh = ""
        if self._holdback.stopped:
            self._stop_streaming()
            return ""
        return self._let_go()

    def settle(self) -> str:
        """The rest of the answer, allowed as a whole.

        Raises:
            HeldBack: policy refuses the answer.
        """
        self._holdback.feed(self._fresh)
        self._holdback.finish()
        self._require(self._holdback.verdicts)
        rest, self.released = self.text[len(self.released) :], self.text
        return rest

    def _is_due(self, stride: int) -> bool:
        return len(self._fresh) >= stride or _SENTENCE_END.search(self._fresh) is not None

    def _let_go(self) -> str:
        if not self._ready:
            return ""
        prefix = self.released + self._ready
        decision = self._judge(prefix, self._holdback.verdicts)
        if not decision.allow:
            self._stop_streaming()
            return ""
        part, self._ready, self.released = self._ready, "", prefix
        return part

    def _stop_streaming(self) -> None:
        """Something was found: policy says now or at the end what of it."""
        self._stride = None
        self._require(scan_all(self._detectors, self.text))

    def _require(self, verdicts: Sequence[Verdict]) -> None:
        decision = self._judge(self.text, verdicts)
        if not decision.allow:
            raise HeldBack(decision)

    def _judge(self, text: str, verdicts: Sequence[Verdict]) -> Decision:
        self.verdicts = verdicts
        self.decision = self._ask(sha256(text), verdicts)
        return self.decision


def sha256(text: str) -> str:
    """Of the UTF-8 bytes, a lone surrogate included, as detectors hash them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def as_policy_sees(verdict: Verdict, commit: Callable[[str], str]) -> dict[str, Any]:
    """A verdict as the release gate judges it, and the journal keeps it: bound to its bytes by
    their commitment, without spans, and with the score in hundredths, rounded up. More digits
    would tell, after the answer is erased, whether a guess of it is right.

    Args:
        commit: what stands for a text's hash.
    """
    score = verdict.score
    return {
        "detector": verdict.detector,
        "sha256": commit(verdict.sha256),
        "status": verdict.status,
        "findings": dict(verdict.findings),
        "score": None if score is None else math.ceil(round(score * 100, 6)) / 100,
    }
