"""Signed checkpoints: C2SP tlog-checkpoint notes with Ed25519 signatures (signature type 0x01).

    <origin>
    <size>
    <base64 root>

    U+2014 <key name> base64(key id || signature)

Trust is a key line `<name>+<key id hex>+<base64(0x01 || public key)>`, as C2SP signed-note has it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from halocline_governance.errors import Refused, Unverified

_ED25519 = b"\x01"
_DASH = "\u2014"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root at one moment."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs checkpoints under one key name."""

    key: Ed25519PrivateKey
    name: str = "halocline"

    @property
    def trust(self) -> Trust:
        return Trust(self.key.public_key(), self.name)

    def sign(self, checkpoint: Checkpoint) -> str:
        body = checkpoint.body()
        signature = base64.b64encode(self.trust.key_id + self.key.sign(body.encode())).decode()
        return f"{body}\n{_DASH} {self.name} {signature}\n"


@dataclass(frozen=True, slots=True)
class Trust:
    """The public key a reader trusts; it comes from outside the journal's directory."""

    key: Ed25519PublicKey
    name: str = "halocline"

    @property
    def key_id(self) -> bytes:
        raw = self.key.public_bytes_raw()
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + raw).digest()[:4]

    def line(self) -> str:
        """The key in C2SP's text form."""
        public = base64.b64encode(_ED25519 + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{public}"

    @classmethod
    def parse(cls, line: str) -> Trust:
        """From the text form.

        Raises:
            Refused: not such a line.
        """
        try:
            name, key_id, encoded = line.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            trust = cls(Ed25519PublicKey.from_public_bytes(raw[1:]), name)
        except (ValueError, binascii.Error) as error:
            raise Refused("a key line looks like name+keyid+base64") from error
        if raw[:1] != _ED25519 or trust.key_id.hex() != key_id:
            raise Refused("the key line's id is not that of its key")
        return trust

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that this key signed.

        Raises:
            Unverified: no such signature, or not a checkpoint in canonical form.
        """
        try:
            body, signatures = note.split("\n\n", 1)
            checkpoint = _parse(body + "\n")
            self.key.verify(self._signature(signatures), checkpoint.body().encode())
        except (ValueError, InvalidSignature) as error:
            raise Unverified("the checkpoint is not signed by the trusted key") from error
        return checkpoint

    def _signature(self, signatures: str) -> bytes:
        *lines, end = signatures.split("\n")
        found: bytes | None = None
        for line in lines:
            dash, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            if dash != _DASH or not name or base64.b64encode(raw).decode() != encoded:
                raise ValueError("not canonical")
            if found is None and name == self.name and raw[:4] == self.key_id:
                found = raw[4:]
        if end or found is None:
            raise ValueError("no signature by this key")
        return found


def _parse(body: str) -> Checkpoint:
    origin, size, root, _ = body.split("\n")
    checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    if not origin or checkpoint.body() != body or len(checkpoint.root) != 32:
        raise ValueError("not canonical")
    return checkpoint
