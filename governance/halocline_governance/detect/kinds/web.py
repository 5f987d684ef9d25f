"""URLs, and URLs that carry a user and a password. A URL by itself is no personal datum."""

from __future__ import annotations

import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.shape import Hit

_PLACEHOLDER = re.compile(
    r"(?:[*x.]+|\$.*|%.*|pass(?:word|wd)?|pwd|pw|secret|token|your.*|my.*|example|changeme|key)\Z",
    re.IGNORECASE,
)
_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}\Z")
_with_password = re.compile(
    r"://(?P<user>[^\s/:@<>\"'`{}\[\]\x00\x01]{0,64}):(?P<password>[^\s/@<>\"'`{}\[\]\x00\x01]{1,128})@"
    r"(?:[\w.-]{1,128}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::\d{1,5})?(?:[/?#][^\s\"'<>`)\]\x00\x01]{0,200})?"
)
_token = re.compile(
    r"://(?P<password>[A-Za-z0-9_-]{16,128})@[\w.-]{1,128}(?::\d{1,5})?(?:[/?#][^\s\"'<>`)\]\x00\x01]{0,200})?"
)
_plain = re.compile(
    r"(?:://(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|[^\W_][\w-]{0,61}(?:\.[\w-]{1,63}){1,8})"
    r"|www(?:\.[\w-]{1,63}){2,8})(?::\d{1,5}(?!\d))?(?![\w@])"
    r"(?:[/?#][^\s\"'<>`\x00-\x1f]{0,300})?",
    re.IGNORECASE,
)
_SCHEMES = re.compile(
    r"(?:https?|ftps?|sftp|wss?|ssh|git|svn|s3|gs|file|ldaps?|smb|rtsp|postgres(?:ql)?|mysql"
    r"|mongodb"
    r"(?:\+srv)?|redis|amqps?|jdbc:\w+)\Z",
    re.IGNORECASE,
)


def located(text: str, at: int) -> Iterator[Hit]:
    """From the scheme before the `://` on, or from `www.` on."""
    scheme = _scheme.search(text, max(0, at - 21), at) if text.startswith("://", at) else None
    start = at - len(scheme[0]) if scheme else at
    for pattern in (_with_password, _token):
        match = pattern.match(text, at)
        if match is not None and not _PLACEHOLDER.match(match["password"]):
            yield Hit(start, _end(text, match.end()), "url_credentials", 0.95)
            return
    if scheme is None and text.startswith("://", at):
        return
    if scheme is not None and not _SCHEMES.match(scheme[0]):
        return
    if scheme is None and text[at - 1 : at] and (text[at - 1].isalnum() or text[at - 1] in "/.@-_"):
        return
    match = _plain.match(text, at)
    if match is not None:
        yield Hit(start, _end(text, match.end()), "url", 0.9)


def _end(text: str, end: int) -> int:
    """Without the punctuation that closes a sentence or a bracket around it."""
    while end and text[end - 1] in ".,;:!?)]}*'":
        end -= 1
    return end
