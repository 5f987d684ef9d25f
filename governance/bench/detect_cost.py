"""Whether cost is linear in bytes: documents from 1 KB to 100 MB, and texts made to be slow.

By detector, through the face of one text. A detector stops at the size whose predecessor took more
than a tenth of `LONGEST_S` seconds, and says at which. An adversarial text is scanned at a million
characters (fewer where that takes more than `LONG_S` seconds) and at a quarter of that: `growth` is
how the times relate, divided by four: 1 is linear, 4 is quadratic. `BENCH_SCALE` makes it smaller.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.detecting import blindset, machine, readers
from bench.detecting.subjects import subjects

from halocline_governance.detect.verdict import Detector

SIZES = [10**exponent for exponent in range(3, 9) if 10**exponent <= 10**8 * machine.SCALE]
ADVERSARIAL = int(1_000_000 * min(1, machine.SCALE * 10))
LONGEST_S, LONG_S = 15.0, 6.0


def main() -> None:
    readers.quiet()
    detectors = subjects()
    base = blindset.running(5, min(max(SIZES), 4_000_000))
    texts = {size: (base * (size // len(base) + 1))[:size] for size in SIZES}
    told: dict[str, Any] = {}
    for name, detector in detectors.items():
        told[name] = {
            "ordinary_ns_per_byte": ordinary(detector, texts),
            "adversarial": {what: grown(detector, make) for what, make in adversarial().items()},
        }
        print(name, json.dumps(told[name]), file=sys.stderr, flush=True)
    print(json.dumps(told))


def ordinary(detector: Detector, texts: dict[int, str]) -> dict[str, Any]:
    """ns for each byte, by size."""
    figures: dict[str, Any] = {}
    for size, text in texts.items():
        took, status = scanned(detector, text, 3 if size <= 10**6 else 1)
        figures[str(size)] = round(took / len(text.encode()) * 1e9, 1)
        if status == "unscanned":
            figures[str(size)] = "unscanned"
        if took * 10 > LONGEST_S and size < max(texts):
            figures["stopped_at"] = size
            break
    return figures


def grown(detector: Detector, make: Callable[[int], str]) -> dict[str, Any]:
    """ns for each byte, and the growth from a quarter of the size.

    A million characters, or as many as a probe says take `LONG_S` seconds.
    """
    probe = ADVERSARIAL // 64
    took, _ = scanned(detector, make(probe), 1)
    size = min(ADVERSARIAL, max(probe, int(probe * LONG_S / max(took, 1e-6))))
    small, _ = scanned(detector, make(size // 4), 1)
    text = make(size)
    large, status = scanned(detector, text, 1)
    return {
        "bytes": len(text.encode()),
        "ns_per_byte": round(large / len(text.encode()) * 1e9, 1),
        "growth": round(large / max(small, 1e-6) / 4, 2),
        "status": status,
    }


def scanned(detector: Detector, text: str, times: int) -> tuple[float, str]:
    """Seconds of this process, the best of a few, and what came out."""
    took: list[float] = []
    status = ""
    for _ in range(times):
        began = time.process_time()
        status = detector.scan(text).status
        took.append(time.process_time() - began)
    return min(took), status


def adversarial() -> dict[str, Callable[[int], str]]:
    """Texts of n characters that patterns, folding, segmenting or context could be slow on."""
    rng = random.Random(6)
    digits = "".join(rng.choice("0123456789") for _ in range(65_521))
    hexes = "".join(rng.choice("0123456789abcdef") for _ in range(65_521))
    letters = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(65_521))

    def repeated(unit: str) -> Callable[[int], str]:
        return lambda size: (unit * (size // len(unit) + 1))[:size]

    return {
        "question marks": repeated("?"),
        "one digit": repeated("1"),
        "digits only": repeated(digits),
        "digits and spaces": repeated("4 "),
        "digits and dashes": repeated("12-"),
        "digits and dots": repeated("1."),
        "no spaces": repeated(letters),
        "one line of words": repeated("the quick brown fox jumps over a lazy dog "),
        "only at signs": repeated("@"),
        "nested addresses": repeated("a@b."),
        "spelt addresses": repeated(" at a dot b"),
        "nested schemes": repeated("http://a:b@"),
        "colons": repeated("ab:"),
        "brackets": repeated("(((("),
        "hexadecimal": repeated(hexes),
        "capitals and digits": repeated("AB12"),
        "context words": repeated("ssn passport account card dob phone "),
        "secret words": repeated("secret=key token: "),
        "private keys begun": repeated("-----BEGIN PRIVATE KEY-----\n"),
        "tokens begun": repeated("eyJhbGciOi."),
        "capitalised words": repeated("Anna Maria Van Der "),
        "line ends": repeated("\n"),
        "spaces": repeated(" "),
        "no-break spaces": repeated("\u00a0"),
        "combining marks": repeated("e\u0301\u0302\u0303"),
        "zero width": repeated("a\u200b"),
        "wide digits": repeated("\uff11\uff12"),
        "ideographs": repeated("\u8a9e\u6587"),
        "nul bytes": repeated("\0"),
    }


if __name__ == "__main__":
    main()
