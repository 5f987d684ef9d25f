"""Private keys between their BEGIN and END lines (RFC 7468, OpenSSH, PGP, RFC 4880), whole.

Also with line ends spelt `\\n`, in quotes, or indented, as in JSON, YAML and source text. A header
without a key behind it is none; a key that is cut off before its END line is.
"""

from __future__ import annotations

import re

KIND = "private_key"
BEGIN = b"-----BEGIN "
LONGEST = 16384

_HEADER = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_OPEN_HEADER = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,68}-{0,5}\Z")
_BODY = re.compile(rb"(?:[A-Za-z0-9+/=:,.\s\\\"'()@<>_]|-(?!----)){0,%d}" % LONGEST)
_END = re.compile(rb"-----END [A-Z0-9 ]{1,64}-----")
_OPEN_END = re.compile(rb"-{0,5}\Z|-----(?:E|EN|END|END [A-Z0-9 ]{0,64}-{0,5})\Z")
_CUT = re.compile(rb"(?:[\s\\nr\"'+>,]{1,16}[A-Za-z0-9+/=]{24,128}){1,400}")
_LINE = re.compile(rb"[A-Za-z0-9+/=]{8,}")


def at(data: bytes, start: int, low: int, high: int) -> tuple[int, float] | None:
    """The end and the score of a private key that starts here."""
    header = _HEADER.match(data, start, high)
    if header is None:
        return None
    body = _BODY.match(data, header.end(), high)
    end = _END.match(data, body.end(), high) if body else None
    if body and end:
        size = sum(map(len, _LINE.findall(body[0])))
        score = 0.95 if size >= 64 else 0.5 if size >= 8 and b"..." not in body[0] else 0.0
        return (end.end(), score) if score else None
    cut = _CUT.match(data, header.end(), high)
    return (cut.end(), 0.9) if cut else None


def is_open(data: bytes, start: int) -> bool:
    """Whether what follows the end of the data can still change what `at` says."""
    header = _HEADER.match(data, start)
    if header is None:
        return bool(_OPEN_HEADER.match(data, start))
    body = _BODY.match(data, header.end())
    if body is None or len(body[0]) >= LONGEST:
        return False
    return bool(_OPEN_END.match(data, body.end()))
