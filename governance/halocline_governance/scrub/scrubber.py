"""The text without what was found in it: every finding replaced by its kind's mode.

A text is rewritten until its detectors find nothing that is to be replaced, as a replaced neighbour
may uncover a new finding. So scrubbing what was scrubbed changes nothing, whatever the mode. What
cannot be scanned does not come out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halocline_governance.detect.face import guarded, scan_all
from halocline_governance.detect.verdict import Detector, Span, Verdict, sha256
from halocline_governance.errors import Refused
from halocline_governance.scrub.mode import Mode, Scrubbing
from halocline_governance.scrub.offsets import OffsetMap
from halocline_governance.scrub.overlap import resolve
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_governance.scrub.surrogate import Surrogates

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts
    from halocline_governance.scrub.column import ScrubbedBatch
    from halocline_governance.scrub.vault import Sealing, Vault

MAX_ROUNDS = 16
_PLAIN_ROUNDS = 4
TOO_MANY = "too many findings"


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text that may be passed on.

    Args:
        text: without what was found; empty when the text was dropped.
        counts: how many values were replaced, by kind.
        map: byte offsets of the old text to those of this one; of a dropped text, none.
        dropped: it had more findings than `Scrubbing.max_spans`.
    """

    text: str = field(repr=False)
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    map: OffsetMap = field(default_factory=OffsetMap)
    dropped: bool = False

    @property
    def count(self) -> int:
        """How many values were replaced."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Scrubs texts of one compartment.

    Args:
        detectors: whose findings are replaced; any number of them, in any order.
        key: of the compartment, for pseudonyms and surrogates.
        scrubbing: what is put in the place of which kind.
        vault: of the installation; needed where a kind is reversible.

    Raises:
        Refused: a kind is reversible and there is no vault.
    """

    detectors: tuple[Detector, ...]
    key: PseudonymKey
    scrubbing: Scrubbing = field(default_factory=Scrubbing)
    vault: Vault | None = None

    def __post_init__(self) -> None:
        if self.scrubbing.uses(Mode.REVERSIBLE) and self.vault is None:
            raise Refused("scrub: reversible tokens need a vault to seal the values in")

    def scrub(self, text: str, verdicts: Sequence[Verdict] | None = None) -> Scrubbed:
        """The scrubbed text.

        Args:
            text: what to scrub.
            verdicts: the detectors' verdicts about it, in their order, if they are known already.

        Raises:
            Refused: it cannot be scanned, the verdicts are about something else, or the detectors
                still find after 16 rewrites: quarantine it.
            StorageUnavailable: the vault did not keep what was to be sealed.
        """
        rewriting = Rewriting(self)
        row = Row(_encoded(text))
        said = verdicts if verdicts is not None else scan_all(self.detectors, text)
        self._check(row.data, said)
        while rewriting.step(row, _spans(said)):
            said = scan_all(self.detectors, row.data.decode())
        rewriting.commit()
        return row.done()

    def scrub_batch(
        self,
        texts: Texts,
        verdicts: Sequence[BatchVerdict] | None = None,
        only: Collection[int] | None = None,
    ) -> ScrubbedBatch:
        """All rows at once, each as `scrub` has it; one that it refuses is withheld and says why.

        Args:
            texts: the rows.
            verdicts: the detectors' verdicts about them, if they are known already.
            only: the rows that are wanted; all others are withheld.

        Raises:
            Refused: the verdicts are about other texts.
            StorageUnavailable: the vault did not keep what was to be sealed.
        """
        from halocline_governance.scrub.column import scrub_batch

        guards = tuple(guarded(detector) for detector in self.detectors)
        said = verdicts if verdicts is not None else [one.scan_batch(texts) for one in guards]
        if [one.detector for one in said] != [one.id for one in guards]:
            raise Refused(OTHERS)
        return scrub_batch(Rewriting(self), guards, texts, said, only)

    def _check(self, data: bytes, verdicts: Sequence[Verdict]) -> None:
        digest = sha256(data)
        ids = [detector.id for detector in self.detectors]
        if [one.detector for one in verdicts] != ids or any(
            one.sha256 != digest for one in verdicts
        ):
            raise Refused(OTHERS)


OTHERS = "scrub: the verdicts are not these detectors', or about another text"


def unscanned(detector: str, reason: str | None) -> str:
    """Why a text is refused that a detector has not scanned."""
    return f"scrub: {detector} has not scanned it ({reason})"


def _spans(verdicts: Iterable[Verdict]) -> list[Span]:
    """
    Raises:
        Refused: one of them has not scanned.
    """
    found: list[Span] = []
    for verdict in verdicts:
        if verdict.status == "unscanned":
            raise Refused(unscanned(verdict.detector, verdict.reason))
        found += verdict.spans
    return found


class Row:
    """One text on its way: its bytes now, and what became of those that it had."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.counts = Counter[str]()
        self.map = OffsetMap()
        self.dropped = False
        self.rounds = 0

    def done(self) -> Scrubbed:
        return Scrubbed(
            self.data.decode(), dict(sorted(self.counts.items())), self.map, self.dropped
        )


class Rewriting:
    """One call's rewrites: nothing of it may be passed on before `commit`."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubbing = scrubber.scrubbing
        self._key = scrubber.key
        self._sealing: Sealing | None = None
        if scrubber.vault is not None and scrubber.scrubbing.uses(Mode.REVERSIBLE):
            self._sealing = scrubber.vault.sealing(scrubber.key.compartment)
        self._surrogates: Surrogates | None = None
        if scrubber.scrubbing.uses(Mode.SURROGATE):
            self._surrogates = Surrogates(scrubber.key)
        self._known: dict[tuple[str, bytes, bool], bytes] = {}

    def step(self, row: Row, found: Sequence[Span]) -> bool:
        """Replace what is found; whether there was anything, so that it must be scanned again.

        Raises:
            Refused: found over and over.
        """
        spans = self._open(row, found)
        if not spans:
            return False
        if row.rounds == MAX_ROUNDS:
            raise Refused(f"scrub: still found after {MAX_ROUNDS} rewrites; quarantine the text")
        bound = self._scrubbing.max_spans
        if row.rounds == 0 and bound is not None and len(spans) > bound:
            row.data, row.dropped = b"", True
            return False
        self._rewrite(row, spans)
        return True

    def commit(self) -> None:
        """Have on disk what was sealed. Only now may the texts be passed on."""
        if self._sealing is not None:
            self._sealing.commit()

    def _open(self, row: Row, found: Sequence[Span]) -> list[Span]:
        """What is to be replaced: not what is kept, nor what lies in a surrogate of this key."""
        spans = [span for span in found if self._scrubbing.mode(span.kind) is not Mode.KEEP]
        if (own := self._surrogates) is not None:
            spans = [one for one in spans if not own.holds(row.data, one.start, one.end)]
        return resolve(spans)

    def _rewrite(self, row: Row, spans: Sequence[Span]) -> None:
        # After some rounds tokens only, in which nothing is found: so it comes to an end.
        plainly = row.rounds >= _PLAIN_ROUNDS
        parts: list[bytes] = []
        replaced: list[tuple[int, int, int]] = []
        at = 0
        for span in spans:
            if not at <= span.start < span.end <= len(row.data):
                raise Refused("scrub: a detector's spans do not lie in the text")
            new = self._replacement(span.kind, row.data[span.start : span.end], plainly)
            parts += (row.data[at : span.start], new)
            replaced.append((span.start, span.end, len(new)))
            row.counts[span.kind] += 1
            at = span.end
        row.data = b"".join((*parts, row.data[at:]))
        row.map = row.map.then(OffsetMap.of(replaced))
        row.rounds += 1

    def _replacement(self, kind: str, value: bytes, plainly: bool) -> bytes:
        asked = (kind, value, plainly)
        if asked not in self._known:
            self._known[asked] = self._made(kind, _decoded(value), plainly).encode()
        return self._known[asked]

    def _made(self, kind: str, value: str, plainly: bool) -> str:
        mode = self._scrubbing.mode(kind)
        if mode is Mode.KIND:
            return f"<{kind}>"
        if mode is Mode.REVERSIBLE and self._sealing is not None:
            return self._sealing.token(kind, value)
        if plainly:
            return self._key.token(kind, value)
        if mode is Mode.DROP:
            return ""
        other = (
            self._surrogates.of(kind, value)
            if mode is Mode.SURROGATE and self._surrogates
            else None
        )
        return other if other is not None else self._key.token(kind, value)


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Refused("scrub: undecodable: not UTF-8") from None


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Refused("scrub: a detector's spans cut a character") from None
