"""One admitted call: tokens in, released text out, and the record that must come before the end.

Knows no HTTP. Whatever ends a call (its last token, the gate, a failure, a caller who has gone),
its record is durable before `pieces` ends; only a process that dies leaves that to the next one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from halocline_governance.errors import HaloclineError
from halocline_governance.records import InferenceRecord, timestamp
from halocline_serving.engine import Generation, Token
from halocline_serving.errors import GenerationFailed
from halocline_serving.metrics import Metrics
from halocline_serving.outputs import Admission, Outputs
from halocline_serving.release import HeldBack, Release, sha256


@dataclass(slots=True)
class _Sums:
    """What the record says of the tokens; a token without a logprob is left out of the means."""

    num_tokens: int = 0
    num_scored: int = 0
    logprob: float = 0.0
    entropy: float = 0.0

    def add(self, token: Token) -> None:
        self.num_tokens += 1
        if token.logprob == token.logprob:
            self.num_scored += 1
            self.logprob += token.logprob
            self.entropy += token.entropy


@dataclass(slots=True)
class Call:
    """Read `pieces` once, from one thread at a time; `cancel` from any.

    Args:
        start: begins the generation. Called after admission, so that even a queue which filled up
            in the meantime leaves a record.
    """

    admission: Admission
    start: Callable[[], Generation]
    release: Release
    outputs: Outputs
    metrics: Metrics
    finish_reason: str = "stop"
    outcome: str = ""
    _generation: Generation | None = None
    _sums: _Sums = field(default_factory=_Sums)
    _gone: threading.Event = field(default_factory=threading.Event)
    _started: float = field(default_factory=time.monotonic)

    @property
    def record(self) -> InferenceRecord:
        """The record as it was admitted."""
        return self.admission.record

    @property
    def is_held(self) -> bool:
        return self.outcome == "held"

    @property
    def release_decision_id(self) -> str:
        """The release gate's latest decision, or nothing."""
        return self.release.decision.id if self.release.decision else ""

    @property
    def num_tokens(self) -> int:
        return self._sums.num_tokens

    def cancel(self) -> None:
        """The caller has gone. `pieces` ends soon."""
        self._gone.set()
        self._stop()

    def pieces(self) -> Iterator[str]:
        """The answer's text as it may leave. The record is durable before the last piece.

        Raises:
            HaloclineError: the call failed; its record says so, unless it could not be written.
        """
        try:
            yield from self._streamed()
            rest = "" if self._gone.is_set() else self.release.settle()
        except HeldBack:
            self._stop()
            self._close("held", "content_filter")
            return
        except HaloclineError:
            self._stop()
            self._close("failed", "error")
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the call needs its record
            self._stop()
            self._close("failed", "error")
            raise GenerationFailed(f"the call failed: {type(error).__name__}") from None
        if self._gone.is_set():
            self._close("disconnected", "disconnected")
            return
        self._close("released", self.finish_reason)
        if rest:
            yield rest

    def _streamed(self) -> Iterator[str]:
        self._generation = self.start()
        if self._gone.is_set():
            self._stop()
        for token in self._generation:
            self._sums.add(token)
            self.finish_reason = token.finish or self.finish_reason
            piece = self.release.push(token.text)
            if piece:
                yield piece

    def _stop(self) -> None:
        if self._generation is not None:
            self._generation.cancel()

    def _close(self, outcome: str, finish_reason: str) -> None:
        self.outcome, self.finish_reason = outcome, finish_reason
        sums, release = self._sums, self.release
        record = replace(
            self.record,
            finished_ts=timestamp(),
            release_decision_id=self.release_decision_id,
            outcome=outcome,
            finish_reason=finish_reason,
            output=release.text,
            output_sha256=sha256(release.text),
            released_sha256=sha256(release.released),
            verdicts=json.dumps([verdict.as_json() for verdict in release.verdicts]),
            completion_tokens=sums.num_tokens,
            mean_logprob=sums.logprob / sums.num_scored if sums.num_scored else None,
            mean_entropy=sums.entropy / sums.num_scored if sums.num_scored else None,
        )
        self.outputs.finish(self.admission, record)
        self._count(record)

    def _count(self, record: InferenceRecord) -> None:
        add = self.metrics.add
        add("halocline_requests_total", endpoint=record.endpoint, outcome=record.outcome)
        add("halocline_prompt_tokens_total", record.prompt_tokens)
        add("halocline_completion_tokens_total", record.completion_tokens)
        add("halocline_generation_seconds_total", time.monotonic() - self._started)
