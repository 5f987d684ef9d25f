"""The release checks: built per compartment, loaded per label.

    lake/<compartment>/_checks/fingerprints.safetensors   keyed fingerprints of its curated text
    lake/<compartment>/_checks/canaries.json      keyed marks of the canaries planted in it

Each lies in the compartment it is about, so that nobody learns from another's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect import Detector
from halocline_governance.label import Label
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_governance.detect.canary import Canary
    from halocline_governance.detect.segregation import FingerprintIndex
    from halocline_infra.platform import Platform

CURATED = "curated.documents"
_PRINTS = "fingerprints.safetensors"


def fingerprint(platform: Platform, principal: Principal, compartment: str) -> Path:
    """Fingerprint a compartment's curated text, read as one of its services."""
    from halocline_governance.detect.segregation import FingerprintIndex

    plan = platform.guard.plan(
        principal, Purpose.CURATION, f"{compartment}:{CURATED}", ["label_id", "text"]
    )
    texts = (text for batch in platform.guard.batches(plan) for text in batch["text"].to_pylist())
    index = FingerprintIndex.build(compartment, texts, platform.secret("fingerprints"))
    path = _folder(platform, compartment) / _PRINTS
    _replace(path, index.save)
    return path


def fingerprint_again(platform: Platform, compartment: str) -> None:
    """After an erasure: fingerprint what is left, past the guard, as whoever removes rows sees it.
    Restricted names stay. Where nobody fingerprinted anything, nothing is done."""
    from halocline_governance.detect.segregation import FingerprintIndex

    path, secret = _folder(platform, compartment) / _PRINTS, platform.secret("fingerprints")
    if not path.exists():
        return
    left = FingerprintIndex.build(compartment, _left(platform, compartment), secret)
    names = FingerprintIndex.load(path).names
    _replace(path, replace(left, names=names).save)


def _left(platform: Platform, compartment: str) -> Iterator[str]:
    """Every curated text of a compartment, whatever its label."""
    if platform.lake.exists(compartment, CURATED):
        place = platform.lake.location(compartment, CURATED)
        with place.reached():
            for batch in place.delta().to_pyarrow_dataset().to_batches(columns=["text"]):
                yield from batch["text"].to_pylist()


def plant(platform: Platform, compartment: str, canaries: Iterable[Canary]) -> Path:
    """Remember the canaries of a compartment; only keyed marks of them are kept."""
    from halocline_governance.detect.canary import CanaryDetector

    path = _folder(platform, compartment) / "canaries.json"
    _replace(path, CanaryDetector.of(canaries, platform.secret("canaries")).save)
    return path


def detectors(platform: Platform) -> Callable[[Label], Sequence[Detector]]:
    """The checks for an answer of a label: what the release gate requires, in one order."""
    from halocline_governance.detect.canary import CanaryDetector
    from halocline_governance.detect.pii import PiiDetector
    from halocline_governance.detect.segregation import SegregationDetector
    from halocline_governance.detect.toxicity import ToxicityDetector

    key = platform.secret("canaries")
    marks = [
        mark
        for path in _each(platform, "canaries.json")
        for mark in CanaryDetector.load(path, key).marks
    ]
    canary = CanaryDetector(tuple(marks), key)
    barrier = SegregationDetector(_indexes(platform), platform.secret("fingerprints"))
    pii, toxicity = PiiDetector(), ToxicityDetector()
    return lambda label: (canary, pii, barrier.for_label(label), toxicity)


def _indexes(platform: Platform) -> list[FingerprintIndex]:
    from halocline_governance.detect.segregation import FingerprintIndex

    return [FingerprintIndex.load(path) for path in _each(platform, _PRINTS)]


def _each(platform: Platform, name: str) -> list[Path]:
    paths = [_folder(platform, c) / name for c in platform.lake.compartments()]
    return [path for path in paths if path.exists()]


def _folder(platform: Platform, compartment: str) -> Path:
    return platform.environment.lake / compartment / "_checks"


def _replace(path: Path, save: Callable[[Path], None]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    save(draft)
    draft.replace(path)
