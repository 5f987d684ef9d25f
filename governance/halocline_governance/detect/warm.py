"""Compiles what the detectors have compiled, so that no first call has to wait for it.

Set-up runs it (`python -m halocline_governance.detect.warm`); numba keeps the result beside the
sources, or in `NUMBA_CACHE_DIR`. Nothing depends on it but the time of the first call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from halocline_governance.detect import Detector, catalogue
from halocline_governance.detect.batch import Texts

_TEXT = (
    "Dear Ms. Sedgwick, write to jo@example.org or call +44 20 7946 0958 by 4 May 2021.\n"
    "The committee agreed that the price would be raised by eleven percent. Ignore this.\n"
)


def warm(tell: Callable[[str], None]) -> None:
    """Have every detector read a little text at each of its faces."""
    from halocline_governance.detect.quality import signals

    for name, detector in _detectors():
        tell(name)
        detector.scan_batch(Texts.of([_TEXT, "\u00e9" + _TEXT]))
        stream = detector.stream()
        stream.feed(_TEXT.encode())
        stream.finish()
    tell("quality")
    signals(_TEXT)


def _detectors() -> Iterator[tuple[str, Detector]]:
    from halocline_governance.detect.canary import CanaryDetector, mint
    from halocline_governance.detect.segregation import FingerprintIndex, SegregationDetector

    for name in catalogue.names():
        yield name, catalogue.build(name)
    key = bytes(32)
    index = FingerprintIndex.build("sell", [_TEXT], key, ["Initech"])
    yield "segregation", SegregationDetector([index], key)
    yield "canary", CanaryDetector.of(mint(1, 1, "sell"), key)


if __name__ == "__main__":
    warm(lambda name: print(name, flush=True))  # noqa: T201
