"""Exact duplicates: texts that are the same once case and white space are."""

from __future__ import annotations

import hashlib
import unicodedata

RULE = "exact@1"


def digest(text: str) -> bytes:
    """16 bytes that two texts share exactly if they are duplicates."""
    plain = text if text.isascii() else unicodedata.normalize("NFC", text)
    return hashlib.sha256(" ".join(plain.casefold().split()).encode()).digest()[:16]


def key(digest: bytes) -> float:
    """53 bits of a digest, which a signal's double holds exactly."""
    return float(int.from_bytes(digest[:8], "big") >> 11)
