"""The release gate on an answer: text leaves only as bytes that every check saw and policy let go.

Knows no transport and no engine. Laws: each part that leaves completes a prefix of the answer whose
exact bytes were scanned and allowed; nothing of a finding leaves before it is found; once held,
nothing more leaves.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.detect import Detector, Verdict, scan_all
from halocline_governance.detect.holdback import Holdback

_SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s|[\u3002\uff01\uff1f\n]")

Ask = Callable[[str, Sequence[Verdict]], Decision]
_Told = list[tuple[Mapping[str, int], float | None]]


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
        self._holdback = Holdback(detectors, self._refuses)
        self._pieces: list[str] = []
        self._fresh: list[str] = []
        self._left: list[str] = []
        self._hash = hashlib.sha256()
        self._borne: _Told = []
        self.verdicts: Sequence[Verdict] = ()
        self.decision: Decision | None = None

    @property
    def text(self) -> str:
        """All that was generated."""
        return "".join(self._pieces)

    @property
    def released(self) -> str:
        """All that left."""
        return "".join(self._left)

    def push(self, text: str) -> str:
        """Take in what was generated; returns what may leave now, most often nothing.

        Raises:
            HeldBack: policy refuses what has been generated so far.
        """
        self._pieces.append(text)
        self._fresh.append(text)
        if self._stride is None or not self._is_due(self._stride):
            return ""
        ready = self._feed()
        if self._holdback.stopped:
            self._stop_streaming()
            return ""
        return self._let_go(ready)

    def settle(self) -> str:
        """The rest of the answer, allowed as a whole.

        Raises:
            HeldBack: policy refuses the answer.
        """
        self._stride = None
        self._feed()
        self._holdback.finish()
        text = self.text
        self._require(text, self._holdback.verdicts)
        rest = text[len(self.released) :]
        self._left.append(rest)
        return rest

    def _feed(self) -> str:
        fresh = "".join(self._fresh)
        self._fresh = []
        return self._holdback.feed(fresh)

    def _is_due(self, stride: int) -> bool:
        self._fresh = ["".join(self._fresh)]
        return len(self._fresh[0]) >= stride or _SENTENCE_END.search(self._fresh[0]) is not None

    def _let_go(self, ready: str) -> str:
        if not ready:
            return ""
        self._hash.update(ready.encode("utf-8", "surrogatepass"))
        if not self._judge(self._hash.hexdigest(), self._holdback.verdicts).allow:
            self._stop_streaming()
            return ""
        self._left.append(ready)
        return ready

    def _refuses(self, verdicts: Sequence[Verdict]) -> bool:
        """Whether these verdicts about what is settled, of which more is found than before, stop
        the answer. They let nothing out: policy is asked again about the bytes that are to leave.
        """
        if self._stride is None:
            return False
        if any(verdict.status == "unscanned" for verdict in verdicts):
            return True
        told: _Told = [(verdict.findings, verdict.score) for verdict in verdicts]
        if told == self._borne or all(verdict.status == "clean" for verdict in verdicts):
            return False
        self._borne = told
        return not self._ask(verdicts[0].sha256, verdicts).allow

    def _stop_streaming(self) -> None:
        """Policy bears no more of this as it is: it says now or at the end what of the whole."""
        self._stride = None
        text = self.text
        self._require(text, scan_all(self._detectors, text))

    def _require(self, text: str, verdicts: Sequence[Verdict]) -> None:
        decision = self._judge(sha256(text), verdicts)
        if not decision.allow:
            raise HeldBack(decision)

    def _judge(self, digest: str, verdicts: Sequence[Verdict]) -> Decision:
        self.verdicts = verdicts
        self.decision = self._ask(digest, verdicts)
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
