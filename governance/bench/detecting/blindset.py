"""A labelled set of texts of many kinds, the judge of the detector of structured personal data.

MUST NOT BE TUNED ON. Whoever works on a detector does not read the templates, the makers or the
texts that come out; they get numbers by kind and nothing else. A detector that was changed after a
look at this set is no longer measured by it: then write new templates.

The set is a function of (seed, size). Values are drawn by the makers of this folder and by Faker
(MIT), the texts around them are our own. `python governance/bench/detect_pii.py --write FILE`
writes it as JSONL. Rules of its gold: an address line is a street and a number with its flat, town
and postcode apart; an extension belongs to a telephone number; a URL with a password is
`url_credentials` only; a number with a failing check is nobody's; what people would argue about
(routing numbers, gateways) is marked `ignore`.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.detecting import values
from bench.detecting.gold import IGNORE, Document, Mark

FOLDER = Path(__file__).with_name("blind")
SEED = 20_260
_SLOT = re.compile(r"\[\[(?P<sign>[~?]?)(?P<name>[a-z_0-9]+)(?P<bad>!?)(?::(?P<form>\w+))?\]\]")
_LONG_PARTS, _LONG_SHARE = 60, 0.02


@dataclass(frozen=True, slots=True)
class Template:
    """A text with slots, and where it is from."""

    locale: str
    text: str
    origin: str


def templates() -> dict[str, list[Template]]:
    """By part: phrases (a line), decoys (a line without gold), frames (whole documents)."""
    found = {part: list(_lines(part)) for part in ("phrases", "decoys")}
    blocks = re.split(r"^=== (\S+) (\S+)\n", (FOLDER / "frames.txt").read_text(), flags=re.M)[1:]
    found["frames"] = [
        Template(blocks[at], blocks[at + 2].rstrip("\n"), f"frame {blocks[at + 1]}")
        for at in range(0, len(blocks), 3)
    ]
    return found


def _lines(part: str) -> Iterator[Template]:
    for line in (FOLDER / f"{part}.txt").read_text().splitlines():
        if not line.startswith("#"):
            locale, _, text = line.partition("|")
            yield Template(locale, text, part)


def rendered(rng: random.Random, template: Template) -> tuple[str, list[Mark]]:
    """The text with its slots filled, and what stands where."""
    parts: list[str] = []
    marks: list[Mark] = []
    size = last = 0
    for slot in _SLOT.finditer(template.text):
        value, kind = _value(rng, slot, template.locale)
        before = template.text[last : slot.start()]
        start = size + len(before)
        parts += [before, value]
        size, last = start + len(value), slot.end()
        if kind:
            marks.append(Mark(start, size, kind))
    return "".join([*parts, template.text[last:]]), marks


def _value(rng: random.Random, slot: re.Match[str], locale: str) -> tuple[str, str]:
    name, form = slot["name"], slot["form"] or ""
    if slot["sign"] == "~":
        return values.filler(rng, name, locale), ""
    if slot["bad"]:
        return values.near(rng, name), ""
    kind = IGNORE if slot["sign"] else name
    return values.gold(rng, name, form, locale), kind


def blind(seed: int = SEED, size: int = 4_000) -> list[Document]:
    """`size` documents: 55 % phrases alone or a few together, 20 % whole documents, 23 % without
    any personal data, 2 % long ones of some 60 parts with prose and tables between."""
    rng = random.Random(f"blind {seed}")
    found = templates()
    makers = (_short, _frame, _clean, _long)
    weights = (0.55, 0.20, 0.25 - _LONG_SHARE, _LONG_SHARE)
    documents: list[Document] = []
    for number in range(size):
        make = rng.choices(makers, weights)[0]
        text, marks, origin = make(rng, found)
        documents.append(Document(f"b{number:05}", text, tuple(marks), origin))
    return documents


Made = tuple[str, list[Mark], str]
Found = dict[str, list[Template]]


def _short(rng: random.Random, found: Found) -> Made:
    """A phrase, or up to three of one language, with a decoy beside in a third of them."""
    first = rng.choice(found["phrases"])
    chosen = [first]
    if rng.random() < 0.4:
        same = [each for each in found["phrases"] if each.locale == first.locale]
        chosen += rng.sample(same, min(len(same), rng.choice([1, 2])))
    if rng.random() < 0.35:
        near = [each for each in found["decoys"] if each.locale[:2] == first.locale[:2]]
        chosen.insert(rng.randrange(len(chosen) + 1), rng.choice(near or found["decoys"]))
    return (*_joined(rng, chosen, rng.choice(["\n", "\n", "\n\n"])), "phrases")


def _frame(rng: random.Random, found: Found) -> Made:
    template = rng.choice(found["frames"])
    return (*rendered(rng, template), template.origin)


def _clean(rng: random.Random, found: Found) -> Made:
    """Decoys only, and at times prose."""
    chosen = rng.sample(found["decoys"], rng.choice([1, 2, 3, 5]))
    if rng.random() < 0.3:
        chosen.append(Template("en_US", "[[~prose]]", "prose"))
    return (*_joined(rng, chosen, "\n"), "decoys")


def _long(rng: random.Random, found: Found) -> Made:
    """Many parts; it starts and ends with a phrase, so that values stand at the very ends."""
    prose = Template("en_US", "[[~prose]]", "prose")
    parts = [*found["phrases"], *found["decoys"], *found["frames"], *[prose] * 200]
    chosen = [rng.choice(parts) for _ in range(_LONG_PARTS)]
    ends = [Template("en_US", "[[email]]", "end"), Template("en_US", "[[phone:intl]]", "end")]
    return (*_joined(rng, [ends[0], *chosen, ends[1]], "\n\n"), "long")


def _joined(rng: random.Random, chosen: list[Template], between: str) -> tuple[str, list[Mark]]:
    text, marks = "", list[Mark]()
    for template in chosen:
        text += between if text else ""
        one, found = rendered(rng, template)
        marks += [Mark(m.start + len(text), m.end + len(text), m.kind) for m in found]
        text += one
    return text, marks


def running(seed: int, num_bytes: int) -> str:
    """Text of about that many bytes: what the set is made of, one part after the other."""
    rng = random.Random(f"running {seed}")
    found = templates()
    parts: list[str] = []
    size = 0
    while size < num_bytes:
        text, _, _ = _long(rng, found)
        parts.append(text)
        size += len(text.encode()) + 2
    return "\n\n".join(parts).encode()[:num_bytes].decode(errors="ignore")
