"""What a stream costs: ms for each chunk of 32 tokens, by detector and with all together.

At 1, 10 and 100 KB of text (a `BENCH_SCALE` below 0.05 leaves out the last): the time of a chunk
must not grow with what was fed before, so the last quarter's median stands beside the first's. A
chunk is 24 words, which is what 32 tokens of English are. The text is made of paragraphs that
toxicity's first stage clears whole, so that no encoder runs; how much of an office's lines and of
filings that is, is told beside, and what the encoder costs is `detect_toxicity`'s.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.detecting import machine, readers, toxicset
from bench.detecting.corpus import filings
from bench.detecting.subjects import subjects

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.holdback import Holdback
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.toxicity import WEIGHTS, segments
from halocline_governance.detect.toxicity.model import load
from halocline_governance.detect.verdict import Detector, Verdict

WORDS = 24
SIZES = (1_000, 10_000, 100_000) if machine.SCALE >= 0.05 else (1_000, 10_000)


def main() -> None:
    readers.quiet()
    detectors = subjects()
    text, cleared = clear("\n\n".join(toxicset.office(SIZES[-1] // 20)))
    told: dict[str, Any] = {"words_of_a_chunk": WORDS, "share_cleared": cleared}
    name, column = filings(1)
    told[f"share_cleared_of_{name}"] = clear(column[0].as_py()[:200_000])[1]
    for detector in detectors.values():
        fed(detector, chunked(text[:2_000]))
    for size in SIZES:
        chunks = chunked((text * (1 + size // len(text)))[:size])
        told[f"{size}_bytes"] = {
            **{name: fed(detector, chunks) for name, detector in detectors.items()},
            "all": gated(detectors, chunks),
        }
        for name, figures in told[f"{size}_bytes"].items():
            print(size, f"{name:14}", figures, file=sys.stderr, flush=True)
    print(json.dumps(told))


def clear(text: str) -> tuple[str, float]:
    """The paragraphs of which the first stage clears all segments, and the share of bytes so."""
    paragraphs = text.split("\n\n")
    batch = Texts.of(paragraphs)
    rows, froms, _, ends = segments.cut_rows(batch.data, batch.offsets)
    first, _ = load(WEIGHTS)
    open_rows = set(rows[first.margins(batch.data, froms, ends) >= first.clears].tolist())
    kept = [each for number, each in enumerate(paragraphs) if number not in open_rows]
    share = sum(len(each) for each in kept) / max(1, sum(len(each) for each in paragraphs))
    return "\n\n".join(kept), round(share, 4)


def chunked(text: str) -> list[str]:
    """Every 24 words with the space behind them."""
    words = text.split(" ")
    parts = [" ".join(words[at : at + WORDS]) for at in range(0, len(words), WORDS)]
    return [part + " " for part in parts]


def fed(detector: Detector, chunks: list[str]) -> dict[str, Any]:
    """One detector's own stream."""
    stream: Stream = detector.stream()
    raw = [chunk.encode() for chunk in chunks]
    times: list[float] = []
    gc.collect()
    gc.disable()
    for chunk in raw:
        began = time.process_time()
        stream.feed(chunk)
        times.append((time.process_time() - began) * 1e3)
    gc.enable()
    held = stream.fed - stream.settled
    return {**figures(times), "bytes_held_at_the_end": held}


def gated(detectors: Mapping[str, Detector], chunks: list[str]) -> dict[str, Any]:
    """All of them behind the release gate's holdback, which blocks nothing here."""
    gate = Holdback(list(detectors.values()), blocks=never)
    times: list[float] = []
    for chunk in chunks:
        began = time.process_time()
        gate.feed(chunk)
        times.append((time.process_time() - began) * 1e3)
    return figures(times)


def never(verdicts: Sequence[Verdict]) -> bool:
    return False


def figures(times: list[float]) -> dict[str, Any]:
    """Medians and tails in ms, and the last quarter's median beside the first's."""
    quarter = max(1, len(times) // 4)
    first, last = statistics.median(times[:quarter]), statistics.median(times[-quarter:])
    ordered = sorted(times)
    return {
        "chunks": len(times),
        "p50_ms": round(statistics.median(times), 4),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "max_ms": round(ordered[-1], 3),
        "last_to_first_quarter": round(last / max(first, 1e-6), 2),
    }


if __name__ == "__main__":
    main()
