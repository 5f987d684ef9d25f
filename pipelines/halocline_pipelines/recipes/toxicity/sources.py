"""The open, human-labelled data: what each source's labels mean for us, and clean text.

docs/detectors.md names the sources and their licences; a folder that holds them goes in.
"""

from __future__ import annotations

import ast
import csv
import gzip
import hashlib
import html
import re
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from halocline_governance.errors import Refused
from halocline_pipelines.recipes.toxicity import templates
from halocline_pipelines.recipes.toxicity.templates import KINDS, Row

_MASK = re.compile(r"\[(?:USER|URL)\]|NEWLINE_TOKEN|TAB_TOKEN")
_NONE: Mapping[str, float] = dict.fromkeys(KINDS, 0.0)
_FROM_ONE = 60
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(])|\n\s*\n")


def _tweet(row: Mapping[str, str]) -> Row:
    """Hate speech is an attack; what is offensive only is mostly bare profanity, and no attack."""
    votes, hate = float(row["count"]), float(row["hate_speech"]) / float(row["count"])
    if row["class"] == "2":
        return Row(row["tweet"], 0.0, _NONE, "tweets")
    offensive = float(row["offensive_language"]) / votes
    if row["class"] == "0":
        return Row(row["tweet"], 1.0, {"hate": hate}, "tweets")
    return Row(row["tweet"], 0.5 * hate, {"hate": hate, "profanity": offensive}, "tweets")


def _edos(row: Mapping[str, str]) -> Row:
    """Sexist is an attack. What is not may still attack others, so it is taught with less force."""
    if row["label_sexist"] != "sexist":
        return Row(row["text"], 0.0, {"hate": 0.0}, "edos", weight=0.7)
    kinds = {"hate": 1.0, "threat": float(row["label_category"][0] == "1")}
    if row["label_category"][0] == "2":
        kinds["insult"] = 1.0
    return Row(row["text"], 1.0, kinds, "edos")


def _forum(row: Mapping[str, str]) -> Row:
    if row["label"] == "hate":
        return Row(row["text"], 1.0, {"hate": 1.0}, "forum")
    return Row(row["text"], 0.0, {"hate": 0.0}, "forum")


def _talk(row: Mapping[str, str]) -> Row:
    if row["toxic"] == "True":
        return Row(row["comment"], 1.0, {"insult": 1.0}, "wikipedia_talk")
    return Row(row["comment"], 0.0, _NONE, "wikipedia_talk")


def _phrase(row: Mapping[str, str]) -> Row:
    if row["toxicity"] == "toxic":
        return Row(row["phrase"], 0.9, {}, "identity_templates")
    return Row(row["phrase"], 0.0, _NONE, "identity_templates")


SOURCES: Mapping[str, tuple[Callable[[Mapping[str, str]], Row], str]] = {
    "tweets": (_tweet, "MIT"),
    "edos": (_edos, "CC0-1.0"),
    "forum": (_forum, "CC-BY-SA-3.0"),
    "wikipedia_talk": (_talk, "CC-BY-4.0"),
    "identity_templates": (_phrase, "CC-BY-4.0"),
}


def labelled(folder: Path, name: str) -> list[Row]:
    """All rows of a source, in an order that only their texts decide."""
    path = folder / "toxicity" / f"{name}.csv.gz"
    if not path.is_file():
        raise Refused(
            f"toxicity recipe: toxicity/{name}.csv.gz is not in the data folder; get the sources "
            "that docs/detectors.md names and give the folder that holds them"
        )
    read, _ = SOURCES[name]
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = [_cleaned(read(row)) for row in csv.DictReader(file)]
    except KeyError as error:
        raise Refused(f"toxicity recipe: {path.name} lacks the column {error}") from None
    return sorted(rows, key=lambda row: digest(row.text))


def clean(folder: Path) -> list[Row]:
    """Encyclopedia and filings where the folder has them: text that attacks nobody."""
    texts = list(_encyclopedia(folder / "ner" / "wikigold.conll"))
    texts += list(_filings(folder / "filings.parquet"))
    rows = [Row(text, 0.0, _NONE, "clean") for text in dict.fromkeys(texts)]
    return sorted(rows, key=lambda row: digest(row.text))


def office(count: int, seed: int) -> list[Row]:
    """So many lines of each kind that an office writes, by our own patterns."""
    written = templates.write(templates.office(), templates.groups(), count, seed)
    return [Row(text, 0.0, _NONE, "office") for text in dict.fromkeys(row.text for row in written)]


def manuals(library: Path | None = None) -> list[Row]:
    """Sentences of Python's own manual and of its library's docstrings (or of another folder's),
    which come with Python, so that they are the same wherever that is.
    """
    texts: list[str] = []
    for about in (*_topics(), *_docstrings(library or Path(sysconfig.get_path("stdlib")))):
        lines = [" ".join(line.split()) for line in _SENTENCE.split(about)]
        texts += [line for line in lines if 8 < len(line) < 384][:_FROM_ONE]
    rows = [Row(text, 0.0, _NONE, "manuals") for text in dict.fromkeys(texts)]
    return sorted(rows, key=lambda row: digest(row.text))


def digest(text: str) -> bytes:
    """A fixed shuffle: by hash of the text, so that the choice and the split need no seed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def held_back(text: str) -> bool:
    """Whether a text is in the twelfth that calibrates and measures; its copies are too."""
    return digest(text)[-1] % 12 == 0


def _cleaned(row: Row) -> Row:
    text = _MASK.sub(" ", html.unescape(row.text)).strip()
    return Row(text, row.attack, row.kinds, row.source, weight=row.weight)


def _encyclopedia(path: Path) -> Iterator[str]:
    if path.is_file():
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            if words := [line.split()[0] for line in block.splitlines() if line.split()]:
                yield " ".join(words)


def _filings(path: Path) -> Iterator[str]:
    if not path.is_file():
        return
    import pyarrow.parquet as parquet

    for text in parquet.read_table(path, columns=["text"]).column(0).to_pylist():
        sentences = _SENTENCE.split(text[20_000:120_000])
        lines = [" ".join(sentence.split()) for sentence in sentences]
        yield from [line for line in lines if 20 < len(line) < 400][:120]


def _topics() -> Iterator[str]:
    """What `help("TOPIC")` shows: the language reference."""
    from pydoc_data import topics

    yield from (topics.topics[name] for name in sorted(topics.topics))


def _docstrings(folder: Path) -> Iterator[str]:
    """All docstrings of a module as one text, for each module of a folder."""
    for path in sorted(folder.glob("*.py")):
        found = [
            ast.get_docstring(node) or ""
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        ]
        yield "\n\n".join(found)
