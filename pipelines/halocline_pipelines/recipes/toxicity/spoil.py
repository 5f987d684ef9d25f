"""Spoils a text as people do who hide it from a filter, or who type badly."""

from __future__ import annotations

import random
import re

_TWICE = 0.2
_WORD = re.compile(r"[A-Za-z]{3,}")
_VOWELS = re.compile(r"(?<=[b-df-hj-np-tv-z])[aeiou](?=[b-df-hj-np-tv-z])", re.IGNORECASE)
_SOUNDS = (
    ("ck", "k"), ("ph", "f"), ("th", "d"), ("ing", "in"), ("you", "u"), ("are", "r"),
    ("ight", "ite"), ("ll", "l"), ("ss", "s"), ("ee", "ea"), ("ea", "ee"), ("er", "a"),
    ("ou", "oo"), ("wh", "w"), ("c", "k"), ("s", "z"), ("y", "ie"), ("u", "oo"),
)  # fmt: skip
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7"}


def spoilt(text: str, rng: random.Random) -> str:
    """The text with one kind of damage, now and then two, in some of its words."""
    once = _damaged_once(text, rng)
    return _damaged_once(once, rng) if rng.random() < _TWICE else once


def _damaged_once(text: str, rng: random.Random) -> str:
    kind = rng.choice(
        ("swap", "drop", "leet", "double", "star", "join", "space", "wrong", "vowels", "sound")
    )
    if kind == "join":
        return _joined(text, rng)
    share = rng.choice((0.15, 0.3, 0.6))
    words = list(_WORD.finditer(text))
    if not words:
        return text
    chosen = {id(hit) for hit in words if rng.random() < share} or {id(rng.choice(words))}
    parts: list[str] = []
    at = 0
    for hit in words:
        parts.append(text[at : hit.start()])
        parts.append(_damaged(hit[0], kind, rng) if id(hit) in chosen else hit[0])
        at = hit.end()
    return "".join((*parts, text[at:]))


def _damaged(word: str, kind: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1) if len(word) > 2 else 1
    if kind == "swap":
        return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] * rng.randint(2, 4) + word[at + 1 :]
    if kind == "star":
        return word[:at] + "*" + word[at + 1 :]
    if kind == "wrong":
        return word[:at] + rng.choice("abcdefghijklmnoprstuvwy") + word[at + 1 :]
    if kind == "vowels":
        return _VOWELS.sub("", word)
    if kind == "sound":
        return _sounded(word, rng)
    if kind == "space":
        return rng.choice((" ", ".", "-")).join(word)
    return "".join(
        rng.choice(_LEET[c.lower()]) if c.lower() in _LEET and rng.random() < 0.7 else c
        for c in word
    )


def _joined(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    if len(words) < 3:
        return text
    if rng.random() < 0.3:
        return "".join(words)
    at = rng.randrange(len(words) - 1)
    return " ".join([*words[:at], words[at] + words[at + 1], *words[at + 2 :]])


def _sounded(word: str, rng: random.Random) -> str:
    """Spelt as it sounds, or as somebody thinks that it does."""
    there = [pair for pair in _SOUNDS if pair[0] in word]
    for letters, sound in rng.sample(there, min(2, len(there))):
        word = word.replace(letters, sound)
    return word
