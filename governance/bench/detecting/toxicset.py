"""Texts that attack somebody and texts that only look so, by what they are for; and rows of the
sets that people labelled, where those are.

MUST NOT BE TUNED ON, as `blindset`. The functions are those a test of hate-speech detectors should
have (derogation, threat, negation, quoting, counter-speech, naming an identity, profanity, ...);
the sentences are our own and mild: none holds a slur.
"""

import csv
import gzip
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.detecting import blindset, nameset
from bench.detecting.corpus import ROOT

GROUPS = (
    *("women", "men", "gay people", "lesbians", "trans people", "Muslims", "Jews", "Christians"),
    *("immigrants", "refugees", "black people", "white people", "Asians", "Mexicans"),
    *("disabled people", "old people"),
)
_NAMES = ("Kim", "Robin", "Alex", "Sam", "Chris", "Jo")


@dataclass(frozen=True, slots=True)
class Said:
    """A text, whether it attacks, what function it has, and the group it names, if one."""

    text: str
    attack: bool
    function: str
    group: str = ""


def functional() -> list[Said]:
    """Every sentence with every group, the others once."""
    rng = random.Random("toxic")
    said: list[Said] = []
    for line in (blindset.FOLDER / "toxicity.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        attack, function, text = line.split("|", 2)
        text = text.replace("[[p]]", rng.choice(_NAMES)).replace("[[t]]", "nine")
        for group in GROUPS if "[[g]]" in text else ("",):
            one = text.replace("[[g]]", group)
            said.append(Said(one[0].upper() + one[1:], attack == "1", function, group))
    return said


def folder() -> Path | None:
    """Where the labelled sets are: `BENCH_DATA`, or beside the clone."""
    path = Path(os.environ.get("BENCH_DATA") or ROOT.parent / "shared" / "data") / "toxicity"
    return path if path.is_dir() else None


def rows(name: str) -> list[tuple[str, bool]]:
    """Texts and whether they attack, of `forum`, `tweets`, `edos` or `wikipedia_talk`."""
    where = folder()
    if where is None:
        return []
    with gzip.open(where / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(_labelled(name, csv.DictReader(file)))


def _labelled(name: str, table: "csv.DictReader[str]") -> Iterator[tuple[str, bool]]:
    for row in table:
        if name == "forum":
            yield row["text"], row["label"] == "hate"
        elif name == "tweets":
            yield row["tweet"], row["class"] == "0"
        elif name == "edos":
            yield row["text"], row["label_sexist"] == "sexist"
        else:
            yield row["comment"], row["toxic"] == "True"


def office(count: int, seed: int = 3) -> list[str]:
    """Short lines of mail, chat, letters, forms and logs that attack nobody: no word salad, which
    is none of a classifier's business."""
    rng = random.Random(f"office {seed}")
    found = blindset.templates()
    parts = [each for part in found.values() for each in part if each.locale.startswith("en")]
    lines: list[str] = []
    while len(lines) < count:
        text, _ = blindset.rendered(rng, rng.choice([*parts, *nameset.listed()]))
        lines += [line for line in text.split("\n") if line.strip()]
    return lines[:count]


def stream(clear: list[str], toxic: list[str], count: int, share: float = 0.02) -> list[str]:
    """`count` short texts of which this share is toxic, in random order."""
    rng = random.Random("stream")
    bad = [rng.choice(toxic) for _ in range(round(count * share))]
    good = [rng.choice(clear) for _ in range(count - len(bad))]
    mixed = [*good, *bad]
    rng.shuffle(mixed)
    return mixed
