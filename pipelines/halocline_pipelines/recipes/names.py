"""Trains the weights of the names detector, and says how good they are on what it never saw.

    halocline train detector names DATA

DATA holds `ner/`, `toxicity/` and `filings.parquet` (docs/detectors.md names sources and licences).
Labelled by people: the training parts of wikigold and of the loan agreements. Labelled by spaCy's
small model: filings, tweets, comments. Labelled by construction: our own templates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.names import WEIGHTS, NamesDetector, alphabet, model
from halocline_pipelines.recipes import names_lexicon
from halocline_pipelines.recipes.names_changed import recased, renamed
from halocline_pipelines.recipes.names_fitting import Corpus, corpus, fit
from halocline_pipelines.recipes.names_gold import gold
from halocline_pipelines.recipes.names_measure import evaluate, exact
from halocline_pipelines.recipes.names_silver import Example, silver
from halocline_pipelines.recipes.names_texts import examples
from halocline_pipelines.recipes.names_writing import write

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["evaluate", "train"]

BUCKETS = 1 << 19
EPOCHS = 4
TEMPLATES = 24_000
# Taken off the score of `no name`, in nats: a name missed costs more than a word too many. Chosen
# on the dev parts and on templates of another seed.
LEAN = 0.6
LICENCES = {
    "wikigold (Balasuriya et al. 2009)": "CC-BY-4.0",
    "SEC loan agreements (Salinas Alvarado et al. 2015)": "CC-BY-3.0",
    "SEC filings (text only)": "public filings",
    "tweets (Davidson et al. 2017, text only)": "MIT",
    "EDOS (Kirk et al. 2023, text only)": "CC0-1.0",
    "talk pages (Wulczyn et al. 2017, text only)": "CC-BY-4.0",
    "spaCy en_core_web_sm 3.8 (labels of unlabelled text)": "MIT",
    "all-MiniLM-L6-v2 (word vectors, clustered)": "Apache-2.0",
    "faker (lists of names)": "MIT",
}


def train(data: Path, out: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Write the weights to `out` and report on the held-out texts.

    Raises:
        Refused: if a file of the data folder, faker, spaCy's model or the encoder is missing.
    """
    out = out if out.suffix == ".safetensors" else out / WEIGHTS.name
    tables = lexicon(data, tell)
    learnt = corpus(parts(data, tell), tables, BUCKETS - 1)
    weights, moves = fit(learnt, BUCKETS, EPOCHS, tell)
    moves[:, 0] -= LEAN
    card = {"licences": LICENCES, "recipe": "halocline_pipelines.recipes.names"}
    write(out, tables, weights, moves, (1.0, 0.0), card)
    model.load.cache_clear()
    calibration = _calibrated(data, NamesDetector(path=out))
    write(out, tables, weights, moves, calibration, card)
    model.load.cache_clear()
    return report(data, out, learnt)


def report(data: Path, out: Path, learnt: Corpus) -> dict[str, Any]:
    """What the file is, and precision, recall, F1 and speed on the held-out texts."""
    return {
        "weights_sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
        "segments": len(learnt.ends),
        "open_tokens": len(learnt.features),
        "spans": learnt.gold_spans,
        "spans_the_gate_cuts": learnt.gate_lost,
        "held_out": evaluate(data, NamesDetector(path=out)),
    }


def lexicon(data: Path, tell: Callable[[str], None]) -> tuple[NDArray[Any], ...]:
    """The tables in the order of `names.model.Model`."""
    keys, bits, clusters = names_lexicon.table(names_lexicon.entries(data, tell))
    classes, folded = alphabet.tables()
    return (classes, folded, model.dotted(), keys, bits, clusters, names_lexicon.parents())


def parts(data: Path, tell: Callable[[str], None]) -> list[tuple[Sequence[Example], float]]:
    """All that is trained on, with what a text of it counts."""
    wikigold = gold(data, "wikigold", "train")
    taught = silver(data, tell)
    return [
        (wikigold, 1.5),
        (renamed(wikigold, 1.0, seed=3), 0.7),
        (recased(wikigold, 0.2, 0.15, seed=1), 1.0),
        (gold(data, "sec_filings", "train"), 1.5),
        (examples(1, TEMPLATES, held=False), 1.0),
        (taught, 0.4),
        (renamed(taught, 0.7, seed=4), 0.4),
        (recased(taught, 0.08, 0.05, seed=2), 0.3),
    ]


def _calibrated(data: Path, detector: NamesDetector) -> tuple[float, float]:
    """Platt's numbers, from the marginal probabilities of spans that were not trained on."""
    from sklearn.linear_model import LogisticRegression

    texts = [*gold(data, "wikigold", "dev"), *gold(data, "sec_filings", "dev")]
    texts += examples(2, 100, held=True)
    verdicts = detector.scan_batch(Texts.of([text.text for text in texts]))
    scores: list[float] = []
    right: list[bool] = []
    for text, verdict in zip(texts, verdicts, strict=True):
        marks = exact(text, verdict.spans)
        scores += [span.score for span in verdict.spans]
        right += marks
    clipped = np.clip(np.array(scores), 1e-6, 1 - 1e-6)
    platt: Any = LogisticRegression(C=1e6)
    platt.fit(np.log(clipped / (1 - clipped)).reshape(-1, 1), np.array(right))
    return float(platt.coef_[0][0]), float(platt.intercept_[0])
