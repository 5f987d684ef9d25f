"""What reads texts in a bench, ours and others', in one shape: texts in, marks in characters out.

A reader is a name, the kinds it claims, and a function; None for a text that it did not scan.
"""

import logging
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from bench.detecting import machine
from bench.detecting.gold import Mark

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.verdict import Detector

Marks = list[list[Mark] | None]
Read = Callable[[Sequence[str]], Marks]


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that finds kinds in texts; `kinds` None means all that it is asked about."""

    name: str
    read: Read
    kinds: frozenset[str] | None = None


def of_detector(name: str, detector: Detector, kinds: frozenset[str] | None = None) -> Reader:
    """One of our detectors, through its batch face."""

    def read(texts: Sequence[str]) -> Marks:
        verdicts = detector.scan_batch(Texts.of(list(texts)))
        found: Marks = []
        for text, verdict in zip(texts, verdicts, strict=True):
            if verdict.status == "unscanned":
                found.append(None)
                continue
            places = characters(text)
            found.append(
                [
                    Mark(int(places[span.start]), int(places[span.end]), span.kind)
                    for span in verdict.spans
                    if kinds is None or span.kind in kinds
                ]
            )
        return found

    return Reader(name, read, kinds)


def characters(text: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """For each byte offset of the UTF-8 text, and its end, the character it belongs to."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    starts = (data & 0xC0) != 0x80
    return np.concatenate([np.cumsum(starts) - 1, [len(text)]]).astype(np.int64)


def batch_rate(detector: Detector, texts: Texts, times: int = 2) -> dict[str, float]:
    """MB/s of the batch face, and how many spans it found. What was not scanned has no speed."""
    found = detector.scan_batch(texts)
    if found.reasons:
        raise AssertionError(f"{detector.id}: {sorted(set(found.reasons.values()))}")
    rate = machine.rate(lambda: detector.scan_batch(texts), texts.num_bytes, times)
    memory = machine.bandwidth()
    return {
        "mb_per_s": round(rate, 2),
        "of_memory_bandwidth": round(rate / memory, 6),
        "megabytes": round(texts.num_bytes / 1e6, 1),
        "spans": found.count(),
    }


def quiet() -> None:
    """No client of a model hub looks for a network, and warnings of others stay out of a bench."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def timed(reader: Reader, texts: Sequence[str]) -> tuple[Marks, float]:
    """What it found, and MB of UTF-8 a second of this process's own time."""
    began = time.process_time()
    found = reader.read(texts)
    took = time.process_time() - began
    return found, sum(len(text.encode()) for text in texts) / 1e6 / max(took, 1e-9)
