"""The people-labelled sets of the data folder as texts with spans, and how they are divided.

`test` parts are for measuring only, `dev` parts for choosing; a part is a run of neighbouring
sentences, so that a document seldom stands on two sides. Roles (`Borrower`) that a set marks as
names are ignored, whoever is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from halocline_governance.errors import Refused
from halocline_pipelines.recipes.names_silver import ROLES, Example

Part = Literal["train", "dev", "test"]
SETS = {"wikigold": "ner/wikigold.conll", "sec_filings": "ner/sec_filings.conll"}
_KINDS = {"PER": "person", "ORG": "organization", "LOC": "location", "MISC": "other"}
_BLOCK, _PASSAGE = 30, 5
_LEFT = re.compile(r"^(?:[,.;:!?)\]}%]|'s$|n't$|'(?:re|ve|ll|d|m)$|\"\)|''$)")
_OPEN = re.compile(r"[(\[{$#]\"?$|``$")


def gold(data: Path, name: str, part: Part) -> list[Example]:
    """One part of a set. Raises `Refused` if the file is not there."""
    path = data / SETS[name]
    if not path.is_file():
        raise Refused(f"names recipe: {SETS[name]} is not in the data folder")
    sentences = list(_sentences(path))
    kept = [s for at, s in enumerate(sentences) if _part(at // _BLOCK) == part]
    return [_passage(kept[at : at + _PASSAGE], name) for at in range(0, len(kept), _PASSAGE)]


def _part(block: int) -> Part:
    return "test" if block % 4 == 0 else "dev" if block % 8 == 1 else "train"


def _sentences(path: Path) -> Iterator[list[tuple[str, str]]]:
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split() for line in block.splitlines() if line.strip()]
        words = [(row[0], row[-1]) for row in rows if len(row) >= 2 and row[0] != "-DOCSTART-"]
        if words:
            yield words


def _passage(sentences: list[list[tuple[str, str]]], source: str) -> Example:
    text, spans, before = "", list[tuple[int, int, str]](), "O"
    quoted = False
    for sentence in sentences:
        for at, (word, tag) in enumerate(sentence):
            quote = word in ('"', "''", "``")
            close = quote and quoted
            if text and not (at and (_LEFT.match(word) or close or _glued(text, quoted))):
                text += " "
            quoted = quoted != quote
            start = len(text)
            text += {"``": '"', "''": '"'}.get(word, word)
            kind = _KINDS.get(tag[2:])
            if kind and at and tag == before and spans and tag[0] != "B":
                spans[-1] = (spans[-1][0], len(text), kind)
            elif kind:
                spans.append((start, len(text), kind))
            before = tag
    ignored = [s for s in spans if source == "sec_filings" and _doubtful(text[s[0] : s[1]], s[2])]
    kept = [span for span in spans if span not in ignored]
    return Example(text, tuple(kept), tuple((a, b) for a, b, _ in ignored), source)


def _glued(text: str, quoted: bool) -> bool:
    return bool(_OPEN.search(text)) or (quoted and text.endswith('"'))


def _doubtful(value: str, kind: str) -> bool:
    """A party's role, or a street: `street_address` is another detector's."""
    plain = re.sub(r"['’]s$", "", value.lower())
    return plain in ROLES or (kind == "location" and bool(re.search(r"\d", value)))
