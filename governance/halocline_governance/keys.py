"""Private keys on disk: made once, 0600, in a folder of 0700; never printed, never logged."""

from __future__ import annotations

import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance import durable
from halocline_governance.errors import Refused


def ed25519(path: Path) -> Ed25519PrivateKey:
    """The key at `path`, made when it is not there.

    Raises:
        Refused: the file is not an Ed25519 key, or others may read it.
    """
    if not path.exists():
        _create(path, _pem(Ed25519PrivateKey.generate()))
    key = serialization.load_pem_private_key(_read(path), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{path.name} is not an Ed25519 key")
    return key


def p256(path: Path) -> EllipticCurvePrivateKey:
    """The P-256 key at `path`, made when it is not there: OPA verifies no Ed25519.

    Raises:
        Refused: the file is not a P-256 key, or others may read it.
    """
    if not path.exists():
        _create(path, _pem(generate_private_key(SECP256R1())))
    key = serialization.load_pem_private_key(_read(path), password=None)
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise Refused(f"{path.name} is not a P-256 key")
    return key


def secret(path: Path, num_bytes: int = 32) -> bytes:
    """The random secret at `path`, made when it is not there."""
    if not path.exists():
        _create(path, secrets.token_bytes(num_bytes))
    value = _read(path)
    if len(value) != num_bytes:
        raise Refused(f"{path.name} is not a secret of {num_bytes} bytes")
    return value


def _pem(key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.create(path, content)  # unless another process made it first: its key is the key


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path.name} can be read by others; run: chmod 600 {path}")
    return path.read_bytes()
