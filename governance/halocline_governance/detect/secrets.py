"""Keys and tokens: known formats, and strings of high entropy beside a word that names a secret.

Formats are those their issuers publish. A documented example key is none.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from halocline_governance.detect.face import ByText
from halocline_governance.detect.kinds.shape import Hit, occurrences
from halocline_governance.detect.verdict import Finding, Span, byte_offsets

_REACH = 1024

_FORMATS: tuple[tuple[str, str, str], ...] = (
    ("aws_access_key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    ("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    ("github_token", "github_pat_", r"github_pat_[A-Za-z0-9_]{40,255}"),
    ("gitlab_token", "glpat-", r"glpat-[A-Za-z0-9_-]{20,64}"),
    ("slack_token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    (
        "slack_webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,28}",
    ),
    ("google_api_key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    ("stripe_key", "k_live_", r"[rs]k_live_[A-Za-z0-9]{16,100}"),
    ("npm_token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    ("pypi_token", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,200}"),
    ("model_hub_token", "hf_", r"hf_[A-Za-z]{34}"),
    ("model_api_key", "sk-", r"sk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{32,200}"),
    ("sendgrid_key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    (
        "private_key",
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    ),
    (
        "jwt",
        "eyJ",
        r"eyJ[A-Za-z0-9_-]{8,512}\.eyJ[A-Za-z0-9_-]{8,4096}(?:\.[A-Za-z0-9_-]{0,1024})?",
    ),
)
_COMPILED = tuple(
    (
        kind,
        tuple(literals.split()) if kind != "private_key" else (literals,),
        re.compile(rf"(?<![A-Za-z0-9_]){pattern}"),
    )
    for kind, literals, pattern in _FORMATS
)
_BODY = re.compile(r"[A-Za-z0-9+/=:,\s.-]{0,16384}?-----END [A-Z0-9 ]{1,64}-----")
_NAMES = ("secret", "key", "token", "passw", "credential")
_NAMED = re.compile(
    r"(?:secret|key|token|passw(?:or)?d|credentials?)[\w-]{0,20}"
    r"[\"']?[ \t]{0,3}(?::=|=>|[:=])[ \t]{0,3}[\"']?(?P<v>[A-Za-z0-9+/_=.~-]{20,200})",
    re.IGNORECASE | re.ASCII,
)
_MIN_BITS = 3.5

KINDS = (*dict.fromkeys(kind for kind, _, _ in _FORMATS), "generic_secret")


@dataclass(frozen=True, slots=True)
class SecretDetector(ByText):
    """Credentials in known formats, and what looks like one beside a word that says so."""

    id: str = "secrets@1"
    kinds: frozenset[str] = frozenset(KINDS)

    def holdback(self, text: str) -> int:
        """Where a secret starts is settled by its line, or by its first 1,024 characters."""
        line = text.rpartition("\n")[2][-_REACH:]
        return len(line.encode("utf-8", "surrogatepass"))

    def find(self, text: str) -> Finding:
        hits = sorted((*_known(text), *_named(text)), key=lambda hit: (hit.start, -hit.end))
        kept: list[Hit] = []
        for hit in hits:
            if not kept or hit.start >= kept[-1].end:
                kept.append(hit)
        offsets = byte_offsets(text, [at for hit in kept for at in (hit.start, hit.end)])
        return Finding(
            tuple(Span(offsets[hit.start], offsets[hit.end], hit.kind, hit.score) for hit in kept)
        )


def _known(text: str) -> Iterator[Hit]:
    for kind, literals, pattern in _COMPILED:
        if not any(literal in text for literal in literals):
            continue
        for match in pattern.finditer(text):
            if "EXAMPLE" in match[0] or len(set(match[0])) < 8:
                continue
            if kind == "jwt" and not _is_jose(match[0]):
                continue
            end = match.end()
            if kind == "private_key" and (body := _BODY.match(text, end)):
                end = body.end()
            yield Hit(match.start(), end, kind, 0.95)


def _is_jose(token: str) -> bool:
    header = token.partition(".")[0]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(decoded, dict) and "alg" in decoded


def _named(text: str) -> Iterator[Hit]:
    lowered = _lowered(text)
    for name in _NAMES:
        for at in occurrences(lowered, name):
            match = _NAMED.match(text, at)
            if match is not None and _random(match["v"]):
                yield Hit(match.start("v"), match.end("v"), "generic_secret", 0.7)


def _random(value: str) -> bool:
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed and "EXAMPLE" not in value and entropy(value) >= _MIN_BITS


def _lowered(text: str) -> str:
    """Lower case, character for character: one capital letter would grow."""
    return text.replace("\u0130", "i").lower()


def entropy(value: str) -> float:
    """Shannon entropy of the characters, in bits each."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())
