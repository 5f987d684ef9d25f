"""Reversible tokens: what stands in a text for a sealed value, and sealing and opening itself.

A value is encrypted with AES-256-SIV (RFC 5297), which is deterministic: one value has one token
under one key. The token is the 128-bit synthetic IV alone; the ciphertext lies in the vault. So a
token says nothing of a value's length, a forged one opens nothing (the IV is also the
authentication tag), and of vault and key together nothing can be read without the text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from halocline_governance.scrub.pseudonym import normal
from halocline_governance.scrub.ring import VaultKey

REVERSIBLE = re.compile(r"<([a-z][a-z0-9_]{0,31}):r([1-9][0-9]{0,5}):([a-z2-7]{26})>")
_IV = 16


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is written; nothing says that it was ever made."""

    kind: str
    number: int
    iv: bytes

    @classmethod
    def parse(cls, text: str) -> Token | None:
        """The token that this whole text is; None for anything else, another spelling included."""
        match = REVERSIBLE.fullmatch(text)
        if match is None:
            return None
        iv = base64.b32decode(match[3].upper() + "======")
        token = cls(match[1], int(match[2]), iv)
        return token if str(token) == text else None

    def __str__(self) -> str:
        code = base64.b32encode(self.iv).decode().rstrip("=").lower()
        return f"<{self.kind}:r{self.number}:{code}>"

    @property
    def sha256(self) -> str:
        """How the journal names it."""
        return hashlib.sha256(str(self).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sealed:
    """What lies in the vault for a token. Neither id nor ciphertext tells the token.

    Args:
        id: 16 bytes, keyed, from the token.
        key: number of the key.
        kind: of the value.
        same: 16 bytes, keyed, equal for every spelling of a value.
        ciphertext: as long as the value.
    """

    id: bytes
    key: int
    kind: str
    same: bytes
    ciphertext: bytes = field(repr=False)


class Sealer:
    """Seals and opens under one key."""

    def __init__(self, key: VaultKey) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._key = key
        self._cipher = AESSIV(key.derive("seal", 64))
        self._index = key.derive("index", 32)

    def seal(self, kind: str, value: str) -> tuple[Token, Sealed]:
        """The token for the text and the row for the vault."""
        whole = self._cipher.encrypt(value.encode(), self._bound(kind))
        token = Token(kind, self._key.number, whole[:_IV])
        row = Sealed(self.id(token), token.number, kind, self.same(kind, value), whole[_IV:])
        return token, row

    def open(self, token: Token, ciphertext: bytes) -> str | None:
        """The value; None when token and ciphertext are not of each other, or of this key."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(token.iv + ciphertext, self._bound(token.kind)).decode()
        except InvalidTag:
            return None

    def id(self, token: Token) -> bytes:
        return self._keyed(b"id", token.kind.encode() + b"\0" + token.iv)

    def same(self, kind: str, value: str) -> bytes:
        return self._keyed(b"same", kind.encode() + b"\0" + normal(kind, value).encode())

    def _bound(self, kind: str) -> list[bytes]:
        """What the token is bound to beside the value."""
        place = self._key.compartment.encode()
        return [b"halocline vault", place, str(self._key.number).encode(), kind.encode()]

    def _keyed(self, use: bytes, message: bytes) -> bytes:
        return hmac.digest(self._index, use + b"\0" + message, hashlib.sha256)[:_IV]
