"""Fluent business prose from a small grammar: sentences with slots, drawn without repeats.

Knows the three genres of the generated firm; plants nothing.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from halocline_pipelines.recipes.firm_words import words

_PROSE = Path(__file__).with_name("prose")
_SLOT = re.compile(r"\{(\w+)\}")

_JUNK = (
    "### *** ### >>> item {number} <<< ### *** ###",
    "click here | click here | click here | click here",
    "0x00 0x01 0x02 1111 2222 3333 4444 === --- === ---",
    "... read more ... read more ... read more ...",
)

# Insults without a slur: enough for any toxicity model, harmless to read in a test's output.
TOXIC_LINES = (
    "You are a pathetic, worthless idiot and everybody in this office hates you.",
    "Shut up, you stupid moron, you disgusting piece of garbage.",
    "I hope you rot, you ugly, brainless liar; nobody would miss a loser like you.",
    "What a bunch of filthy, useless scum you are, go to hell all of you.",
    "You dumb bastard, I will make you suffer for this, you miserable fool.",
    "Only a complete imbecile like you could be so damn stupid, you vile little worm.",
)


@cache
def lines(name: str) -> tuple[str, ...]:
    """The sentences of a genre, or the foreign ones, four to a language."""
    return tuple((_PROSE / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def sentence(rng: random.Random, template: str, company: str) -> str:
    """One sentence with its slots filled; an initial capital whatever stands first."""

    def fill(match: re.Match[str]) -> str:
        return company if match[1] == "company" else rng.choice(words(match[1]))

    text = _SLOT.sub(fill, template)
    return text[0].upper() + text[1:]


def paragraphs(rng: random.Random, genre: str, company: str) -> list[str]:
    """Three or four paragraphs of three to five sentences, no template used twice."""
    sizes = [rng.randint(4, 6) for _ in range(rng.randint(3, 4))]
    templates = rng.sample(lines(genre), sum(sizes))
    filled = [sentence(rng, template, company) for template in templates]
    parts: list[str] = []
    for size in sizes:
        parts.append(" ".join(filled[:size]))
        filled = filled[size:]
    return parts


def foreign(rng: random.Random) -> str:
    """A text in German, French or Spanish."""
    at = rng.randrange(3) * 4
    some = lines("foreign")[at : at + 4]
    return " ".join(rng.choices(some, k=2) + rng.sample(some, 4))


def junk(rng: random.Random) -> str:
    """Boilerplate that no quality rule should let through."""
    return "\n".join(rng.choice(_JUNK).format(number=rng.randrange(1000)) for _ in range(8))


def toxic_paragraph(rng: random.Random) -> str:
    """Two or three insults."""
    return " ".join(rng.sample(TOXIC_LINES, rng.randint(2, 3)))
