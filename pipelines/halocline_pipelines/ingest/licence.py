"""What licence a source declares, as choices of SPDX identifiers for the ingest gate.

Disjunctive normal form: any one choice suffices, and every licence of it must be acceptable. What
cannot be understood is `LicenseRef-unknown`, and what is ambiguous must be acceptable in every
reading. Decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

UNKNOWN = "LicenseRef-unknown"
_MAX_CHOICES = 64
_MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Licence:
    """A declared licence: what was said, and what may be chosen from."""

    expression: str
    choices: tuple[tuple[str, ...], ...]

    def as_json(self) -> dict[str, Any]:
        return {"expression": self.expression, "choices": [list(choice) for choice in self.choices]}


def parse(text: str | None) -> Licence:
    """An SPDX expression or a licence's usual name. No text is the unknown licence.

    `X OR Y` is two choices, `X AND Y` is one of both; `AND` binds tighter, `WITH` tightest.
    """
    said = " ".join((text or "").split())
    if not said:
        return Licence(UNKNOWN, ((UNKNOWN,),))
    expression = _spdx(said)
    if expression is not None:
        return Licence(expression, _choices(expression))
    named = _NAMES.get(_plain(said)) if len(said) <= _MAX_NAME else None
    return Licence(" AND ".join(named), (named,)) if named else Licence(UNKNOWN, ((UNKNOWN,),))


def declared(expression: str | None, classifiers: Iterable[str], free_text: str | None) -> Licence:
    """The licence of a package's metadata: its expression, else its short text, else classifiers.

    Several licence classifiers say nothing about whether one may choose, so all of them must be
    acceptable; and a text that is one of them makes no choice either.
    """
    if expression and expression.strip():
        return parse(expression)
    named = [found for found in map(_classified, classifiers) if found]
    every = tuple(dict.fromkeys(id_ for ids in named for id_ in ids))
    told = parse(free_text)
    if UNKNOWN not in told.expression and (len(named) < 2 or len(told.choices) > 1):
        vague = _plain(free_text or "") in _VAGUE
        return Licence(" AND ".join(every), (every,)) if vague and every else told
    return Licence(" AND ".join(every), (every,)) if every else told


def _spdx(said: str) -> str | None:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(said))
    except (InvalidLicenseExpression, RecursionError, MemoryError):
        return None


def _choices(expression: str) -> tuple[tuple[str, ...], ...]:
    words = expression.replace("(", " ( ").replace(")", " ) ").split()
    found, rest = _any(words)
    if rest or len(found) > _MAX_CHOICES:
        return ((UNKNOWN,),)
    return tuple(dict.fromkeys(tuple(sorted(choice)) for choice in found))


_Choices = list[frozenset[str]]


def _any(words: Sequence[str]) -> tuple[_Choices, Sequence[str]]:
    found, words = _all(words)
    while words and words[0] == "OR" and len(found) <= _MAX_CHOICES:
        more, words = _all(words[1:])
        found = found + more
    return found, words


def _all(words: Sequence[str]) -> tuple[_Choices, Sequence[str]]:
    found, words = _one(words)
    while words and words[0] == "AND" and len(found) <= _MAX_CHOICES:
        more, words = _one(words[1:])
        found = [left | right for left in found for right in more]
    return found, words


def _one(words: Sequence[str]) -> tuple[_Choices, Sequence[str]]:
    if words[0] == "(":
        found, rest = _any(words[1:])
        return found, rest[1:]
    if len(words) > 2 and words[1] == "WITH":
        return [frozenset((" ".join(words[:3]),))], words[3:]
    return [frozenset((words[0],))], words[1:]


def _plain(name: str) -> str:
    """A licence's name without case, punctuation and the words that add nothing."""
    words = re.sub(r"[^a-z0-9.+]+", " ", name.lower()).split()
    words = [word.strip(".") for word in words]
    return " ".join(word for word in words if word not in ("the", "license", "licence", "version"))


def _classified(classifier: str) -> tuple[str, ...] | None:
    """What a trove classifier means; None for one that names no licence."""
    parts = [part.strip() for part in classifier.split("::")]
    if parts[0] != "License" or parts[-1] in ("OSI Approved", "DFSG approved"):
        return None
    name = re.sub(r"\s*\([^)]*\)\Z", "", parts[-1])
    return _NAMES.get(_plain(name)) or (UNKNOWN,)


_BSD = ("BSD-2-Clause", "BSD-3-Clause")
_VAGUE = frozenset(("bsd", "lgpl", "gpl", "agpl", "gnu lgpl", "gnu gpl", "apache", "mpl"))

# Names as people write them, in the plain form. A family's name stands for each of its members.
_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: ids
        for names, ids in (
            (("mit", "expat", "mit expat", "expat mit"), ("MIT",)),
            (("mit 0", "mit no attribution", "mit no attribution mit 0"), ("MIT-0",)),
            (
                (
                    "apache",
                    "apache 2",
                    "apache 2.0",
                    "apache v2",
                    "apache v2.0",
                    "apache software",
                    "apache software 2.0",
                    "asl 2.0",
                    "apache2",
                    "apache2.0",
                ),
                ("Apache-2.0",),
            ),
            (("bsd", "bsd style", "new or simplified bsd"), _BSD),
            (
                (
                    "bsd 3 clause",
                    "3 clause bsd",
                    "new bsd",
                    "modified bsd",
                    "revised bsd",
                    "bsd 3",
                    "bsd 3 clause new or revised",
                ),
                ("BSD-3-Clause",),
            ),
            (
                ("bsd 2 clause", "2 clause bsd", "simplified bsd", "freebsd", "bsd 2"),
                ("BSD-2-Clause",),
            ),
            (("isc", "iscl"), ("ISC",)),
            (("psf", "psfl", "python software foundation", "psf 2.0"), ("PSF-2.0",)),
            (("zope public", "zpl 2.1"), ("ZPL-2.1",)),
            (("mozilla public 2.0", "mpl 2.0", "mpl2", "mpl 2", "mpl"), ("MPL-2.0",)),
            (("mozilla public 1.1",), ("MPL-1.1",)),
            (("unlicense", "public domain unlicense"), ("Unlicense",)),
            (("cc0", "cc0 1.0 universal", "cc0 1.0"), ("CC0-1.0",)),
            (("public domain",), ("LicenseRef-PublicDomain",)),
            (("zlib libpng", "zlib"), ("Zlib",)),
            (("boost software 1.0", "boost"), ("BSL-1.0",)),
            (("historical permission notice and disclaimer", "hpnd"), ("HPND",)),
            (("eclipse public 2.0",), ("EPL-2.0",)),
            (("eclipse public 1.0",), ("EPL-1.0",)),
            (("artistic",), ("Artistic-1.0",)),
            (("artistic 2.0",), ("Artistic-2.0",)),
            (
                ("gnu lesser general public v2", "lgplv2", "lgpl 2.0"),
                ("LGPL-2.0-only",),
            ),
            (
                ("gnu lesser general public v2 or later", "lgplv2+"),
                ("LGPL-2.0-or-later",),
            ),
            (("gnu lesser general public v3", "lgplv3", "lgpl 3.0"), ("LGPL-3.0-only",)),
            (
                ("gnu lesser general public v3 or later", "lgplv3+"),
                ("LGPL-3.0-or-later",),
            ),
            (
                ("lgpl", "gnu lgpl", "gnu library or lesser general public"),
                ("LGPL-2.0-or-later", "LGPL-3.0-or-later"),
            ),
            (
                ("gnu general public v2", "gplv2", "gpl 2", "gpl v2", "gnu gpl v2"),
                ("GPL-2.0-only",),
            ),
            (("gnu general public v2 or later", "gplv2+"), ("GPL-2.0-or-later",)),
            (
                ("gnu general public v3", "gplv3", "gpl 3", "gpl v3", "gnu gpl v3"),
                ("GPL-3.0-only",),
            ),
            (("gnu general public v3 or later", "gplv3+"), ("GPL-3.0-or-later",)),
            (
                ("gpl", "gnu gpl", "gnu general public"),
                ("GPL-2.0-or-later", "GPL-3.0-or-later"),
            ),
            (
                (
                    "gnu affero general public v3",
                    "agplv3",
                    "agpl",
                    "agpl 3.0",
                    "gnu affero general public",
                ),
                ("AGPL-3.0-only",),
            ),
            (("gnu affero general public v3 or later", "agplv3+"), ("AGPL-3.0-or-later",)),
        )
        for name in names
    }
)
