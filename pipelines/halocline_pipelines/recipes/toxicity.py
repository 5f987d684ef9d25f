"""Trains the toxicity detector's weights on open, human-labelled data, and says how good they are.

A folder with the sources goes in (docs/detectors.md names them and their licences); a safetensors
file and a report come out. `forum` is never trained on: it is the held-out source.

    python -m halocline_pipelines.recipes.toxicity DATA_FOLDER [WEIGHTS_FILE]
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import html
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.detect import tensorfile
from halocline_governance.detect.toxicity import BUCKETS, FORMAT, WEIGHTS, Model, features
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MASK = re.compile(r"\[(?:USER|URL)\]|NEWLINE_TOKEN|TAB_TOKEN")


@dataclass(frozen=True, slots=True)
class Source:
    """One labelled file. `shares` says how its mass is dealt out over its label's values."""

    name: str
    file: str
    licence: str
    text: str = ""
    label: str = ""
    positive: frozenset[str] = frozenset()
    mass: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict[str, float])


SOURCES = (
    Source(
        "tweets",
        "toxicity/tweets.csv.gz",
        "MIT",
        "tweet",
        "class",
        frozenset(("0",)),
        8000,
        {"0": 0.5, "1": 0.3, "2": 0.2},
    ),
    Source(
        "edos",
        "toxicity/edos.csv.gz",
        "CC0-1.0",
        "text",
        "label_sexist",
        frozenset(("sexist",)),
        10000,
        {"sexist": 0.5, "not sexist": 0.5},
    ),
    Source(
        "wikipedia_talk",
        "toxicity/wikipedia_talk.csv.gz",
        "CC-BY-4.0",
        "comment",
        "toxic",
        frozenset(("True",)),
        4000,
        {"True": 0.5, "False": 0.5},
    ),
    Source(
        "identity_templates",
        "toxicity/identity_templates.csv.gz",
        "CC-BY-4.0",
        "phrase",
        "toxicity",
        frozenset(("toxic",)),
        3000,
        {"toxic": 0.5, "nontoxic": 0.5},
    ),
    Source("wikigold", "ner/wikigold.conll", "CC-BY-4.0", mass=4000, shares={"": 1.0}),
    Source("own_neutral", "", "Apache-2.0", mass=2000, shares={"": 1.0}),
)
HELD_OUT = Source(
    "forum", "toxicity/forum.csv.gz", "CC-BY-SA-3.0", "text", "label", frozenset(("hate",))
)

# Sentences that name an identity and attack nobody: most labelled sets name one only to attack it.
_NAMED = (
    "African|African American|American|Asian|bisexual|black|blind|Buddhist|Canadian|Catholic"
    "|Chinese|Christian|deaf|elderly|European|female|gay|Hispanic|homosexual|Indian|Japanese"
    "|Jewish|Latino|lesbian|LGBT|male|Mexican|middle aged|Middle Eastern|Muslim|nonbinary|old"
    "|paralyzed|Protestant|queer|Sikh|straight|Taoist|teenage|trans|transgender|white|young"
)
_IDENTITIES = tuple(_NAMED.split("|"))
_NEUTRAL = (
    "My best friend is {}.",
    "I am {}.",
    "I'm {} and I work in finance.",
    "A {} family moved in next door.",
    "The {} community celebrated its festival.",
    "As a {} person, I enjoyed the film.",
    "She married a {} man last year.",
    "The {} teacher wrote a book about birds.",
    "{} men and women voted on Tuesday.",
    "Our team has {} colleagues.",
    "He is proud to be {}.",
    "The article describes the life of a {} woman.",
    "{} students asked about the course.",
    "We spoke with {} leaders about the plan.",
)
_PROBES = (
    "My neighbour is {}.",
    "She is a {} woman and a doctor.",
    "He grew up in a {} family.",
    "We hired two {} engineers.",
    "The museum opened an exhibition about {} history.",
    "Many {} people live here.",
    "A {} man read the news to his children.",
    "Our {} neighbours brought bread and salt.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How the weights are trained. A source's mass is the weight of all its rows together."""

    folder: Path
    out: Path = WEIGHTS
    sources: tuple[Source, ...] = SOURCES
    held_out: Source = HELD_OUT
    rows_per_source: int = 25_000
    regularisation: float = 1.0
    calibration_share: int = 10


@dataclass(frozen=True, slots=True)
class Report:
    """What the model does on rows it was not trained on."""

    rows: int
    auc_held_out_source: float
    calibration_error_held_out_source: float
    auc_calibration_split: Mapping[str, float]
    false_alarms_by_identity: Mapping[str, float]
    weights_sha256: str
    sources: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class _Rows:
    source: Source
    texts: Sequence[str]
    values: Sequence[str]

    @property
    def labels(self) -> NDArray[np.bool_]:
        import numpy as np

        return np.array([value in self.source.positive for value in self.values], dtype=bool)

    @property
    def weights(self) -> NDArray[np.float64]:
        import numpy as np

        each = {
            value: self.source.mass * share / max(1, self.values.count(value))
            for value, share in self.source.shares.items()
        }
        return np.array([each.get(value, 0.0) for value in self.values])


def train(config: Config) -> Report:
    """Fit, calibrate, write, measure. The same folder gives the same file."""
    parts = [_read(source, config) for source in config.sources]
    held = _read(config.held_out, config)
    model = _calibrated(_fitted(parts, config), parts, config)
    digest = _write(model, config)
    return Report(
        rows=sum(len(part.texts) for part in parts),
        auc_held_out_source=_auc(model, held),
        calibration_error_held_out_source=_calibration_error(model, held),
        auc_calibration_split={
            part.source.name: _auc(model, _side(part, config, calibration=True))
            for part in parts
            if part.source.positive
        },
        false_alarms_by_identity=_false_alarms(model),
        weights_sha256=digest,
        sources={part.source.name: part.source.licence for part in (*parts, held)},
    )


def _read(source: Source, config: Config) -> _Rows:
    path = config.folder / source.file
    if source.file and not path.is_file():
        raise Refused(
            f"toxicity recipe: {source.file} is not in the data folder; get the sources that "
            "docs/detectors.md names and give the folder that holds them"
        )
    if not source.file:
        rows = [(text.format(name), "") for text in _NEUTRAL for name in _IDENTITIES]
    elif path.suffix == ".conll":
        rows = list(_sentences(path))
    else:
        rows = list(_labelled(path, source))
    chosen = sorted(rows, key=_order)[: config.rows_per_source]
    return _Rows(source, [text for text, _ in chosen], [value for _, value in chosen])


def _labelled(path: Path, source: Source) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if source.text not in row or source.label not in row:
                raise Refused(
                    f"toxicity recipe: {source.file} lacks {source.text} or {source.label}"
                )
            yield _MASK.sub(" ", html.unescape(row[source.text] or "")), row[source.label]


def _sentences(path: Path) -> Iterator[tuple[str, str]]:
    """The words of a CoNLL file; encyclopedic, so taken as attacking nobody."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        if words := [line.split()[0] for line in block.splitlines() if line.split()]:
            yield " ".join(words), ""


def _order(row: tuple[str, str]) -> bytes:
    """A fixed shuffle: by hash of the text, so that the choice and the split need no seed."""
    return hashlib.sha256(row[0].encode("utf-8", "surrogatepass")).digest()


def _side(part: _Rows, config: Config, *, calibration: bool) -> _Rows:
    """The calibration split or the rest; one text's copies are always on one side."""
    marks = [_order((text, ""))[-1] % config.calibration_share == 0 for text in part.texts]
    chosen = [at for at, mark in enumerate(marks) if mark == calibration]
    return _Rows(part.source, [part.texts[at] for at in chosen], [part.values[at] for at in chosen])


def _matrix(texts: Sequence[str]) -> Any:
    import numpy as np
    from scipy.sparse import csr_matrix

    pairs = [features(""), *(features(text) for text in texts)]
    ends = np.cumsum([len(buckets) for buckets, _ in pairs])
    buckets = np.concatenate([buckets for buckets, _ in pairs])
    values = np.concatenate([values for _, values in pairs])
    return csr_matrix((values, buckets, ends), shape=(len(texts), BUCKETS))


def _fitted(parts: Sequence[_Rows], config: Config) -> Model:
    import numpy as np
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    sides = [_side(part, config, calibration=False) for part in parts]
    regression: Any = LogisticRegression(
        C=config.regularisation, solver="liblinear", max_iter=300, random_state=0
    )
    regression.fit(
        cast(Any, sparse).vstack([_matrix(side.texts) for side in sides]).tocsr(),
        np.concatenate([side.labels for side in sides]),
        np.concatenate([side.weights for side in sides]),
    )
    weights = regression.coef_[0].astype(np.float16).astype(np.float32)
    return Model(weights, float(regression.intercept_[0]), 1.0, 0.0)


def _margins(model: Model, texts: Sequence[str]) -> NDArray[np.float64]:
    return _matrix(texts) @ model.weights + model.intercept


def _calibrated(model: Model, parts: Sequence[_Rows], config: Config) -> Model:
    """Platt's two numbers, fitted on the split that the weights never saw."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    sides = [_side(part, config, calibration=True) for part in parts]
    platt: Any = LogisticRegression(C=1e6)
    platt.fit(
        np.concatenate([_margins(model, side.texts) for side in sides]).reshape(-1, 1),
        np.concatenate([side.labels for side in sides]),
        np.concatenate([side.weights for side in sides]),
    )
    return Model(
        model.weights, model.intercept, float(platt.coef_[0][0]), float(platt.intercept_[0])
    )


def _write(model: Model, config: Config) -> str:
    import numpy as np

    numbers = np.array([model.intercept, model.slope, model.shift], dtype=np.float32)
    licences = {source.name: source.licence for source in config.sources}
    tensorfile.write(
        config.out,
        {"format": FORMAT, "licences": licences},
        {"weights": model.weights.astype(np.float16), "numbers": numbers},
    )
    return hashlib.sha256(config.out.read_bytes()).hexdigest()


def _probabilities(model: Model, texts: Sequence[str]) -> NDArray[np.float64]:
    import numpy as np

    return 1 / (1 + np.exp(-(model.slope * _margins(model, texts) + model.shift)))


def _auc(model: Model, part: _Rows) -> float:
    from sklearn import metrics

    return round(
        float(cast(Any, metrics).roc_auc_score(part.labels, _margins(model, part.texts))), 4
    )


def _calibration_error(model: Model, part: _Rows) -> float:
    """Expected calibration error in ten equal bins, at the source's own base rate."""
    import numpy as np

    probabilities = _probabilities(model, part.texts)
    bins = np.minimum((probabilities * 10).astype(int), 9)
    errors = [
        abs(float((part.labels[bins == at] - probabilities[bins == at]).sum())) for at in range(10)
    ]
    return round(sum(errors) / len(part.labels), 4)


def _false_alarms(model: Model) -> dict[str, float]:
    """By identity: the share of harmless sentences naming it that score 0.5; none trained on."""
    return {
        name: round(
            float((_probabilities(model, [text.format(name) for text in _PROBES]) >= 0.5).mean()), 4
        )
        for name in _IDENTITIES
    }


def main(arguments: Sequence[str]) -> int:
    """Train from a data folder and write the report, as JSON, to standard output."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m halocline_pipelines.recipes.toxicity DATA [WEIGHTS]\n")
        return 2
    out = Path(arguments[1]) if len(arguments) == 2 else WEIGHTS
    try:
        report = train(Config(folder=Path(arguments[0]), out=out))
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(report), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
