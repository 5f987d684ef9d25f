"""What stands before a name and is none: labels of fields, greetings, legal forms standing alone.

A tagger that goes by capitals takes `IBAN` or `Estimado` for the beginning of a name. Such words
are cut off both ends of a span, and a span of nothing else is dropped. Local to the span, so that
every face answers alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.names.found import Found

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIELDS = (
    "iban bic swift isin cusip lei ssn itin ein tin vat nif nie nir nino nhs bsn dob tel fax phone"
    " mobile telefon e-mail email mail url uri ip mac id uid ref nr no num number acct account"
    " invoice rechnung order po pin otp emp cc bcc re fwd attn passport"
)
_GREETINGS = (
    "dear hi hello hey thanks thank regards cheers sincerely estimado estimada estimados querido"
    " querida hola olá ola caro cara caros prezado prezada beste geachte hallo geehrter geehrte"
    " lieber liebe grüße grüßen gruß bonjour salut cher chère gentile egregio cordiali saluti"
    " vielen dank danke gracias obrigado obrigada merci grazie dziękuję drogi szanowny szanowna"
)
_TITLES = "sr sra sig herr frau"
_EDGES = frozenset(f"{_FIELDS} {_GREETINGS} {_TITLES}".casefold().split())
_ALONE = (
    frozenset(
        [
            "llc",
            "ltd",
            "inc",
            "gmbh",
            "corp",
            "plc",
            "ag",
            "sa",
            "srl",
            "bv",
            "oy",
            "ab",
            "kg",
            "co",
        ]
    )
    | _EDGES
)
_AROUND = ".:;,#*()[]\"'"
_PERSON = 1


def cleaned(data: NDArray[np.uint8], offsets: NDArray[np.int64], found: Found) -> Found:
    """The spans without such words at their ends; those of nothing else are gone."""
    starts, ends = found.starts.copy(), found.ends.copy()
    keep = np.ones(len(starts), dtype=np.bool_)
    for at in range(len(starts)):
        base = int(offsets[found.rows[at]])
        raw = data[base + starts[at] : base + ends[at]].tobytes()
        first, last = _core(raw, int(found.kinds[at]) == _PERSON)
        keep[at] = first < last
        ends[at], starts[at] = starts[at] + last, starts[at] + first
    return replace(
        found,
        rows=found.rows[keep],
        starts=starts[keep],
        ends=ends[keep],
        kinds=found.kinds[keep],
        scores=found.scores[keep],
    )


def _core(raw: bytes, is_person: bool) -> tuple[int, int]:
    """Where the name itself begins and ends in the span's bytes; equal if there is none."""
    words = raw.decode().split()
    first, last = 0, len(words)
    while first < last and _is_edge(words[first], is_person):
        first += 1
    while first < last and _is_edge(words[last - 1], is_person):
        last -= 1
    if first == last or (last - first == 1 and _plain(words[first]) in _ALONE):
        return 0, 0
    if (first, last) == (0, len(words)):
        return 0, len(raw)
    start = 0
    for word in words[:first]:
        start = raw.index(word.encode(), start) + len(word.encode())
    start = raw.index(words[first].encode(), start)
    end = start
    for word in words[first:last]:
        end = raw.index(word.encode(), end) + len(word.encode())
    return start, end


def _is_edge(word: str, is_person: bool) -> bool:
    return _plain(word) in _EDGES or (is_person and any(map(str.isdigit, word)))


def _plain(word: str) -> str:
    return word.strip(_AROUND).casefold()
