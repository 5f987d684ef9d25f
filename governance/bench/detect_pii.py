"""Structured personal data: accuracy by kind on the blind set and on files given, beside the peers
on the same documents; and MB/s of one core on filings, with checksums on.

`BENCH_SCALE=0.02` for a quick look. As a program of its own: `--file SET.jsonl` scores a labelled
file too (`--map THEIRS=OURS,…`), `--write FILE` writes the blind set, `--table` prints a table by
kind and no more.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.detecting import blindset, gold, machine, presidio, readers, styles, values
from bench.detecting.corpus import filings
from bench.detecting.gold import Document
from bench.detecting.readers import Reader
from bench.detecting.score import Counts, score

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.engines.anchor import ENGINES
from halocline_governance.detect.engines.fold import Folded
from halocline_governance.detect.kinds import sift
from halocline_governance.detect.pii import KINDS, PiiDetector

THRESHOLDS = (0.9, 0.5)
# What other sets call the kinds. An address that holds its town is not our street line; what is
# mapped to `ignore` counts neither way, and other people's names are not structured.
NAMES = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "CREDIT_CARD": "credit_card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "US_DRIVER_LICENSE": "driver_license",
    "STREET_ADDRESS": gold.IGNORE,
    "ZIP_CODE": gold.IGNORE,
    "DATE_TIME": gold.IGNORE,
    "DOMAIN_NAME": "url",
    **dict.fromkeys(("PERSON", "GPE", "ORGANIZATION", "TITLE", "AGE", "NRP"), ""),
}


def main() -> int:
    asked = arguments()
    readers.quiet()
    documents = blindset.blind(size=asked.size or max(int(4_000 * machine.SCALE), 150))
    if asked.write:
        gold.write(asked.write, documents)
        return 0
    if asked.table:
        print(table(documents))
        return 0
    measured: dict[str, Any] = {"speed": speed()}
    others = [*styles.styles(), presidio.presidio(False), presidio.presidio(True)]
    names = NAMES | dict(pair.split("=") for pair in asked.map.split(",") if pair)
    sets = {"blind": documents}
    sets |= {path.name: gold.read(path, names) for path in asked.file}
    for name, listed in sets.items():
        measured[name] = {reader.name: judged(reader, listed) for reader in [*engines(), *others]}
    print(json.dumps(measured))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, action="append", default=[])
    parser.add_argument("--map", default="")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--size", type=int)
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def engines() -> list[Reader]:
    """Ours, one reader for each engine that it runs on."""
    return [readers.of_detector(f"ours, {name}", each) for name, each in detectors().items()]


def detectors() -> dict[str, PiiDetector]:
    """All three must find the same, which the sets' scores show too."""
    return {engine: PiiDetector(engine=engine) for engine in ENGINES}


def judged(reader: Reader, documents: Sequence[Document]) -> dict[str, Any]:
    """At both thresholds over all kinds; over the kinds that the reader claims; by kind."""
    texts = [document.text for document in documents]
    reader.read(texts[:2])
    found, rate = readers.timed(reader, texts)
    present = [k for k in values.KINDS if any(m.kind == k for d in documents for m in d.marks)]
    told: dict[str, Any] = {"mb_per_s": round(rate, 4)}
    kinds = frozenset(values.KINDS)
    for threshold in THRESHOLDS:
        scored = score(documents, found, threshold, kinds)
        told[f"iou_{threshold}"] = scored.as_json(present, each=threshold == THRESHOLDS[0])
        if reader.kinds is not None:
            own = [kind for kind in present if kind in reader.kinds]
            narrow = score(documents, found, threshold, reader.kinds & kinds)
            told[f"iou_{threshold}"]["own_kinds"] = len(own)
            told[f"iou_{threshold}"]["macro_f2_own_kinds"] = round(narrow.macro(own), 4)
    say(reader.name, told["mb_per_s"], told["iou_0.9"]["macro_f2"])
    return told


def speed() -> dict[str, Any]:
    """MB/s of the batch face, checks included, beside this machine's memory."""
    name, column = filings(max(90 * machine.SCALE, 2))
    texts = Texts.of_arrow(column)
    told: dict[str, Any] = {
        "corpus": name,
        "megabytes": round(texts.num_bytes / 1e6, 1),
        "memory_read_mb_per_s": round(machine.bandwidth()),
    }
    sample = Texts.of([texts.raw(0)[:300_000]])
    for engine, detector in detectors().items():
        some = texts if began_fast(detector, sample) else sample
        told[engine] = readers.batch_rate(detector, some, 2) | stages(engine, some)
        say("speed", engine, told[engine])
    for reader in styles.styles():
        _, rate = readers.timed(reader, [texts.text(row) for row in range(min(10, len(texts)))])
        told[reader.name] = {"mb_per_s": round(rate, 2)}
    return told


def began_fast(detector: PiiDetector, sample: Texts) -> bool:
    """Whether an engine reads more than 5 MB/s: a slower one is measured on the sample only."""
    detector.scan_batch(Texts.of(["warm"]))
    return machine.rate(lambda: detector.scan_batch(sample), sample.num_bytes, 1) > 5


def stages(engine: str, texts: Texts) -> dict[str, Any]:
    """Where the time goes: folding the bytes, scanning for anchors, checks and context at them."""
    began = time.process_time()
    folded = Folded.of(texts)
    after_fold = time.process_time()
    candidates = sift.sieve(engine).candidates(folded)
    after_scan = time.process_time()
    found = list(sift.resolved(sift.row_hits(folded, candidates), frozenset(KINDS)))
    ended = time.process_time()
    whole = max(ended - began, 1e-9)
    return {
        "share_of_folding": round((after_fold - began) / whole, 3),
        "share_of_scan": round((after_scan - after_fold) / whole, 3),
        "share_of_verification": round((ended - after_scan) / whole, 3),
        "candidates_per_mb": round(len(candidates[0]) / texts.num_bytes * 1e6),
        "confirmed": len(found),
    }


def table(documents: Sequence[Document]) -> str:
    """Numbers by kind and nothing else: for those who must not see the texts."""
    reader = engines()[0]
    found, _ = readers.timed(reader, [document.text for document in documents])
    strict = score(documents, found, 0.9, frozenset(values.KINDS))
    loose = score(documents, found, 0.5, frozenset(values.KINDS))
    lines = [f"{'kind':20} {'n':>5} {'P':>7} {'R':>7} {'F2':>7} {'F2@.5':>7}"]
    for kind in values.KINDS:
        one, other = strict.kinds.get(kind, Counts()), loose.kinds.get(kind, Counts())
        numbers = f"{one.precision:7.3f} {one.recall:7.3f} {one.f2:7.3f} {other.f2:7.3f}"
        lines.append(f"{kind:20} {one.gold:5} {numbers}")
    micro = strict.micro
    total = f"{micro.precision:7.3f} {micro.recall:7.3f} {micro.f2:7.3f} {loose.micro.f2:7.3f}"
    lines.append(f"{'micro':20} {micro.gold:5} {total}")
    macro = f"{strict.macro(values.KINDS):7.3f} {loose.macro(values.KINDS):7.3f}"
    lines.append(f"{'macro':20} {'':5} {'':7} {'':7} {macro}")
    lines.append(f"leak rate {strict.leak:.4f}, unscanned {strict.unscanned}")
    return "\n".join([time.strftime("%H:%M:%S"), *lines])


def say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
