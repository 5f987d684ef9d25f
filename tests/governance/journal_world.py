"""Journals written by hand from docs/journal-format.md, and both verifiers asked about them.

Nothing here is the writer's code, so that a forger's hand is as free as it would be.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
import zlib
from collections.abc import Sequence
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Signer, verify
from halocline_governance.records import AuditEvent, Kind

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(KEY)
VERIFIER = Path(__file__).parents[2] / "governance" / "verifier" / "verify_journal.py"
ZERO = "0" * 64


def read_event(number: int, text: str = "") -> dict[str, Any]:
    seen: dict[str, Any] = {"number": number, "text": text}
    return AuditEvent(Kind.READ, "ana", "analysis", seen).as_json()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it stands there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    both = root_of(leaves[:split]) + root_of(leaves[split:])
    return hashlib.sha256(b"\x01" + both).digest()


def leaf_of(payload: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + payload).digest()


def framed(payload: bytes) -> bytes:
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


def signed(origin: str, size: int, root: bytes, key: Ed25519PrivateKey = KEY) -> str:
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    public = b"\x01" + key.public_key().public_bytes_raw()
    ident = hashlib.sha256(b"halocline\n" + public).digest()[:4]
    signature = base64.b64encode(ident + key.sign(body.encode())).decode()
    return f"{body}\n\u2014 halocline {signature}\n"


@dataclass
class Log:
    """One log, written when `put` is called."""

    name: str
    payloads: list[bytes] = field(default_factory=list[bytes])
    starts: list[int] = field(default_factory=lambda: [0])
    sealed: int = 0

    def add(self, event: Any) -> None:
        """A record that fits. An event that is not an object makes a record that is none."""
        self.payloads.append(rfc8785.dumps(self.record(event)))

    def record(self, event: Any) -> dict[str, Any]:
        prev = leaf_of(self.payloads[-1]).hex() if self.payloads else ZERO
        return {"event": event, "head": self.sealed, "prev": prev, "seq": len(self.payloads)}

    def journal(self, kind: Kind, siblings: Sequence[Log]) -> None:
        """A record in which the log tells of the others."""
        told = [log.head() for log in siblings if log is not self]
        seen: dict[str, Any] = {"log": self.name, "siblings": told}
        if kind == Kind.OPENED:
            seen["adopted"] = len(self.payloads) - self.sealed
        self.add(AuditEvent(kind, "halocline", "audit", seen).as_json())

    def seal(self) -> None:
        self.sealed = len(self.payloads)

    def turn(self) -> None:
        """Begin the next segment, under a head over all that is in this one."""
        self.seal()
        self.starts.append(len(self.payloads))

    def root(self, size: int) -> bytes:
        return root_of([leaf_of(payload) for payload in self.payloads[:size]])

    def head(self) -> dict[str, Any]:
        return {"log": self.name, "size": self.sealed, "root": self.root(self.sealed).hex()}

    def note(self, size: int | None = None) -> str:
        size = self.sealed if size is None else size
        return signed(f"halocline/{self.name}", size, self.root(size))

    def segments(self) -> dict[str, bytes]:
        ends = [*self.starts[1:], len(self.payloads)]
        return {
            f"{start:012d}.seg": b"".join(framed(item) for item in self.payloads[start:end])
            for start, end in zip(self.starts, ends, strict=True)
        }

    def put(self, directory: Path) -> None:
        folder = directory / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.segments().items():
            (folder / name).write_bytes(data)
        (folder / "checkpoint").write_text(self.note(), encoding="utf-8")

    def places(self) -> list[tuple[str, int, int]]:
        """(segment, offset, length) of every frame."""
        found: list[tuple[str, int, int]] = []
        for index, (name, data) in enumerate(self.segments().items()):
            offset = 0
            while offset < len(data):
                length = 8 + len(self.payloads[len(found)])
                found.append((name, offset, length))
                offset += length
            assert index < len(self.starts)
        return found


def healthy(closed: bool = True) -> list[Log]:
    """The same three logs each time, to be altered at will."""
    return deepcopy(_healthy(closed))


@cache
def _healthy(closed: bool) -> list[Log]:
    """Three logs of three segments, closed in order or not; each tells of the others."""
    logs = [Log(f"log-{number:04d}") for number in range(3)]
    for log in logs:
        log.journal(Kind.OPENED, [other for other in logs if other.payloads])
        log.seal()
    number = 0
    for _ in range(3):
        for log in logs:
            for _ in range(3):
                log.add(read_event(number, "ä\u2028"))
                number += 1
            log.turn() if len(log.starts) < 3 else log.seal()
            log.journal(Kind.SIBLINGS, logs)
            log.seal()
    for log in logs if closed else ():
        log.seal()
        log.journal(Kind.CLOSED, logs)
        log.seal()
    return logs


@dataclass(frozen=True)
class Judged:
    """What both verifiers said: places and words of ours, the lines of the stand-alone one."""

    ours: tuple[tuple[str, str], ...]
    theirs: tuple[str, ...]

    @property
    def ok(self) -> bool:
        assert bool(self.ours) == bool(self.theirs), self
        return not self.ours

    def names(self, place: str) -> bool:
        """Whether both name this place."""
        end = "" if place.endswith(" ") else r"\b"
        ours = any(re.match(place + end, where) for where, _ in self.ours)
        return ours and any(re.match(f"FAILED {place}{end}", line) for line in self.theirs)


@cache
def _verifier() -> Any:
    spec = spec_from_file_location("verify_journal", VERIFIER)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judged(directory: Path, trust_file: Path, witness: Path | None = None) -> Judged:
    """Ask both verifiers. They need not use the same words, but must agree."""
    if not trust_file.exists():
        trust_file.write_text(SIGNER.trust.line() + "\n", encoding="utf-8")
    more = [] if witness is None else ["--witness", str(witness)]
    said = io.StringIO()
    with redirect_stdout(said):
        status = _verifier().main([str(directory), str(trust_file), *more])
    lines = tuple(line for line in said.getvalue().splitlines() if line.startswith("FAILED"))
    assert (status == 0) == (not lines), said.getvalue()
    return Judged(verify(directory, SIGNER.trust, witness=witness).problems, lines)
