"""Signed checkpoints: C2SP tlog-checkpoint notes with Ed25519 signatures (signature type 0x01).

    <origin>
    <size>
    <base64 root>

    U+2014 <key name> base64(key id || signature)

A key is a line `<name>+<key id hex>+<base64(0x01 || public key)>`, as C2SP signed-note has it;
trust is one or several of them, one a line.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from halocline_governance.errors import Refused, Unverified

ORIGIN = "halocline/"
MAX_NOTE_BYTES = 65_536
_ED25519 = b"\x01"
_DASH = "\u2014"
_ID = re.compile(r"[0-9a-f]{8}")
_SIGNATURE_BYTES = 64
_MAX_DIGITS = 16
_NO_LEAVES = hashlib.sha256().digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root at one moment."""

    origin: str
    size: int
    root: bytes

    @property
    def log(self) -> str:
        """The log's name; empty when the origin is not a journal's."""
        return self.origin.removeprefix(ORIGIN) if self.origin.startswith(ORIGIN) else ""

    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def claimed(cls, note: str) -> Checkpoint:
        """What a note says, whoever signed it.

        Raises:
            Unverified: not a checkpoint in canonical form.
        """
        if len(note.encode("utf-8", "replace")) > MAX_NOTE_BYTES:
            raise Unverified(f"a checkpoint has at most {MAX_NOTE_BYTES} bytes")
        try:
            origin, size, root = note.split("\n\n", 1)[0].split("\n")
            checkpoint = cls(origin, int(size[:_MAX_DIGITS]), _decoded(root))
        except ValueError as error:
            raise Unverified("not a checkpoint") from error
        if not origin or len(checkpoint.root) != 32 or not note.startswith(checkpoint.body()):
            raise Unverified("not a checkpoint in canonical form")
        if checkpoint.size == 0 and checkpoint.root != _NO_LEAVES:
            raise Unverified("the checkpoint's root is not that of no records")
        return checkpoint


@dataclass(frozen=True, slots=True)
class Key:
    """A named public key."""

    public: Ed25519PublicKey
    name: str = "halocline"

    @property
    def key_id(self) -> bytes:
        raw = self.public.public_bytes_raw()
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + raw).digest()[:4]

    @property
    def ident(self) -> str:
        """What names the key shortly: `<name>+<key id hex>`."""
        return f"{self.name}+{self.key_id.hex()}"

    def line(self) -> str:
        """The key in C2SP's text form."""
        public = base64.b64encode(_ED25519 + self.public.public_bytes_raw()).decode()
        return f"{self.ident}+{public}"

    def signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def parse(cls, line: str) -> Key:
        """From the text form.

        Raises:
            Refused: not such a line.
        """
        try:
            name, key_id, encoded = line.strip().split("+", 2)
            raw = _decoded(encoded)
            key = cls(Ed25519PublicKey.from_public_bytes(raw[1:]), name)
        except (ValueError, binascii.Error) as error:
            raise Refused("a key line looks like name+keyid+base64") from error
        if raw[:1] != _ED25519 or key.key_id.hex() != key_id or not _is_name(name):
            raise Refused("the key line's id is not that of its key")
        return key


@dataclass(frozen=True, slots=True)
class Endorsement:
    """The old key's word for a new one: the object of a `journal.key` record."""

    key: Key
    by: str
    signature: str

    def as_json(self) -> dict[str, str]:
        return {"by": self.by, "key": self.key.line(), "signature": self.signature}

    @classmethod
    def parse(cls, obj: Any) -> Endorsement:
        """From a record's object.

        Raises:
            Refused: not in that form.
        """
        match obj:
            case {"by": str(by), "key": str(line), "signature": str(signature), **rest}:
                key, (name, _, ident) = Key.parse(line), by.rpartition("+")
                is_form = _is_name(name) and _ID.fullmatch(ident) and _is_signature(signature)
                if not rest and key.line() == line and is_form:
                    return cls(key, by, signature)
            case _:
                pass
        raise Refused("a key's record has by, key and signature")

    def holds(self, old: Key) -> bool:
        """Whether the old key signed it."""
        try:
            return old.signed(_statement(self.key), _decoded(self.signature))
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs checkpoints under one key name.

    Args:
        older: keys by which heads that are already there may be signed.
        endorsements: the older keys' words for newer ones, as far as they are known.
    """

    key: Ed25519PrivateKey
    name: str = "halocline"
    older: Trust | None = None
    endorsements: tuple[Endorsement, ...] = ()

    @property
    def public(self) -> Key:
        return Key(self.key.public_key(), self.name)

    @property
    def trust(self) -> Trust:
        """Its own key first, then the older ones."""
        own = self.public
        older = self.older.keys if self.older else ()
        return Trust((own, *(key for key in older if key.line() != own.line())))

    def sign(self, checkpoint: Checkpoint) -> str:
        own, body = self.public, checkpoint.body()
        signature = base64.b64encode(own.key_id + self.key.sign(body.encode())).decode()
        return f"{body}\n{_DASH} {self.name} {signature}\n"

    def endorse(self, new: Key) -> Endorsement:
        """This key's word that heads by the new key are to be trusted too."""
        signature = base64.b64encode(self.key.sign(_statement(new))).decode()
        return Endorsement(new, self.public.ident, signature)

    def handover(self, note: str) -> tuple[Endorsement, ...]:
        """What a log must record before heads by this key, when its head is this note: nothing when
        this key signed that, and all that is known when that is over nothing: whoever trusts an
        older key only has nothing else to go by.

        Raises:
            Unverified: no trusted key signed it.
            Refused: no endorsements lead from its key to this one.
        """
        own = self.public
        at = self.trust.signers(note)[0].ident
        path: list[Endorsement] = []
        by = {item.by: item for item in self.endorsements}
        while at != own.ident:
            if at not in by or len(path) > len(by):
                raise Refused(
                    f"the log's head is by the key {at}, which endorsed no other; "
                    "change keys with: halocline audit rotate-key"
                )
            path.append(by[at])
            at = by[at].key.ident
        return tuple(path) if Checkpoint.claimed(note).size else self.endorsements


@dataclass(frozen=True, slots=True)
class Trust:
    """The public keys a reader trusts; they come from outside the journal's directory."""

    keys: tuple[Key, ...]

    def line(self) -> str:
        """The first key in C2SP's text form: of a signer's trust its own."""
        return self.keys[0].line()

    def text(self) -> str:
        """All keys, one a line."""
        return "".join(f"{key.line()}\n" for key in self.keys)

    @classmethod
    def parse(cls, text: str) -> Trust:
        """From key lines; empty ones and those that begin with `#` are left out.

        Raises:
            Refused: no key, or a line that is none.
        """
        lines = [line.strip() for line in text.split("\n")]
        keys = [Key.parse(line) for line in lines if line and not line.startswith("#")]
        if not keys:
            raise Refused("no key line, which looks like name+keyid+base64")
        return cls(tuple({key.line(): key for key in keys}.values()))

    def extended(self, endorsement: Endorsement) -> Trust:
        """This trust and what one of its keys endorsed; the same when none of them is named.

        Raises:
            Unverified: it names a trusted key, which did not sign it.
        """
        named = [key for key in self.keys if key.ident == endorsement.by]
        if not named:
            return self
        if not any(endorsement.holds(key) for key in named):
            raise Unverified("the key that is named did not endorse the new one")
        known = {key.line() for key in self.keys}
        new = endorsement.key
        return self if new.line() in known else Trust((*self.keys, new))

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that a trusted key signed.

        Raises:
            Unverified: no such signature, a wrong one, or not a checkpoint in canonical form.
        """
        checkpoint = Checkpoint.claimed(note)
        self.signers(note)
        return checkpoint

    def signers(self, note: str) -> list[Key]:
        """The trusted keys that signed a note, at least one.

        Raises:
            Unverified: as `open`.
        """
        body = Checkpoint.claimed(note).body()
        found: list[Key] = []
        try:
            for name, raw in _signatures(note.removeprefix(body)):
                for key in self.keys:
                    if name == key.name and raw[:4] == key.key_id:
                        key.public.verify(raw[4:], body.encode())
                        found.append(key)
        except (ValueError, InvalidSignature) as error:
            raise Unverified("a signature of the checkpoint is wrong") from error
        if not found:
            raise Unverified("the checkpoint is not signed by a trusted key")
        return found


def endorsements(texts: Mapping[str, Any] | list[Any]) -> tuple[Endorsement, ...]:
    """Endorsements from their JSON, as a file beside the keys holds them."""
    items = texts if isinstance(texts, list) else [texts]
    return tuple(Endorsement.parse(item) for item in items)


def _signatures(text: str) -> list[tuple[str, bytes]]:
    first, *lines, last = text.split("\n")
    found: list[tuple[str, bytes]] = []
    for line in lines:
        dash, name, encoded = line.split(" ")
        if dash != _DASH or not _is_name(name) or len(_decoded(encoded)) < 5:
            raise ValueError("not a signature line")
        found.append((name, _decoded(encoded)))
    if first or last or not found:
        raise ValueError("not signed")
    return found


def _is_name(text: str) -> bool:
    """Without white space, `+` and what C2SP's notes never hold: characters below U+0020."""
    return text.split() == [text] and "+" not in text and min(text) >= " "


def _is_signature(text: str) -> bool:
    try:
        return len(_decoded(text)) == _SIGNATURE_BYTES
    except ValueError:
        return False


def _statement(new: Key) -> bytes:
    return f"halocline/journal-key\n{new.line()}\n".encode()


def _decoded(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("base64 is not canonical")
    return raw
