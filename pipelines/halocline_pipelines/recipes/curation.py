"""What a curation does: its filters with their thresholds, its detectors, its deduplication."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from halocline_governance.detect import Detector, language, quality
from halocline_governance.detect.names import NamesDetector
from halocline_governance.detect.pii import KINDS, PERSONAL, PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.errors import Refused
from halocline_governance.scrub import Mode, Scrubbing
from halocline_pipelines.dedup import exact
from halocline_pipelines.dedup.minhash import MinHash
from halocline_pipelines.filters.bound import Filter
from halocline_pipelines.filters.c4 import C4
from halocline_pipelines.filters.gopher_quality import GopherQuality
from halocline_pipelines.filters.gopher_repetition import GopherRepetition
from halocline_pipelines.filters.language import PREFIX, Language
from halocline_pipelines.filters.toxicity import Toxicity

SCRUBBERS: tuple[Detector, ...] = (PiiDetector(), SecretDetector(), NamesDetector(least=0.7))
"""What they find is scrubbed. Names below 0.7: half of those in technical text are products."""
SCORERS: tuple[Detector, ...] = (ToxicityDetector(),)
MEASURED = (
    language.VERSION,
    quality.VERSION,
    *(detector.id for detector in (*SCRUBBERS, *SCORERS)),
    exact.RULE,
)
IMPERSONAL = (*sorted(set(KINDS) - PERSONAL), "location", "organization")
"""Kinds that say nothing about a person by themselves."""

_PERSONAL_ONLY = Scrubbing(by_kind=tuple((kind, Mode.KEEP) for kind in IMPERSONAL))
KNOWN = frozenset((*quality.Signal, *MEASURED, *(PREFIX + code for code in language.CODES)))
"""Every signal that an assessment writes and a filter may read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurationRecipe:
    """A frozen recipe. `id` changes with anything in it, `signals_id` with what is measured.

    Args:
        name: how people call it.
        filters: asked in their order; the first that refuses gives the reason.
        minhash: shape of the signatures, and from which similarity on texts are duplicates.
        scrubbing: what is put in the place of what the detectors find, kind by kind; as it comes,
            a keyed pseudonym for all that is about a person, and `IMPERSONAL` kinds stay.
        key_version: version of the pseudonym keys.
    """

    name: str
    filters: tuple[Filter, ...]
    minhash: MinHash = field(default_factory=MinHash)
    scrubbing: Scrubbing = _PERSONAL_ONLY
    key_version: int = 1

    def __post_init__(self) -> None:
        for rule in self.filters:
            if unknown := sorted(rule.needs - KNOWN):
                raise Refused(f"{self.name}: {rule.id} needs {unknown[0]}, which nobody measures")

    @property
    def id(self) -> str:
        parts = (self.filters, self.minhash, self.scrubbing, self.key_version, MEASURED)
        return f"{self.name}-{_hash(repr(parts))}"

    @property
    def signals_id(self) -> str:
        """Rows measured under the same one are not measured into the table again."""
        return f"signals-{_hash(repr((MEASURED, self.minhash.id)))}"


def english() -> CurationRecipe:
    """English prose and documentation: published rules, each with its source beside its bounds.

    FineWeb's rules are measured and not applied: they are made for web pages, and refuse most
    READMEs for their short lines.
    """
    return CurationRecipe(
        name="english",
        filters=(Language(), GopherQuality(), GopherRepetition(), C4(), Toxicity()),
    )


def long_documents() -> CurationRecipe:
    """Filings, contracts, reports: `english` without an upper length, with more of the repetition
    that tables, running heads and standard clauses bring, and a higher bound on the worst sentence,
    of which there are thousands.

    Chosen on 180 SEC filings: `english` passes 15 of them, this one 164.
    """
    usual = english()
    repetition = GopherRepetition(
        max_duplicate_lines=0.6,
        max_duplicate_paragraphs=0.6,
        max_duplicate_line_chars=0.4,
        max_duplicate_paragraph_chars=0.4,
        duplicate_ngrams=(0.5,) * 6,
    )
    return replace(
        usual,
        name="long-documents",
        filters=(
            Language(),
            GopherQuality(max_words=10_000_000),
            repetition,
            C4(),
            Toxicity(max_score=0.9),
        ),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
