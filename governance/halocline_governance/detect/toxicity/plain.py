"""Undoes the ways in which people hide a word from a filter, before the encoder reads it.

Leet (`1d10t`), letters with gaps (`i d i o t`), words run together, look-alike letters, drawn-out
letters, invisible characters; handles and links become a word each. Deterministic, and it never
decides anything: it only rewrites what the encoder sees.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise

_HANDLE = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@\w+|&#?\w{2,8};")
_DRAWN = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_GAPS = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .*_\-]{1,2}){3,}[^\W\d_](?![^\W_])")
_WORD = re.compile(r"[^\W_]+")
# A word that may be several run together. Shorter ones are none, longer ones are left.
_LONG = re.compile(r"(?<![^\W_])[a-zA-Z]{7,48}(?![^\W_])")
_MIXED = re.compile(r"(?<!\S)[\"'(]?([^\s.,;:?\"'()]*[^\W\d_][^\s.,;:?\"'()]*)")
_LEET = str.maketrans("013457@$|+!", "oieastasiti")
_LEET_SIGN = re.compile(r"[013457@$|+!](?=.)")
_LOOKALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u043a\u043c\u0442\u0432\u043d"
    "\u03b1\u03bf\u03c1\u03b5\u03b9\u03ba\u03bd\u03c4\u0131",
    "aeopcyxikmtbhaopeikvti",
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)
_LATIN = re.compile(r"[a-zA-Z]")
_MAX_SPLIT = 48

Rank = Callable[[str], int | None]


def plain(text: str, rank: Rank) -> str:
    """The text as the encoder reads it. `rank` gives a known word's place by frequency, or None."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        text = _WORD.sub(_latin, text)
    text = _HANDLE.sub(lambda hit: "user" if hit[0][0] == "@" else " ", text)
    text = _DRAWN.sub(r"\1", text)
    text = _GAPS.sub(lambda hit: _words("".join(filter(str.isalpha, hit[0])), rank), text)
    if _LEET_SIGN.search(text):
        text = _MIXED.sub(lambda hit: hit[0].replace(hit[1], _unleet(hit[1], rank)), text)
    return _LONG.sub(lambda hit: _split(hit[0], rank), text)


def _latin(hit: re.Match[str]) -> str:
    """A word of look-alikes that has a Latin letter too."""
    return hit[0].translate(_LOOKALIKE) if _LATIN.search(hit[0]) else hit[0]


def _unleet(word: str, rank: Rank) -> str:
    if not _LEET_SIGN.search(word) or rank(word.lower()) is not None:
        return word
    end = len(word.rstrip("!"))
    if sum(map(str.isalpha, word)) * 2 < end:
        return word
    letters = word[:end].translate(_LEET) + word[end:]
    known = [w for w in _WORD.findall(letters.lower()) if len(w) > 2 and rank(w) is not None]
    return letters if known or sum(map(str.isalpha, word)) > 2 else word


def _split(word: str, rank: Rank) -> str:
    return word if rank(word.lower()) is not None else _words(word, rank)


def _words(run: str, rank: Rank) -> str:
    """The likeliest words that make up a run of letters, or the run where some are not known.

    Viterbi over known words; a word's cost is its rank's logarithm (Zipf), so few and common win.
    """
    low = run.lower()
    size = len(low)
    if size > _MAX_SPLIT:
        return run
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, size + 1):
        choices = [
            (best[start][0] + cost, start)
            for start in range(max(0, end - 16), end)
            if (cost := _cost(low[start:end], rank)) is not None
        ]
        best.append(min(choices, default=(1e9, 0)))
    if best[size][0] >= 1e9:
        return run
    cuts = [size]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    cuts.reverse()
    if len(cuts) - 1 > size / 2.5:
        return run
    return " ".join(run[a:b] for a, b in pairwise(cuts))


def _cost(word: str, rank: Rank) -> float | None:
    if len(word) == 1:
        return 8.0 if word in "ai" else None
    place = rank(word)
    if place is None:
        return None
    if len(word) == 2 and place > 700:
        return None
    return 4.0 + place.bit_length() - (2.0 if len(word) > 3 else 0.0)
