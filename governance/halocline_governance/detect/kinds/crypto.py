"""Crypto-currency addresses. Checks: base58check, BIP 173 and 350, EIP-55."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.keccak import keccak256
from halocline_governance.detect.kinds.shape import Hit
from halocline_governance.detect.kinds.words import Words

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_words = Words("wallet*", "eth*", "address*", "btc", "bitcoin*", "crypto*", "send", "payment*")
_HASHES = Words("hash*", "tx*", "commit*", "sha*", "transaction*", "block*")


def base58check(value: str, alphabet: str = _ALPHABET) -> bool:
    """25 bytes, the last four of which are the double SHA-256 of the others."""
    number = 0
    for char in value:
        digit = alphabet.find(char)
        if digit < 0:
            return False
        number = number * 58 + digit
    if number >> 200:
        return False
    data = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(value: str) -> bool:
    """BIP 173, or BIP 350's constant."""
    human, _, body = value.lower().rpartition("1")
    data = [_CHARSET.find(char) for char in body]
    if len(data) < 8 or min(data) < 0:
        return False
    check = 1
    for digit in [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human] + data:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ digit
        for bit in range(5):
            check ^= _STEPS[bit] if (top >> bit) & 1 else 0
    return check in (1, 0x2BC830A3)


_base58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{26,35}(?!\w)")
_bech = re.compile(r"(?:bc1|ltc1|tb1|addr1)[ac-hj-np-z02-9]{11,100}(?!\w)", re.IGNORECASE)
_ether = re.compile(r"0[xX][0-9a-fA-F]{40}(?!\w)")


def ethereum(text: str, at: int) -> Iterator[Hit]:
    """An address in one case has no checksum; one in two has EIP-55's."""
    match = _ether.match(text, at)
    if match is None or (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
        return
    body = match[0][2:]
    if len(set(body.lower())) < 6:
        return
    if body in (body.lower(), body.upper()):
        if _words.near(match) or not _HASHES.near(match):
            yield Hit(match.start(), match.end(), "crypto_address", 0.6)
        return
    seen = keccak256(body.lower().encode()).hex()
    cased = "".join(
        c.upper() if int(n, 16) > 7 else c for c, n in zip(body.lower(), seen, strict=False)
    )
    if cased == body:
        yield Hit(match.start(), match.end(), "crypto_address", 0.97)


def coin(text: str, at: int) -> Iterator[Hit]:
    """Bitcoin, Litecoin, Dogecoin, Dash, Tron, Ripple and others of their form."""
    match = _bech.match(text, at)
    if match is not None and bech32(match[0]):
        yield Hit(match.start(), match.end(), "crypto_address", 0.97)
    match = _base58.match(text, at)
    if match is None:
        return
    alphabet = _RIPPLE if match[0][0] == "r" else _ALPHABET
    if base58check(match[0], alphabet):
        yield Hit(match.start(), match.end(), "crypto_address", 0.97)
