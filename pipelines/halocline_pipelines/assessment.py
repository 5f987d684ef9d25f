"""What is measured of one document, and what its recipe's filters say to that.

Pure: a text, a recipe and a key in, an assessment out. A check that fails puts the document in
quarantine; nothing passes unscanned. Knows neither Spark nor duplicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from halocline_governance.detect import Detector, Span, Verdict, guarded, quality
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.language import language
from halocline_governance.scrub import Scrubber
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_governance.scrub.vault import Vault
from halocline_pipelines.dedup import exact
from halocline_pipelines.filters import language as language_filter
from halocline_pipelines.recipes.curation import SCORERS, SCRUBBERS, CurationRecipe
from halocline_pipelines.scrub.clean import RULE, Cleaned, clean_batch

PASSED = "assessment@1"


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured thing; `spans` are byte offsets, never values."""

    rule: str
    value: float | None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """`outcome` is kept, dropped or quarantined, duplicates not yet looked for."""

    outcome: str
    reason: str
    rule: str
    signals: tuple[Signal, ...]
    language: str = "und"
    digest: bytes = b""
    bands: bytes = b""
    signature: bytes = b""
    text: str = field(default="", repr=False)
    num_pii: int = 0

    @property
    def content_sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Assessor:
    """Assesses the documents of one compartment."""

    recipe: CurationRecipe
    key: PseudonymKey
    scrubbers: tuple[Detector, ...] = SCRUBBERS
    scorers: tuple[Detector, ...] = SCORERS
    vault: Vault | None = None

    def __post_init__(self) -> None:
        _ = self.scrubber  # refuses what the recipe asks for in vain, before anything is assessed

    @property
    def scrubber(self) -> Scrubber:
        """What rewrites the documents that are kept, as the recipe says."""
        return Scrubber(self.scrubbers, self.key, self.recipe.scrubbing, self.vault)

    def assess(self, text: str) -> Assessment:
        """The assessment. A failure of any kind is a quarantine that names it, not an exception."""
        return self.assess_batch(Texts.of([text]))[0]

    def assess_batch(self, texts: Texts) -> list[Assessment]:
        """One assessment per row: each detector reads the whole batch at once."""
        found = [guarded(check).scan_batch(texts) for check in (*self.scrubbers, *self.scorers)]
        counted = quality.table(texts).tolist()
        told = [
            self._row(texts, row, counted[row], [verdicts.verdict(row) for verdicts in found])
            for row in range(len(texts))
        ]
        kept = [row for row, one in enumerate(told) if one.outcome == "kept"]
        cleaned = clean_batch(self.scrubber, texts, found[: len(self.scrubbers)], kept)
        return [_cleaned(one, cleaned.get(row)) for row, one in enumerate(told)]

    def _row(
        self, texts: Texts, row: int, counted: Sequence[float], verdicts: Sequence[Verdict]
    ) -> Assessment:
        try:
            return self._assess(texts.text(row), counted, verdicts)
        except Exception as error:  # noqa: BLE001 - whatever cannot be assessed is quarantined
            return Assessment("quarantined", f"failed: {type(error).__name__}", PASSED, ())

    def _assess(
        self, text: str, counted: Sequence[float], verdicts: Sequence[Verdict]
    ) -> Assessment:
        code, probability = language(text)
        digest = exact.digest(text)
        signature = self.recipe.minhash.signature(text)
        bands = self.recipe.minhash.bands(signature)
        signals = [
            Signal(language_filter.PREFIX + code, probability),
            *(Signal(name, value) for name, value in zip(quality.Signal, counted, strict=True)),
            *map(_signal, verdicts),
            Signal(exact.RULE, exact.key(digest)),
            *(Signal(rule, key) for rule, key in zip(band_rules(self.recipe), bands, strict=True)),
        ]
        outcome, reason, rule = self._judge(signals, verdicts)
        return Assessment(
            outcome,
            reason,
            rule,
            tuple(signals),
            code,
            digest,
            bands.tobytes(),
            signature.tobytes(),
        )

    def _judge(
        self, signals: Sequence[Signal], verdicts: Sequence[Verdict]
    ) -> tuple[str, str, str]:
        for verdict in verdicts:
            if verdict.status == "unscanned":
                return "quarantined", f"unscanned: {verdict.reason}", verdict.detector
        measured = {signal.rule: signal.value for signal in signals if signal.value is not None}
        for rule in self.recipe.filters:
            if fault := rule.fault(measured):
                return "dropped", fault, rule.id
        return "kept", "passed every filter", PASSED


def _cleaned(one: Assessment, cleaned: Cleaned | None) -> Assessment:
    if cleaned is None:
        return one
    return replace(
        one,
        outcome=cleaned.outcome,
        reason=cleaned.reason,
        rule=PASSED if cleaned.outcome == "kept" else RULE,
        text=cleaned.text,
        num_pii=cleaned.num_pii,
    )


def band_rules(recipe: CurationRecipe) -> list[str]:
    """The names under which the bands' keys stand among the signals."""
    return [f"{recipe.minhash.id}/{band:02d}" for band in range(recipe.minhash.num_bands)]


def _signal(verdict: Verdict) -> Signal:
    value = verdict.score if verdict.score is not None else float(len(verdict.spans))
    return Signal(verdict.detector, None if verdict.status == "unscanned" else value, verdict.spans)
