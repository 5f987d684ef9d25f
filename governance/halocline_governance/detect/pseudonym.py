"""Keyed pseudonyms: the same value under the same key is always the same token, and no value back.

Keys come from a master key by compartment and version (HKDF), so that two compartments' tokens
for one person don't join, and destroying a key erases what only it could recognise.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from halocline_governance.detect.verdict import Detector, Span
from halocline_governance.errors import Refused

TOKEN = re.compile(r"<[a-z][a-z0-9_]{0,31}:v[0-9]{1,6}:[a-z2-7]{16}>")
_MAX_ROUNDS = 16


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """The key of one compartment and version; its representation does not show it."""

    compartment: str
    version: int
    secret: bytes = field(repr=False)

    @classmethod
    def derive(cls, master: bytes, compartment: str, version: int = 1) -> PseudonymKey:
        """HKDF-SHA256 (RFC 5869) of the master key, which needs 32 bytes or more."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        if len(master) < 32:
            raise Refused("pseudonym master key: give at least 32 random bytes")
        info = b"\0".join((b"halocline pseudonym", compartment.encode(), str(version).encode()))
        secret = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)
        return cls(compartment, version, secret)

    def token(self, kind: str, value: str) -> str:
        """`<kind:vN:16 letters>`: 80 bits of HMAC-SHA256 over kind and normal form."""
        return f"<{kind}:v{self.version}:{self._code(kind, value)}>"

    def subject_key(self, value: str, kind: str = "subject") -> str:
        """The pseudonymous key of a person or source, for a table's column."""
        return f"{kind}:v{self.version}:{self._code(kind, value)}"

    def _code(self, kind: str, value: str) -> str:
        message = kind.encode() + b"\0" + normal(kind, value).encode("utf-8", "surrogatepass")
        digest = hmac.digest(self.secret, message, hashlib.sha256)
        return base64.b32encode(digest[:10]).decode().lower()


def normal(kind: str, value: str) -> str:
    """One spelling for the ways a value of this kind is written."""
    if kind in ("email", "street_address", "date_of_birth", "url_credentials", "subject"):
        return " ".join(value.casefold().split())
    if kind == "phone":
        return "".join(filter(str.isdigit, value)).removeprefix("00")
    if kind == "crypto_address":
        return value
    return "".join(filter(str.isalnum, value)).upper()


def scrub(text: str, spans: Iterable[Span], key: PseudonymKey) -> tuple[str, int]:
    """The text with each span replaced by its token, and how many. Spans must not overlap."""
    data = text.encode()
    parts: list[bytes] = []
    at = count = 0
    for span in sorted(spans, key=lambda span: span.start):
        if not at <= span.start < span.end <= len(data):
            raise Refused("scrub: spans must lie in the text and must not overlap")
        value = data[span.start : span.end].decode()
        parts += [data[at : span.start], key.token(span.kind, value).encode()]
        at, count = span.end, count + 1
    return b"".join([*parts, data[at:]]).decode(), count


def scrub_clean(detector: Detector, text: str, key: PseudonymKey) -> tuple[str, int]:
    """Scrub until the detector finds nothing: a replaced neighbour may uncover a new finding.

    So `scrub_clean(scrub_clean(x)) == scrub_clean(x)`. Raises `Refused` where the text could not
    be scanned: it goes to quarantine, never through.
    """
    total = 0
    for _ in range(_MAX_ROUNDS):
        verdict = detector.scan(text)
        if verdict.status == "unscanned":
            raise Refused(f"scrub: {detector.id} could not scan the text ({verdict.reason})")
        if not verdict.spans:
            return text, total
        text, count = scrub(text, verdict.spans, key)
        total += count
    raise Refused(
        f"scrub: {detector.id} still finds after {_MAX_ROUNDS} rounds; quarantine the text"
    )
