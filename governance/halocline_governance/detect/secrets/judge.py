"""What tells a secret from a placeholder, an identifier or a hash: pure functions over its bytes.

A check gets the value and what stands before it, and says how sure it is; 0 rejects.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter

_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

_PLACEHOLDER = re.compile(
    rb"example|placeholder|changeme|change_me|change-me|your[-_]|[-_]your|insert[-_]|replace|dummy"
    rb"|redacted|xxxx|\*\*\*|\.\.\.|0{8}|1234567|abcdefg|qwerty|fake|sample|todo|loremipsum",
    re.IGNORECASE,
)
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(rb"[0-9a-fA-F]+")
_RUN = re.compile(rb"[A-Z]?[a-z]{4,}|[A-Z]{5,}")
_IMAGE = (b"iVBOR", b"/9j/", b"R0lGOD", b"UklGR", b"PHN2Zy", b"AAAA")
# The words that stand before values which are random and no secret.
_OTHER = re.compile(
    rb"checksum|sha[-_]?\d|md5|hash|digest|integrity|fingerprint|commit|revision|etag|uuid|guid"
    rb"|public|pub[-_]?key|nonce|keyword|keyboard|tokeni[sz]|tokens|token[-_]?(?:type|id|count|len)"
    rb"|key[-_]?(?:id|name|path|file|size|length|word|map)|keys|secret[-_]?(?:name|id|arn|path|ref)"
    rb"|primary|foreign|sort[-_]|partition|cache|idempot|monkey|hotkey|passive|(?:page|next|sync"
    rb"|continuation|csrf|xsrf)[-_]?token",
    re.IGNORECASE,
)
_STRONG = re.compile(
    rb"secret|passw|passphrase|pwd|credential|(?:api|access|private|auth|sign(?:ing)?|encr\w*|master"
    rb"|account|client|service)[-_. ]?(?:key|token)|apikey|bearer",
    re.IGNORECASE,
)


def entropy(value: bytes | str) -> float:
    """Shannon entropy of the characters, in bits each."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def is_placeholder(value: bytes) -> bool:
    """What stands for a secret in documentation: told by its words, or by few characters."""
    distinct = len(set(value))
    return bool(_PLACEHOLDER.search(value)) or distinct < min(8, 2 + len(value) // 3)


def wordiness(value: bytes) -> float:
    """The share of characters in runs of letters that could be words: 0.25 to 0.6 of them vowels.

    Of an identifier nearly all, of random letters and digits a tenth.
    """
    share = 0
    for run in _RUN.findall(value):
        vowels = sum(letter in b"aeiouyAEIOUY" for letter in run)
        if 0.25 <= vowels / len(run) <= 0.6:
            share += len(run)
    return share / max(1, len(value))


def is_random(value: bytes, bits: float) -> bool:
    """Letters and digits in an order that no word, path, number or image explains."""
    if not (any(48 <= c <= 57 for c in value) and any(65 <= c & 0xDF <= 90 for c in value)):
        return False
    if is_placeholder(value) or _UUID.fullmatch(value) or value.startswith(_IMAGE):
        return False
    return entropy(value) >= bits and wordiness(value) <= 0.4


def generic(value: bytes, left: bytes) -> float:
    """Entropy beside a word for a secret; `key` and `token` alone are weaker words than others."""
    line = left.rpartition(b"\n")[2][-48:]
    if _OTHER.search(line):
        return 0.0
    strong = bool(_STRONG.search(line)) or not line.isascii()
    if _HEX.fullmatch(value):
        return 0.6 if strong and len(value) >= 32 and is_random(value, 3.0) else 0.0
    if value.count(b"/") > len(value) // 8 or value.count(b".") > 2:
        return 0.0
    part = max(re.split(rb"[.~]|--", value), key=len)  # a name of many parts is no secret
    if len(part) < 16 or not is_random(part, 3.5 if strong else 3.8):
        return 0.0
    return 0.8 if strong else 0.6


def password(value: bytes, left: bytes) -> float:
    """Eight characters of three classes, which no identifier, path or variable is."""
    if _OTHER.search(left.rpartition(b"\n")[2][-48:]) or is_placeholder(value):
        return 0.0
    if value[:1] in b"$%@*&#/.~-=+!" or value[-1:] in b":" or b"://" in value:
        return 0.0
    alnum = sum(chr(c).isalnum() for c in value)
    classes = (
        any(97 <= c <= 122 for c in value)
        + any(65 <= c <= 90 for c in value)
        + any(48 <= c <= 57 for c in value)
        + (alnum < len(value) and any(c in b"!@#$%^&*?+~" for c in value))
    )
    if classes < 3 or _UUID.fullmatch(value) or not any(48 <= c <= 57 for c in value):
        return 0.0
    return 0.6 if wordiness(value) <= 0.7 else 0.0


def crc62(value: bytes, left: bytes) -> float:
    """GitHub's and npm's: behind 30 characters, their CRC-32 as six digits to the base 62."""
    body, claimed = value[-36:-6], value[-6:]
    number, digits = zlib.crc32(body), bytearray()
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return 0.99 if bytes(reversed(digits)) == claimed else plain(value, left, 0.6)


def bech32(value: bytes, left: bytes) -> float:
    """Bech32's checksum (BIP 173), which age's secret keys end in."""
    prefix, _, data = value.decode("ascii").lower().rpartition("1")
    words = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    words += [_BECH32.find(c) for c in data]
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for at, factor in enumerate(_BECH32_GENERATOR):
            check ^= factor if top >> at & 1 else 0
    return 0.99 if check == 1 else 0.0


def plain(value: bytes, left: bytes, score: float = 0.95) -> float:
    """A published form; only a placeholder is none."""
    return 0.0 if is_placeholder(value) else score


def lettered(value: bytes, left: bytes) -> float:
    """A short published prefix: what follows must look random as well."""
    return 0.9 if is_random(value, 3.0) else 0.0


def jose(value: bytes, left: bytes) -> float:
    """A JSON Web Token (RFC 7519): its header is a JSON object with `alg`."""
    decoded = _decoded(value.partition(b".")[0])
    try:
        header: object = json.loads(decoded) if decoded else None
    except ValueError:
        return 0.0
    return 0.95 if isinstance(header, dict) and "alg" in header else 0.0


def basic(value: bytes, left: bytes) -> float:
    """Base64 of `user:password` (RFC 7617)."""
    user, colon, secret = (_decoded(value) or b"").partition(b":")
    try:
        readable = (user + secret).decode().isprintable()
    except UnicodeDecodeError:
        return 0.0
    if not (user and colon and secret and readable):
        return 0.0
    return 0.0 if default_password(user, secret) else 0.9


def wrapped_key(value: bytes, left: bytes) -> float:
    """Base64 of a PEM private key."""
    head = _decoded(value[: len(value) // 4 * 4][:400]) or b""
    return 0.95 if b"-----BEGIN" in head and b"PRIVATE KEY" in head else 0.0


def snowflake(value: bytes, left: bytes) -> float:
    """A Discord token begins with the base64 of a user's number."""
    return 0.95 if (_decoded(value.partition(b".")[0]) or b"x").isdigit() else 0.0


def in_url(value: bytes, left: bytes) -> float:
    """`user:password@` in a URL, which is no placeholder and no default."""
    user, _, secret = value.partition(b"://")[2].rpartition(b"@")[0].partition(b":")
    if default_password(user, secret) or secret[:1] in b"$%<{*#" or is_redacted(secret):
        return 0.0
    return 0.9


def in_connection(value: bytes, left: bytes) -> float:
    """The password of a JDBC, ODBC or ADO.NET string, or of a .netrc."""
    if default_password(b"", value) or value[:1] in b"$%<{*#@" or is_redacted(value):
        return 0.0
    return 0.85


def is_redacted(secret: bytes) -> bool:
    """Nothing but one character, or a word that stands for a password."""
    return len(set(secret)) < 3 or bool(_PLACEHOLDER.search(secret))


def default_password(user: bytes, secret: bytes) -> bool:
    """A password that everybody knows: a word for one, or the user's name again."""
    word = secret.strip(b"'\"").lower()
    known = (b"password", b"passwd", b"pass", b"pwd", b"secret", b"guest", b"root", b"admin")
    more = (b"test", b"user", b"token", b"none", b"null", b"string", b"mypassword", b"pw", b"tiger")
    return word in (*known, *more) or word == user.lower() or len(word) < 4


def _decoded(value: bytes) -> bytes | None:
    try:
        plain_form = value.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        return base64.b64decode(plain_form + b"=" * (-len(plain_form) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
