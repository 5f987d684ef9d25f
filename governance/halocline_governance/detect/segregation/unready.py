"""The detector in the place of one that cannot look: it vouches for nothing, and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Finding

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts


class Unready(ByBatch):
    """Every text is `unscanned` for this reason, which must tell nothing of any compartment."""

    def __init__(self, id: str, kinds: frozenset[str], reason: str) -> None:
        self.id = id
        self.kinds = kinds
        self.reason = reason

    def find_batch(self, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict

        return BatchVerdict.unscanned(self.id, texts, self.reason)

    def stream(self) -> Stream:
        return _Silent(self.id, self.reason)


class _Silent(Stream):
    """Settles nothing."""

    def __init__(self, detector: str, reason: str) -> None:
        super().__init__(detector)
        self._reason = reason

    def findings(self, upto: int) -> Finding:
        return Finding()

    def _look(self, chunk: bytes, final: bool) -> None:
        return None

    def _whole(self) -> Finding:
        return Finding()
