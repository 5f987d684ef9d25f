"""The two records everybody writes and reads: `AuditEvent` and `InferenceRecord`.

Neither holds a prompt, an answer or personal data in clear when it goes to the journal: the
journal gets commitments under a key that lies with the text, in the governed table of its
compartment. With the row the key goes, and then the journal can be held against no guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
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
    VAULT = "vault"


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
    """One request and its answer, as the row of `serving.outputs` (see tables.py).

    `commitment_key` is 32 random bytes in hex, drawn for this record and kept nowhere but in it.
    """

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
    commitment_key: str
    verdicts: str
    prompt_tokens: int
    completion_tokens: int
    mean_logprob: float | None
    mean_entropy: float | None

    def as_json(self) -> dict[str, Any]:
        # Not `asdict`: it copies deeply, which takes ten times as long, and here all is flat.
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def commitment(self) -> dict[str, Any]:
        """What the journal gets: who, when, which model and decisions, and of everything that is
        made from the texts a keyed commitment. Of no text, there is none."""
        columns = self.as_json()
        told = {name: val for name, val in columns.items() if name not in _COMMITTED}
        whole = json.dumps(columns, sort_keys=True, separators=(",", ":"))
        row = hashlib.sha256(whole.encode()).hexdigest()
        parts = (
            ("prompt", self.prompt_sha256, "prompt"),
            ("output", self.output_sha256, ANSWER),
            ("released", self.released_sha256, ANSWER),
            ("row", row, "row"),
        )
        key = self.commitment_key
        held = {name: committed(key, sha256, what) for name, sha256, what in parts if sha256}
        # RFC 8785 numbers end at 2**53.
        return {**told, "row_uid": str(self.row_uid), "commitments": held}


ANSWER = "answer"
_COMMITTED = frozenset(
    {
        "prompt", "output", "prompt_sha256", "output_sha256", "released_sha256", "commitment_key",
        "verdicts", "prompt_tokens", "completion_tokens", "mean_logprob", "mean_entropy",
    }
)  # fmt: skip


def committed(key: str, sha256: str, what: str = ANSWER) -> str:
    """What stands in the journal for a text: HMAC-SHA256 under the record's key, in hex, over
    `halocline/<what>`, a NUL, and the SHA-256 of the text's bytes. Equal exactly if those are.

    Args:
        key: `commitment_key` of the record.
        sha256: of the text's bytes, in hex.
        what: `answer` for an output and every beginning of it, `prompt`, or `row`.
    """
    message = b"halocline/" + what.encode() + b"\0" + bytes.fromhex(sha256)
    return hmac.digest(bytes.fromhex(key), message, hashlib.sha256).hex()


def output_committed(row: Mapping[str, Any]) -> str:
    """What stands in the journal for the output of a row of `serving.outputs`; nothing for a row
    that has no key or hash in the form of one."""
    try:
        return committed(row["commitment_key"], row["output_sha256"])
    except (KeyError, TypeError, ValueError):
        return ""


def differences(row: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """In what a row of `serving.outputs` is not what the journal was told of it; nothing when it
    is, its texts included.

    Args:
        row: all its columns.
        told: the object of its `generate` or `abort` event.
    """
    try:
        record = InferenceRecord(**{one.name: row[one.name] for one in fields(InferenceRecord)})
        own = record.commitment()
    except (KeyError, TypeError, ValueError):
        return ["row"]
    changed = {name for name, value in own.items() if told.get(name) != value}
    if "commitments" in changed:
        known: Mapping[str, Any] = told.get("commitments") or {}
        mine: Mapping[str, Any] = own["commitments"]
        changed |= {
            name for name in known.keys() | mine.keys() if known.get(name) != mine.get(name)
        }
    for name in ("prompt", "output"):
        named = row[f"{name}_sha256"]
        text = str(row[name]).encode("utf-8", "surrogatepass")
        if named and named != hashlib.sha256(text).hexdigest():
            changed.add(name)
    return sorted(changed - _WHOLE or ({"row"} if changed else ()))


_WHOLE = frozenset({"commitments", "row"})


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
