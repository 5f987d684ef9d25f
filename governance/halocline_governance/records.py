"""The two records everybody writes and reads: `AuditEvent` and `InferenceRecord`.

Neither holds a prompt, an answer or personal data in clear when it goes to the journal: the
journal gets hashes and keyed commitments, the text lies in the governed table of its compartment.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an audit event tells. Each one is documented in docs/journal-format.md."""

    OPENED = "journal.opened"
    SIBLINGS = "journal.siblings"
    KEY = "journal.key"
    CLOSED = "journal.closed"
    DECISION = "decision"
    INGEST = "ingest"
    CURATE = "curate"
    READ = "read"
    DATASET = "dataset"
    TRAIN = "train"
    REGISTER = "register"
    APPROVE = "approve"
    PROMOTE = "promote"
    ADMIT = "admit"
    GENERATE = "generate"
    ABORT = "abort"
    MONITOR = "monitor"
    REPORT = "report"
    CROSS = "cross"
    DIRECTORY = "directory"
    FIRM = "firm"
    FINGERPRINT = "fingerprint"
    ERASE = "erase"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that is about to happen, or a decision about it."""

    kind: Kind
    subject: str
    purpose: str
    object: dict[str, Any] = field(default_factory=dict[str, Any])
    event_id: str = field(default_factory=lambda: uuid7())
    ts: str = field(default_factory=lambda: timestamp())

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}


@dataclass(frozen=True, slots=True)
class InferenceRecord:
    """One request and its answer, as the row of `serving.outputs` (see tables.py)."""

    request_id: str
    row_uid: int
    label_id: str
    ts: str
    finished_ts: str
    subject: str
    endpoint: str
    model: str
    model_version: int
    weights_sha256: str
    serve_decision_id: str
    release_decision_id: str
    policy_revision: str
    outcome: str
    finish_reason: str
    prompt: str
    output: str
    prompt_sha256: str
    output_sha256: str
    released_sha256: str
    verdicts: str
    prompt_tokens: int
    completion_tokens: int
    mean_logprob: float | None
    mean_entropy: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def commitment(self) -> dict[str, Any]:
        """What the journal gets: everything but the texts."""
        hidden = {"prompt", "output", "mean_logprob", "mean_entropy"}
        seen = {key: val for key, val in self.as_json().items() if key not in hidden}
        return {**seen, "row_uid": str(self.row_uid)}  # RFC 8785 numbers end at 2**53


def timestamp(epoch_s: float | None = None) -> str:
    """UTC, RFC 3339, microseconds."""
    when = datetime.fromtimestamp(time.time() if epoch_s is None else epoch_s, UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def uuid7() -> str:
    """A UUID of version 7 (RFC 9562 section 5.7): sortable by time."""
    raw = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def row_uid(*parts: str) -> int:
    """A positive 63-bit id from what makes a row the same row, so that a repeated run agrees."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
