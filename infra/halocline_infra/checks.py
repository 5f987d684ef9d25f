"""The release checks: built per compartment, loaded per label.

    lake/<compartment>/_checks/fingerprints/    keyed fingerprints of its curated text, its names
    lake/<compartment>/_checks/canaries.json    keyed marks of the canaries planted in it

Each lies in the compartment it is about, so that nobody learns from another's. Fingerprints are
mapped into memory: all processes of a machine share them. A process that serves sees within
seconds when they were refreshed, or when the table went on without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect import Detector
from halocline_governance.errors import Refused
from halocline_governance.label import Label
from halocline_governance.principal import Principal, Purpose
from halocline_infra.barrier import Barrier

if TYPE_CHECKING:
    from halocline_governance.detect.canary import Canary
    from halocline_governance.detect.segregation import Restricted
    from halocline_infra.fingerprinting import Refreshed
    from halocline_infra.platform import Platform

CURATED = "curated.documents"
_PRINTS = "fingerprints"
_CANARIES = "canaries.json"


def fingerprint(
    platform: Platform,
    principal: Principal,
    compartment: str,
    names: Iterable[str | Restricted] | None = None,
) -> Refreshed:
    """Bring a compartment's fingerprints up to its curated text, read as one of its services: only
    files that came since are read, unless some went. The names restricted to it are replaced by
    these; without any, those that are there stay.

    Raises:
        Denied: none of it may be read.
        Refused: the texts are masked, or what is there is damaged and no names are given for it.
    """
    from halocline_infra.fingerprinting import Reading, refresh

    guard = platform.guard
    plan = guard.plan(principal, Purpose.CURATION, f"{compartment}:{CURATED}", ["label_id", "text"])
    (grant,) = plan.grants
    if plan.columns != ("label_id", "text") or plan.transforms:
        raise Refused("fingerprints are made of whole texts: these are masked or withheld")
    reading = Reading(grant.location, grant.version, grant.label_ids, guard.watch(plan).check)
    secret = platform.secret("fingerprints")
    return refresh(prints(platform, compartment), compartment, reading, secret, names)


def fingerprint_again(platform: Platform, compartment: str) -> None:
    """After an erasure: fingerprint what is left, past the guard, as whoever removes rows sees it.
    Restricted names stay. Where nobody fingerprinted anything, nothing is done."""
    from halocline_governance.detect.segregation import FingerprintIndex, shelf
    from halocline_infra.fingerprinting import Reading, refresh

    path, secret = prints(platform, compartment), platform.secret("fingerprints")
    if not path.exists():
        return
    version = platform.lake.version(compartment, CURATED)
    if version is None:
        names = shelf.names(path, secret)
        FingerprintIndex.build(compartment, (), secret, names).save(path, secret)
        return
    reading = Reading(platform.lake.location(compartment, CURATED), version, None)
    refresh(path, compartment, reading, secret)


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
    from halocline_governance.detect.toxicity import ToxicityDetector

    key = platform.secret("canaries")
    marks = [
        mark for path in _each(platform, _CANARIES) for mark in CanaryDetector.load(path, key).marks
    ]
    canary = CanaryDetector(tuple(marks), key)
    barrier = between(platform)
    pii, secrets, toxicity = PiiDetector(), SecretDetector(), ToxicityDetector()
    return lambda label: (canary, pii, secrets, barrier.for_label(label), toxicity)


def between(platform: Platform) -> Barrier:
    """What keeps compartments' texts apart: `unscanned` where fingerprints are not up to date."""
    secret = platform.secret("fingerprints")
    return Barrier(platform.lake, CURATED, lambda name: prints(platform, name), secret)


def prints(platform: Platform, compartment: str) -> Path:
    """The folder of a compartment's fingerprints."""
    return _folder(platform, compartment) / _PRINTS


def _each(platform: Platform, name: str) -> list[Path]:
    paths = [_folder(platform, c) / name for c in platform.lake.compartments()]
    return [path for path in paths if path.exists()]


def _folder(platform: Platform, compartment: str) -> Path:
    return platform.environment.lake / compartment / "_checks"
