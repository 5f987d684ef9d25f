"""Keyed pseudonyms: the same value under the same key is always the same token, and no value back.

Each compartment has a random key of its own, from which HKDF derives one for each version: two
compartments' tokens for one person don't join, and destroying a compartment's key leaves nobody who
could recognise, or try, what stands behind its tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, field

from halocline_governance.errors import Refused
from halocline_governance.scrub.ring import Ring

TOKEN = re.compile(r"<[a-z][a-z0-9_]{0,31}:v[0-9]{1,6}:[a-z2-7]{16}>")
_AT, _DOT = (re.compile(rf"\s*[\[({{<]?\s*\b{word}\b\s*[\])}}>]?\s*") for word in ("at", "dot"))


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


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The keys of an installation's compartments.

    Args:
        ring: holds one random key for each compartment, made when it is first wanted.
    """

    ring: Ring

    def key(self, compartment: str, version: int = 1) -> PseudonymKey:
        """The compartment's key now; after its destruction another, whose tokens don't join.

        Raises:
            Refused: no compartment, or a key's file that is none of ours.
        """
        return PseudonymKey.derive(self.ring.current(compartment).secret, compartment, version)


def normal(kind: str, value: str) -> str:
    """One spelling for the ways a value of this kind is written."""
    value = unicodedata.normalize("NFKC", value)
    if kind in ("crypto_address", "url"):
        return value
    if kind == "email" and "@" not in value:
        value = _DOT.sub(".", _AT.sub("@", value.casefold()))
    if kind in ("email", "street_address", "date_of_birth", "url_credentials", "subject"):
        return " ".join(value.casefold().split())
    if kind == "phone":
        return "".join(filter(str.isdigit, value)).removeprefix("00")
    return "".join(filter(str.isalnum, value)).upper()
