"""Segregation: how fast text is fingerprinted and scanned, what the filter weighs, what is missed.

Build and scan in MB/s of one core on filings. The filter at 10^6 to 10^8 random tags, and by its
formula at 10^9. Misses: runs cut from the compartment's text at random places, 50 to 200 characters
long as they are shown, put into other text as they are or in other case, spacing and wrapping;
those with fewer than 25 letters and digits (rows of dots, signs and blanks) are counted apart.
False alarms: answers of random words, of which none shares a run with the index; none in n bounds
the rate by 3/n at 95 %.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from bench.detecting import machine, readers
from bench.detecting.corpus import filings
from bench.detecting.subjects import KEY

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.segregation import filter as sieve
from halocline_governance.detect.segregation.detector import SegregationDetector
from halocline_governance.detect.segregation.index import FingerprintIndex, Run
from halocline_governance.detect.segregation.restricted import Restricted

LARGEST = 8 if machine.SCALE >= 1 else 7 if machine.SCALE >= 0.1 else 6
RUNS = max(int(20_000 * machine.SCALE), 500)
ANSWERS = max(int(4_000_000 * machine.SCALE), 5_000)
ANSWER_WORDS = 60
LETTERS = 25
NAMES = ("Project Nightjar", "Nightjar Capital Partners", "Dover & Sons", "NJCP")


def main() -> None:
    readers.quiet()
    name, column = filings(max(80 * machine.SCALE, 8))
    half = max(1, len(column) // 2)
    inside = Texts.of_arrow(column.slice(0, half))
    outside = Texts.of_arrow(column.slice(half))
    index = FingerprintIndex.build("buy", ["warm up"], KEY)
    began = time.process_time()
    index = FingerprintIndex.of_batches("buy", [inside], KEY, NAMES)
    took = time.process_time() - began
    detector = SegregationDetector([index], KEY)
    detector.scan("warm up")
    told: dict[str, Any] = {
        "corpus": name,
        "build_mb_per_s": round(inside.num_bytes / 1e6 / took, 1),
        "fingerprints": len(index),
        "fingerprints_per_kb": round(len(index) / inside.num_bytes * 1e3, 1),
        "scan_other_text": readers.batch_rate(detector, outside),
        "scan_own_text": readers.batch_rate(detector, inside),
    }
    told |= unrelated(inside)
    say(told)
    told["misses"] = misses(detector, inside, outside)
    say(told["misses"])
    told["false_alarms"] = false_alarms(detector, len(index))
    say(told["false_alarms"])
    told["filter"] = weights()
    say(told["filter"])
    print(json.dumps(told))


def misses(detector: SegregationDetector, inside: Texts, outside: Texts) -> dict[str, Any]:
    """Of the runs put into other text, those of which no span tells."""
    rng = random.Random(8)
    source = [inside.text(row) for row in range(len(inside))]
    around = outside.text(0) if len(outside) else "Good morning."
    told = {"runs": 0, "missed": 0, "runs_of_few_letters": 0, "missed_of_few_letters": 0}
    planted: list[str] = []
    facts: list[tuple[int, int, bool]] = []
    while len(planted) < RUNS:
        text = rng.choice(source)
        size = rng.choice([50, 50, 60, 80, 120, 200])
        at = rng.randrange(max(1, len(text) - size))
        run = text[at : at + size]
        if run.strip() != run or len(run) < 50:
            continue
        few = sum(map(str.isalnum, run)) < LETTERS
        where = rng.randrange(max(1, len(around) - 300))
        before = around[where : where + rng.randrange(120)] + " "
        shown = disguised(rng, run)
        planted.append(f"{before}{shown} {around[where + 150 : where + 250]}")
        facts.append((len(before.encode()), len((before + shown).encode()), few))
    verdicts = detector.scan_batch(Texts.of(planted))
    for row, (start, end, few) in enumerate(facts):
        spans = verdicts.verdict(row).spans
        hit = any(s.start < end and start < s.end and s.kind == "text:buy" for s in spans)
        told["runs_of_few_letters" if few else "runs"] += 1
        told["missed_of_few_letters" if few else "missed"] += not hit
    return told


def disguised(rng: random.Random, run: str) -> str:
    form = rng.randrange(5)
    if form == 0:
        return run.upper()
    if form == 1 and len(single := " ".join(run.split())) >= 50:
        return single
    if form == 2:
        return run.replace(" ", "\n")
    if form == 3:
        return run.replace(" ", "\u00a0").replace("-", "\u2011")
    return run


def false_alarms(detector: SegregationDetector, stored: int) -> dict[str, Any]:
    """Alarms in answers that share nothing with the index, and the bound that this many allow."""
    alarms = answers = size = 0
    for texts in random_words():
        count = len(texts)
        alarms += int(detector.scan_batch(texts).found.sum())
        answers += count
        size += texts.num_bytes
    windows = size / answers
    return {
        "answers": answers,
        "bytes": size,
        "alarms": alarms,
        "upper_bound_95": round((3 if alarms == 0 else alarms + 2 * alarms**0.5 + 3) / answers, 9),
        # Each of an answer's windows meets one of the stored 64-bit tags by chance.
        "by_chance_of_a_64_bit_tag_at_1e9": windows * 1e9 / 2**64,
        "by_chance_at_this_index": windows * stored / 2**64,
    }


def unrelated(inside: Texts) -> dict[str, Any]:
    """Scan of answers that share nothing with the index: without names, and with four of them that
    have two tickers, one of a single letter."""
    answers = next(iter(random_words()))
    named = [Restricted("Northwind Corp", ("Northwind Foods",), ("NWC", "T")), *NAMES[:3]]
    told: dict[str, Any] = {}
    for what, names in (("no_names", []), ("four_names", named)):
        index = FingerprintIndex.of_batches("buy", [inside], KEY, names)
        rate = readers.batch_rate(SegregationDetector([index], KEY), answers)
        told[f"scan_unrelated_{what}"] = rate
    return told


def random_words() -> Iterator[Texts]:
    """Answers of random words, as many as asked for, in batches."""
    rng = np.random.default_rng(9)
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
    words = [rng.choice(letters, rng.integers(2, 11)).tobytes() for _ in range(20_000)]
    answers = 0
    while answers < ANSWERS:
        count = min(20_000, ANSWERS - answers)
        drawn = np.asarray(rng.integers(0, len(words), (count, ANSWER_WORDS)))
        yield Texts.of([b" ".join([words[int(at)] for at in row]) for row in drawn])
        answers += count


def weights() -> dict[str, Any]:
    """Bytes of filter and of exact index, ns for a tag to be refused, and the share that passes."""
    told = {f"1e{exponent}": weighed(10**exponent) for exponent in range(6, LARGEST + 1)}
    formula = sieve.num_words(10**9) * 4
    return {**told, "1e9_by_formula_filter_bytes": formula}


def weighed(count: int) -> dict[str, Any]:
    """A run of that many random tags, asked about others."""
    rng = np.random.default_rng(10)
    asked = np.asarray(rng.integers(0, 2**64, 2_000_000, dtype=np.uint64))
    tags = np.asarray(rng.integers(0, 2**64, count, dtype=np.uint64))
    began = time.process_time()
    run = Run.of(tags)
    built = time.process_time() - began
    fence = run.fence
    began = time.process_time()
    run.holds(asked)
    took = time.process_time() - began
    passed = len(sieve.passes(run.words, asked))
    return {
        "filter_bytes": run.words.nbytes,
        "fence_bytes": fence.starts.nbytes,
        "exact_bytes": run.prints.nbytes,
        "build_s": round(built, 2),
        "ns_per_tag_asked": round(took / len(asked) * 1e9, 1),
        "passed_the_filter": round(passed / len(asked), 6),
        "all_stored_are_found": bool(run.holds(tags[:100_000]).all()),
    }


def say(figures: object) -> None:
    print(json.dumps(figures), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
