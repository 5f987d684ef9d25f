"""Bytes of a file as UTF-8, so that offsets count the characters of the text that is in it.

A byte-order mark says what a file is; without one it is UTF-8, or what its reader says it is.
"""

from __future__ import annotations

import codecs
from contextlib import suppress

from halocline_governance.detect.verdict import UNDECODABLE
from halocline_governance.errors import Refused
from halocline_infra.detecting.chunks import Chunks, Unreadable, peeked

NOT_UTF8 = f"{UNDECODABLE}; give --encoding"
NO_MARK = "undecodable: UTF-16 without a byte-order mark; give --encoding utf-16-le or utf-16-be"

_MARKS = {  # the longer first
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

_SIGHT = 9
"""Bytes; four letters and the one that a big end is off by."""


def known(name: str) -> str:
    """The name of an encoding as Python has it.

    Raises:
        Refused: there is none of this name, or it is none of texts.
    """
    try:
        found = codecs.lookup(name)
        with suppress(UnicodeError):
            b"x".decode(name)
    except (LookupError, ValueError):
        raise Refused("--encoding: none of that name; utf-8, utf-16, latin-1, cp1252, …") from None
    return found.name


def as_utf8(parts: Chunks, encoding: str | None = None) -> Chunks:
    """The same text in UTF-8, without its mark.

    What cannot be decoded stays bytes that are no UTF-8 where its characters are bytes, so that
    the other lines can be read.

    Args:
        encoding: what they are; None where a mark may say it.

    Raises:
        Unreadable: what cannot be decoded, after all before it; UTF-16 that has no mark, which
            would read as UTF-8 with a NUL behind each letter.
    """
    head, parts = peeked(parts, _MARKS)
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    if encoding is None and not mark:
        parts = _narrow(parts)
    name = encoding or _MARKS.get(mark, "utf-8")
    if name in ("utf-8", "utf-8-sig"):
        yield from _without(parts, mark if mark == codecs.BOM_UTF8 else b"")
        return
    known_by_mark = mark if encoding is None or encoding == _MARKS.get(mark) else b""
    wide = name.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(name)("surrogatepass" if wide else "surrogateescape")
    try:
        for part in _without(parts, known_by_mark):
            yield decoder.decode(part).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeError:
        raise Unreadable(f"undecodable: not {name}") from None


def _narrow(parts: Chunks) -> Chunks:
    """The same, if the first letters are no UTF-16."""
    head = b""
    for part in parts:
        if len(head) < _SIGHT:
            head = (head + part)[:_SIGHT]
            if _wide(head) or (head[:1] == b"\0" and _wide(head[1:])):
                raise Unreadable(NO_MARK)
        yield part


def _wide(head: bytes) -> bool:
    """Whether these look like letters in UTF-16, little end first (RFC 4627, section 3)."""
    even = head[: len(head) & ~1]
    return len(even) >= 4 and not any(even[1::2]) and all(even[::2])


def _without(parts: Chunks, mark: bytes) -> Chunks:
    left = len(mark)
    for part in parts:
        if not part or len(part) > left:
            yield part[left:] if part else part
        left -= min(left, len(part))
