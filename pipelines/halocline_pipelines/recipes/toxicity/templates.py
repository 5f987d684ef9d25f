"""Sentences of our own that attack, and their harmless twins, drawn from three lists of patterns.

The patterns follow the functions that a detector of hate must tell apart (Röttger et al. 2021 name
them; no sentence of theirs is here). Slurs stand in rot13, so that nobody reads them unawares.
"""

from __future__ import annotations

import codecs
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

KINDS = ("hate", "threat", "insult", "sexual", "profanity")
_HERE = Path(__file__).parent
_ROT13 = frozenset(("slur", "slur1", "sex", "reclaimed", "hoe", "hoes", "pal"))
_SLOT = re.compile(r"\{(\w+)\}")
_QUOTED = ("derogation", "dehumanising", "implicit", "normative", "threat", "slur", "insult")


@dataclass(frozen=True, slots=True)
class Group:
    """One group of people and how one speaks of it."""

    category: str
    many: str
    one: str
    adjective: str


@dataclass(frozen=True, slots=True)
class Function:
    """What a list of patterns has in common, and what is true of all of them."""

    name: str
    attack: float
    kinds: frozenset[str]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A text and what is known of it. A kind that is not in `kinds` is unknown."""

    text: str
    attack: float
    kinds: Mapping[str, float] = field(default_factory=dict[str, float])
    source: str = "own"
    function: str = ""
    category: str = ""
    weight: float = 1.0


def write(
    functions: Sequence[Function],
    groups: Sequence[Group],
    per_function: int,
    seed: int,
    shares: Mapping[str, float] | None = None,
) -> list[Row]:
    """So many sentences of each function, or that share of them; the same for the same seed."""
    rng = random.Random(seed)
    quotable = [f for f in functions if f.name in _QUOTED] or list(functions)
    rows: list[Row] = []
    for function in functions:
        for _ in range(int(per_function * (shares or {}).get(function.name, 1.0))):
            group = rng.choice(groups)
            text = _cased(_filled(rng.choice(function.patterns), group, rng, quotable), rng)
            kinds = {kind: float(kind in function.kinds) for kind in KINDS}
            rows.append(Row(text, function.attack, kinds, "own", function.name, group.category))
    return rows


@cache
def functions() -> tuple[Function, ...]:
    """All of them, attacks first."""
    return (*_listed("attacks.txt"), *_listed("harmless.txt"))


@cache
def office() -> tuple[Function, ...]:
    """What offices write: mail, chat, forms, logs, business."""
    return _listed("office.txt")


def _listed(name: str) -> tuple[Function, ...]:
    found: list[Function] = []
    for block in _text(name).split("\n== ")[1:]:
        head, *patterns = block.strip().splitlines()
        title, attack, *kinds = head.split()
        found.append(Function(title, float(attack), frozenset(kinds), tuple(patterns)))
    return tuple(found)


@cache
def groups() -> tuple[Group, ...]:
    rows = [line.split("|") for line in _text("groups.txt").splitlines() if "|" in line[1:]]
    return tuple(Group(*(cell.strip() for cell in row)) for row in rows if row[0][0] != "#")


@cache
def words() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _text("words.txt").splitlines():
        name, _, rest = line.partition(":")
        if rest and not name.startswith("#"):
            plain = codecs.decode(rest, "rot13") if name in _ROT13 else rest
            found[name] = tuple(word.strip() for word in plain.split("|"))
    return found


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _filled(
    pattern: str, group: Group, rng: random.Random, quotable: Sequence[Function] = ()
) -> str:
    def slot(hit: re.Match[str]) -> str:
        name = hit[1]
        if name == "P":
            return group.many
        if name == "S":
            return group.one
        if name == "A":
            return group.adjective
        if name == "N":
            article, _, rest = group.one.partition(" ")
            return f"person {rest}" if article == "someone" else rest
        if name == "n":
            return str(int(10 ** rng.uniform(0.0, 5.0)))
        if name == "attack":
            return _quote(group, rng, quotable)
        if name == "insult_a":
            word = rng.choice(words()["insult"])
            return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
        return _SLOT.sub(slot, rng.choice(words()[name]))

    return _SLOT.sub(slot, pattern)


def _quote(group: Group, rng: random.Random, quotable: Sequence[Function]) -> str:
    while True:
        pattern = rng.choice(rng.choice(quotable).patterns)
        if len(pattern) < 60 and '"' not in pattern:
            return _filled(pattern, group, rng).rstrip(".")


def _cased(text: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.15:
        return text.lower()
    if draw < 0.2:
        return text.upper()
    return text[:1].upper() + text[1:]
