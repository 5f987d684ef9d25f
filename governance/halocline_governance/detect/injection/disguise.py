"""What a segment says once its disguise is off: the other texts that a model could read in it."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,}")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}){6,}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}|[A-Za-z0-9.+_-]){24,}")
_SPACED = re.compile(r"(?:\b\w[ .\-_*]{1,3}){6,}\w\b")
_HOMOGLYPHS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u0261\u0131"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406"
    "\u03bf\u03b1\u03b9\u03bd\u03c1\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4",
    "aeopcyxijshdgiABEKMHOPCTXIoaivpABEHIKMNOPT",
)


def tagged(text: str) -> str:
    """What is written in tag characters (U+E0020 to U+E007E), which show as nothing."""
    return "".join(chr(ord(c) - 0xE0000) for run in _TAGS.findall(text) for c in run)


def others(text: str) -> Iterator[str]:
    """The forms of the text without the disguises found in it; never the text itself."""
    if hidden := tagged(text):
        yield hidden
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).translate(_HOMOGLYPHS)
    if plain != text:
        yield plain
    for match in _SPACED.finditer(plain):
        joined = re.sub(r"(?<=\w)[ .\-_*](?=\w\b)", "", match[0])
        yield plain[: match.start()] + " ".join(joined.split()) + plain[match.end() :]
    yield from _decoded(plain)


def turned(text: str) -> Iterator[str]:
    """The text by rot13, and backwards."""
    yield codecs.decode(text, "rot13")
    yield text[::-1]


def _decoded(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        for skip in range(4):  # a segment may begin anywhere in it
            body = match[0][skip:].rstrip("=").translate(str.maketrans("-_", "+/"))
            yield from _readable(_base64(body[: len(body) // 4 * 4]))
    for match in _HEX.finditer(text):
        yield from _readable(bytes.fromhex("".join(filter(str.isalnum, match[0]))))
    for match in _ESCAPED.finditer(text):
        yield from _readable(codecs.decode(match[0], "unicode_escape").encode("utf-8", "replace"))
    for match in _PERCENT.finditer(text):
        if match[0].count("%") >= 3:
            yield from _readable(unquote_to_bytes(match[0]))


def _base64(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _readable(data: bytes) -> Iterator[str]:
    """As text, if nearly all of it is printable ASCII with spaces."""
    printable = sum(0x20 <= byte < 0x7F for byte in data)
    if len(data) >= 12 and printable >= 0.9 * len(data) and data.count(b" ") >= 2:
        yield data.decode("utf-8", "replace")
