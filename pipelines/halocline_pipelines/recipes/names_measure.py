"""How good and how fast a detector of names is, on texts whose names are known.

A span counts if kind, start and end are exact. Spans over an ignored part count neither way; a
trailing `'s` and a leading article are cut off both sides first, as sets differ in them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.verdict import Detector, Span
from halocline_pipelines.recipes.names_gold import gold
from halocline_pipelines.recipes.names_silver import Example, trimmed
from halocline_pipelines.recipes.names_texts import examples

KINDS = ("person", "organization", "location")


@dataclass(slots=True)
class Count:
    """True positives, false positives, false negatives."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def scores(self) -> dict[str, float]:
        precision = self.right / max(1, self.right + self.wrong)
        recall = self.right / max(1, self.right + self.missed)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def held_out_sets(data: Path | None, seed: int = 7, count: int = 1_500) -> dict[str, list[Example]]:
    """The texts to measure on: parts of the sets, and templates with names, all held out."""
    sets = {"templates": examples(seed, count, held=True)}
    if data is not None:
        sets["wikigold"] = gold(data, "wikigold", "test")
        sets["sec_filings"] = gold(data, "sec_filings", "test")
    return sets


def evaluate(data: Path, detector: Detector) -> dict[str, Any]:
    """Per set: precision, recall and F1 by kind and over all, texts unscanned, MB/s per core."""
    return {name: measured(texts, detector) for name, texts in held_out_sets(data).items()}


def measured(texts: Sequence[Example], detector: Detector) -> dict[str, Any]:
    """The same for these texts."""
    batch = Texts.of([example.text for example in texts])
    detector.scan_batch(Texts.of(["Ann met Bob."]))  # loads and compiles
    begun = time.process_time()
    verdicts = detector.scan_batch(batch)
    seconds = max(time.process_time() - begun, 1e-9)
    counts = {kind: Count() for kind in (*KINDS, "micro")}
    unscanned = 0
    for example, verdict in zip(texts, verdicts, strict=True):
        unscanned += verdict.status == "unscanned"
        _compare(example, verdict.spans, counts)
    result: dict[str, Any] = {kind: count.scores() for kind, count in counts.items()}
    return result | {"unscanned": unscanned, "mb_per_s": round(batch.num_bytes / 1e6 / seconds, 3)}


def exact(example: Example, spans: Sequence[Span]) -> list[bool]:
    """Of each span, whether the text has it."""
    wanted = {_cut(example.text, *span) for span in example.spans}
    return [_cut(example.text, *_characters(example.text, span)) in wanted for span in spans]


def _characters(text: str, span: Span) -> tuple[int, int, str]:
    if text.isascii():
        return span.start, span.end, span.kind
    data = text.encode()
    start = len(data[: span.start].decode())
    return start, start + len(data[span.start : span.end].decode()), span.kind


def _compare(example: Example, spans: Iterable[Span], counts: dict[str, Count]) -> None:
    wanted = {_cut(example.text, *span) for span in example.spans if span[2] in KINDS}
    said: set[tuple[int, int, str]] = set()
    for span in spans:
        start, end, kind = _characters(example.text, span)
        if kind in KINDS and not any(a < end and start < b for a, b in example.ignored):
            said.add(_cut(example.text, start, end, kind))
    for kind, count in counts.items():
        mine = {s for s in said if kind in ("micro", s[2])}
        gold_ = {s for s in wanted if kind in ("micro", s[2])}
        count.right += len(mine & gold_)
        count.wrong += len(mine - gold_)
        count.missed += len(gold_ - mine)


def _cut(text: str, start: int, end: int, kind: str) -> tuple[int, int, str]:
    cut = trimmed(text, start, end)
    return (*cut, kind) if cut[0] < cut[1] else (start, end, kind)
