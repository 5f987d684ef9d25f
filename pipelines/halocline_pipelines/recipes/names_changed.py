"""Texts once more with other names in them, or in another case: what a name stands in matters."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from halocline_pipelines.recipes import names_people as people
from halocline_pipelines.recipes.names_lexicon import Pools, pools
from halocline_pipelines.recipes.names_silver import Example


def recased(texts: Sequence[Example], small: float, capitals: float, seed: int) -> list[Example]:
    """A share of the texts once more all small, and a share all in capitals."""
    rng = random.Random(seed)
    found: list[Example] = []
    for share, form in ((small, str.lower), (capitals, str.upper)):
        for example in texts:
            text = form(example.text)
            if rng.random() < share and len(text) == len(example.text):
                found.append(replace(example, text=text))
    return found


def renamed(texts: Sequence[Example], share: float, seed: int) -> list[Example]:
    """A share of the texts once more, with most names changed for others of their kind."""
    rng = random.Random(seed)
    drawn = pools(held=False)
    chosen = [e for e in texts if e.spans and not e.ignored and rng.random() < share]
    return [_renamed(rng, example, drawn) for example in chosen]


def _renamed(rng: random.Random, example: Example, drawn: Pools) -> Example:
    text, at = "", 0
    spans: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(example.spans):
        if start < at:
            continue
        text += example.text[at:start]
        name = example.text[start:end]
        if kind != "other" and rng.random() < 0.7:
            name = _another(rng, name, kind, drawn)
        spans.append((len(text), len(text) + len(name), kind))
        text += name
        at = end
    return replace(example, text=text + example.text[at:], spans=tuple(spans))


def _another(rng: random.Random, name: str, kind: str, drawn: Pools) -> str:
    if kind == "person":
        who = people.person(rng, drawn)
        return rng.choice((who.first, who.last)) if len(name.split()) == 1 else who.full
    if kind == "organization":
        return people.firm(rng, drawn)
    return people.city(rng, drawn) if rng.random() < 0.7 else rng.choice(drawn.countries)
