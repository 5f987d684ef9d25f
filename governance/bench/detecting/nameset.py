"""A labelled set of emails, chats, tables, letters and news with people, organizations, places.

MUST NOT BE TUNED ON, as `blindset`, whose frames it uses too. Names are Faker's (MIT). What is of a
structured kind there (an address line, an e-mail address) is marked `ignore`.
"""

import random
import re
from collections.abc import Callable

from bench.detecting import blindset, contacts, values
from bench.detecting.blindset import Template
from bench.detecting.gold import IGNORE, Document, Mark

KINDS = ("person", "organization", "location")
_SLOT = re.compile(r"\[\[(?P<sign>[~?]?)(?P<name>[a-z_0-9]+)!?(?::(?P<form>\w+))?\]\]")
_NAMED = {
    "name": "person",
    "first": "person",
    "last": "person",
    "company": "organization",
    "city": "location",
    "country": "location",
    "state": IGNORE,
    "job": IGNORE,
    "prose": IGNORE,
}


def names(seed: int = 21, size: int = 2_000) -> dict[str, list[Document]]:
    """English and other languages apart; no two texts of a set are the same."""
    rng = random.Random(f"names {seed}")
    own = listed()
    frames = [each for each in blindset.templates()["frames"] if "[[~name]]" in each.text]
    sets: dict[str, list[Document]] = {"english": [], "other languages": []}
    for number in range(size):
        template = rng.choice(own if rng.random() < 0.8 else frames)
        text, marks = rendered(rng, template)
        part = "english" if template.locale.startswith("en") else "other languages"
        sets[part].append(Document(f"n{number:05}", text, tuple(marks), template.origin))
    return sets


def listed() -> list[Template]:
    """The templates that hold names and nothing of a structured kind."""
    lines = (blindset.FOLDER / "names.txt").read_text().splitlines()
    parts = [line.partition("|") for line in lines if line[0] != "#"]
    return [Template(locale, text.replace("\\n", "\n"), "names") for locale, _, text in parts]


def rendered(rng: random.Random, template: Template) -> tuple[str, list[Mark]]:
    """Names marked by kind, structured values as `ignore`."""
    text, marks, last = "", list[Mark](), 0
    for slot in _SLOT.finditer(template.text):
        text += template.text[last : slot.start()]
        value, kind = _value(rng, slot, template.locale)
        if kind:
            marks.append(Mark(len(text), len(text) + len(value), kind))
        text += value
        last = slot.end()
    return text + template.text[last:], marks


def _value(rng: random.Random, slot: re.Match[str], locale: str) -> tuple[str, str]:
    what = slot["name"]
    if slot["sign"] != "~":
        return values.shown(rng, what, slot["form"] or "", locale), IGNORE
    fake = contacts.seeded(locale, rng)
    makers: dict[str, Callable[[], str]] = {
        # Without titles: sets differ in whether a title is part of a name.
        "name": lambda: f"{fake.first_name()} {fake.last_name()}",
        "last": fake.last_name,
        "country": contacts.seeded("en_US", rng).country,
    }
    value = makers[what]() if what in makers else values.filler(rng, what, locale)
    return value, _NAMED.get(what, "")
