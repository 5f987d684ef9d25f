"""What a stream costs: ms for each chunk of 32 tokens, by detector and with all together.

At 1, 10 and 100 KB of text (a `BENCH_SCALE` below 0.05 leaves out the last): the time of a chunk
must not grow with what was fed before, so the last quarter's median stands beside the first's. A
chunk is 24 words, which is what 32 tokens of English are. Toxicity's encoder runs where the first
stage does not clear a segment; `detect_toxicity` tells what that costs, here it shows in the p99.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

from bench.detecting import blindset, machine, readers
from bench.detecting.subjects import subjects

from halocline_governance.detect.holdback import Holdback
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Detector, Verdict

WORDS = 24
SIZES = (1_000, 10_000, 100_000) if machine.SCALE >= 0.05 else (1_000, 10_000)


def main() -> None:
    readers.quiet()
    detectors = subjects()
    told: dict[str, Any] = {"words_of_a_chunk": WORDS}
    for size in SIZES:
        chunks = chunked(blindset.running(size, size))
        told[f"{size}_bytes"] = {
            **{name: fed(detector, chunks) for name, detector in detectors.items()},
            "all": gated(detectors, chunks),
        }
        for name, figures in told[f"{size}_bytes"].items():
            print(size, f"{name:14}", figures, file=sys.stderr, flush=True)
    print(json.dumps(told))


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


def never(verdict: Verdict) -> bool:
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
