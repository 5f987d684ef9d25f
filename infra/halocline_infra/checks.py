"""The release checks: built per compartment, loaded per label.

    lake/<compartment>/_checks/fingerprints/    keyed fingerprints of its curated text, its names
    lake/<compartment>/_checks/canaries.json    keyed marks of the canaries planted in it

Each lies in the compartment it is about, so that nobody learns from another's. Fingerprints are
mapped into memory: all processes of a machine share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect import Detector
from halocline_governance.label import Label
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_governance.detect.canary import Canary
    from halocline_governance.detect.segregation import FingerprintIndex, Restricted
    from halocline_infra.platform import Platform

CURATED = "curated.documents"
_PRINTS = "fingerprints"
_CANARIES = "canaries.json"


def fingerprint(
    platform: Platform,
    principal: Principal,
    compartment: str,
    names: Iterable[str | Restricted] | None = None,
) -> Path:
    """Fingerprint a compartment's curated text, read as one of its services. The names restricted
    to it are replaced by these; without any, those that are there stay."""
    from halocline_governance.detect.segregation import FingerprintIndex

    plan = platform.guard.plan(
        principal, Purpose.CURATION, f"{compartment}:{CURATED}", ["label_id", "text"]
    )
    texts = (text for batch in platform.guard.batches(plan) for text in batch["text"].to_pylist())
    path, secret = _folder(platform, compartment) / _PRINTS, platform.secret("fingerprints")
    if names is None:
        names = _names(path, secret)
    FingerprintIndex.build(compartment, texts, secret, names).save(path, secret)
    return path


def fingerprint_again(platform: Platform, compartment: str) -> None:
    """After an erasure: fingerprint what is left, past the guard, as whoever removes rows sees it.
    Restricted names stay. Where nobody fingerprinted anything, nothing is done."""
    from halocline_governance.detect.segregation import FingerprintIndex

    path, secret = _folder(platform, compartment) / _PRINTS, platform.secret("fingerprints")
    if not path.exists():
        return
    texts, names = _left(platform, compartment), _names(path, secret)
    FingerprintIndex.build(compartment, texts, secret, names).save(path, secret)


def _names(path: Path, secret: bytes) -> Iterable[Restricted]:
    from halocline_governance.detect.segregation import shelf

    return shelf.names(path, secret) if path.exists() else ()


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

    path = _folder(platform, compartment) / _CANARIES
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    CanaryDetector.of(canaries, platform.secret("canaries")).save(path)
    return path


def detectors(platform: Platform) -> Callable[[Label], Sequence[Detector]]:
    """The checks for an answer of a label: what the release gate requires, in one order."""
    from halocline_governance.detect.canary import CanaryDetector
    from halocline_governance.detect.pii import PiiDetector
    from halocline_governance.detect.secrets import SecretDetector
    from halocline_governance.detect.segregation import SegregationDetector
    from halocline_governance.detect.toxicity import ToxicityDetector

    key = platform.secret("canaries")
    marks = [
        mark for path in _each(platform, _CANARIES) for mark in CanaryDetector.load(path, key).marks
    ]
    canary = CanaryDetector(tuple(marks), key)
    barrier = SegregationDetector(_indexes(platform), platform.secret("fingerprints"))
    pii, secrets, toxicity = PiiDetector(), SecretDetector(), ToxicityDetector()
    return lambda label: (canary, pii, secrets, barrier.for_label(label), toxicity)


def _indexes(platform: Platform) -> list[FingerprintIndex]:
    from halocline_governance.detect.segregation import FingerprintIndex

    secret = platform.secret("fingerprints")
    return [FingerprintIndex.load(path, secret) for path in _each(platform, _PRINTS)]


def _each(platform: Platform, name: str) -> list[Path]:
    paths = [_folder(platform, c) / name for c in platform.lake.compartments()]
    return [path for path in paths if path.exists()]


def _folder(platform: Platform, compartment: str) -> Path:
    return platform.environment.lake / compartment / "_checks"
