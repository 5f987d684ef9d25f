"""Secrets: lines found and lines falsely named, beside detect-secrets on the same texts; MB/s.

detect-secrets names lines, so lines are what is scored, kinds aside: the line where a secret
starts. Ours has spans too: the share of the secrets' characters that they leave uncovered is told.
`injection`, on sentences of our own, and `language`, on documents and single lines of eight
languages, are told here too.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.detecting import blindset, machine, readers, secretset
from bench.detecting.corpus import filings
from bench.detecting.gold import Document
from bench.detecting.score import Counts, score

from halocline_governance.detect import catalogue
from halocline_governance.detect.batch import Texts

Lines = list[set[int]]


def main() -> None:
    readers.quiet()
    documents = secretset.secrets(size=max(int(4_000 * machine.SCALE), 200))
    texts = [document.text for document in documents]
    detector = catalogue.build("secrets")
    reader = readers.of_detector("ours", detector)
    found, rate = readers.timed(reader, texts)
    named = [
        {text.count("\n", 0, mark.start) for mark in marks or ()}
        for text, marks in zip(texts, found, strict=True)
    ]
    renamed = [[type(m)(m.start, m.end, secretset.SECRET) for m in marks or ()] for marks in found]
    scored = score(documents, renamed, 0.5)
    told: dict[str, Any] = {
        "ours": {**lines(documents, named), "set_mb_per_s": round(rate, 2)},
        "ours_spans_iou_0.5": scored.micro.as_json() | {"leak_rate": round(scored.leak, 4)},
        "detect-secrets 1.5.0": theirs(documents),
        "speed": speed("secrets"),
    }
    if "injection" in catalogue.names():
        told["injection"] = {**injection(), **speed("injection")}
    told["language"] = language()
    for name, figures in told.items():
        print(f"{name:40} {figures}", file=sys.stderr, flush=True)
    print(json.dumps(told))


def lines(documents: Sequence[Document], named: Lines) -> dict[str, Any]:
    """Precision, recall, F2 over lines where a secret starts."""
    counts = Counts()
    for document, found in zip(documents, named, strict=True):
        gold = {document.text.count("\n", 0, mark.start) for mark in document.marks}
        counts += Counts(len(gold & found), len(found - gold), len(gold - found))
    return counts.as_json()


def theirs(documents: Sequence[Document]) -> dict[str, Any]:
    """detect-secrets with its default plugins and filters, on files as it works.

    This script has its package's name, and a script's folder is searched first.
    """
    here = Path(__file__).resolve().parent
    sys.path[:] = [each for each in sys.path if Path(each).resolve() != here]
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    named: Lines = []
    took = 0.0
    with tempfile.TemporaryDirectory() as folder, default_settings():
        for document in documents:
            file = Path(folder) / f"{document.id}.txt"
            file.write_text(document.text)
            began = time.process_time()
            named.append({each.line_number - 1 for each in scan_file(str(file))})
            took += time.process_time() - began
    size = sum(len(document.text.encode()) for document in documents)
    return {**lines(documents, named), "set_mb_per_s": round(size / 1e6 / took, 3)}


def speed(name: str) -> dict[str, Any]:
    corpus, column = filings(max(90 * machine.SCALE, 2))
    rates = readers.batch_rate(catalogue.build(name), Texts.of_arrow(column))
    return {"corpus": corpus, **rates}


def injection() -> dict[str, Any]:
    """Of our own sentences, which no recipe knows: attacks found, and harmless ones named.

    Some two dozen of each: an error of one is four points. It is a smoke test, no benchmark.
    """
    lines = (blindset.FOLDER / "injection.txt").read_text().splitlines()
    rows = [line.partition("|") for line in lines if line[0] != "#"]
    texts = Texts.of([text for _, _, text in rows])
    found = catalogue.build("injection").scan_batch(texts).found.tolist()
    counts = Counts()
    for (side, _, _), hit in zip(rows, found, strict=True):
        counts += Counts(hit and side == "1", hit and side == "0", not hit and side == "1")
    return {**counts.as_json(), "harmless": sum(side == "0" for side, _, _ in rows)}


def language() -> dict[str, Any]:
    """The share of documents whose language is told right: whole documents, and single lines."""
    import random

    from halocline_governance.detect.language import language as told

    rng = random.Random(12)
    found = blindset.templates()
    figures: dict[str, Any] = {}
    for part in ("frames", "phrases"):
        right = size = 0
        listed = [t for t in found[part] if t.locale[:2] != "en" or part == "phrases"]
        began = time.process_time()
        for template in listed:
            text, _ = blindset.rendered(rng, template)
            size += len(text.encode())
            right += told(text)[0] == template.locale[:2]
        took = time.process_time() - began
        figures[part] = {
            "n": len(listed),
            "right": round(right / len(listed), 3),
            "mb_per_s": round(size / 1e6 / max(took, 1e-9), 3),
        }
    return figures


if __name__ == "__main__":
    main()
