"""Presidio's analyzer as a detector of names, beside ours and under the same contract."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from halocline_governance.detect.names.entities import KINDS, ByParts
from halocline_governance.detect.names.spacy_engine import MODEL
from halocline_governance.errors import Refused

LABELS = {"PERSON": "person", "ORGANIZATION": "organization", "LOCATION": "location"}


@dataclass(frozen=True, slots=True)
class PresidioNames(ByParts):
    """Presidio's people, organizations and places, by a spaCy model. `open` makes one.

    Its id names the versions: `names-presidio@2.2.366/MODEL-3.8.0`.
    """

    id: str
    analyzer: Any = field(repr=False, compare=False)
    kinds: frozenset[str] = KINDS

    @classmethod
    def open(cls, model: str = MODEL) -> PresidioNames:
        """With this installed spaCy model. Raises `Refused` if it or Presidio is not installed."""
        try:
            package: Any = importlib.import_module(model)
            presidio: Any = importlib.import_module("presidio_analyzer")
            engines: Any = importlib.import_module("presidio_analyzer.nlp_engine")
            name = f"names-presidio@{version('presidio-analyzer')}/{model}-{package.__version__}"
        except (ImportError, PackageNotFoundError):
            raise Refused(
                "names by Presidio: it or its spaCy model is not installed; "
                "install halocline[presidio] and a model"
            ) from None
        told: dict[str, Any] = {
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": model}],
        }
        # By default Presidio drops what spaCy calls an organization, as often wrong.
        told["ner_model_configuration"] = {
            "model_to_presidio_entity_mapping": {
                "PERSON": "PERSON",
                "ORG": "ORGANIZATION",
                "GPE": "LOCATION",
                "LOC": "LOCATION",
                "FAC": "LOCATION",
            },
            "labels_to_ignore": [],
        }
        engine = engines.NlpEngineProvider(nlp_configuration=told).create_engine()
        registry = presidio.RecognizerRegistry(supported_languages=["en"])
        recognizer = importlib.import_module("presidio_analyzer.predefined_recognizers")
        registry.add_recognizer(
            recognizer.SpacyRecognizer(supported_entities=sorted(LABELS), supported_language="en")
        )
        return cls(
            name,
            presidio.AnalyzerEngine(
                registry=registry, nlp_engine=engine, supported_languages=["en"]
            ),
        )

    def entities(self, part: str) -> Iterable[tuple[int, int, str, float]]:
        for found in self.analyzer.analyze(text=part, language="en", entities=sorted(LABELS)):
            yield found.start, found.end, LABELS[found.entity_type], float(found.score)
