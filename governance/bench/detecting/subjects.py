"""Every detector that there is, built for a bench: the catalogue's, and the two that need an index.

The indexes are of generated text under a key of the bench's own.
"""

from bench.detecting import blindset

from halocline_governance.detect import catalogue
from halocline_governance.detect.canary import CanaryDetector, mint
from halocline_governance.detect.verdict import Detector

KEY = bytes(range(32))


def subjects() -> dict[str, Detector]:
    """By name; each has read one text, so that its model is loaded."""
    built = {name: catalogue.build(name) for name in catalogue.names()}
    built |= {"segregation": segregation(), "canary": canary()}
    for detector in built.values():
        detector.scan("Good morning to all of you.")
    return built


def canary() -> Detector:
    return CanaryDetector.of(mint(1, 1_000, "buy"), KEY)


def segregation() -> Detector:
    from halocline_governance.detect.segregation.detector import SegregationDetector
    from halocline_governance.detect.segregation.index import FingerprintIndex

    texts = [blindset.running(seed, 20_000) for seed in range(50)]
    names = ["Project Nightjar", "Acme Holdings", "Dover & Sons"]
    index = FingerprintIndex.build("buy", texts, KEY, names)
    return SegregationDetector([index], KEY)
