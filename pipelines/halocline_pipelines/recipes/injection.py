"""Trains the prompt injection detector's weights, and says how good they are.

    python -m halocline_pipelines.recipes.injection DATA_FOLDER [WEIGHTS_FILE]

Attacks and hard negatives are `injection_texts`; ordinary text is from the folder: filings, forum
posts, talk pages, encyclopedic sentences (docs/detectors.md names sources and licences). Every
family of attacks is held out once, whole, and so is a set in no template's words.
"""

from __future__ import annotations

import ast
import csv
import gzip
import hashlib
import json
import random
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.detect import tensorfile
from halocline_governance.detect.injection import FOUND
from halocline_governance.detect.injection.classes import CLASSES, lexicon
from halocline_governance.detect.injection.kernel import BUCKETS, CLASSED, WINDOW
from halocline_governance.detect.injection.model import FORMAT, WEIGHTS, Model
from halocline_governance.errors import Refused
from halocline_pipelines.recipes.injection_texts import (
    ATTACKS,
    HARMLESS,
    UNSEEN_ATTACKS,
    UNSEEN_HARMLESS,
    drawn,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SEED = 6
_WORDY = 0.6
_PENALTY = 0.3
_COMMON = 20.0  # ordinary text is far commoner than in what is trained on: a higher bar
_TRAINED = "halocline_pipelines.recipes.injection"
_OPEN = (
    ("toxicity/forum.csv.gz", "CC BY-SA 3.0"),
    ("toxicity/wikipedia_talk.csv.gz", "CC BY 4.0"),
    ("toxicity/edos.csv.gz", "CC0"),
)


@dataclass(frozen=True, slots=True)
class Config:
    """How much: texts drawn from each template, texts of each open source, families held out."""

    each: int = 120
    plain: int = 12_000
    held_out: tuple[str, ...] = (*ATTACKS, *HARMLESS)
    documented: bool = True


_USUAL = Config()


@dataclass(frozen=True, slots=True)
class Example:
    """A text, whether it is an attack, and the family that it is held out with."""

    text: str
    attack: bool
    family: str


def train(
    data: Path, out: Path, tell: Callable[[str], None], config: Config = _USUAL
) -> dict[str, Any]:
    """Write the weights; the same data gives the same bytes. What was measured comes back.

    Raises:
        Refused: a source is missing.
    """
    made, plain = list(_made(config)), list(_plain(data, config))
    tell(f"{len(made)} made texts, {len(plain)} ordinary ones")
    report: dict[str, Any] = {"texts": {"made": len(made), "ordinary": len(plain)}}
    report["held_out_family"], report["held_out_family_at_1_percent"] = {}, {}
    quiet = [text for text, attack in _calibrating(made, plain) if not attack]
    for family in config.held_out:
        model = _fitted([e for e in made if e.family != family], plain)
        left = [e.text for e in made if e.family == family]
        share, lower = _found(model, left), _found(model, left, _bar(model, quiet))
        report["held_out_family"][family] = round(share, 3)
        report["held_out_family_at_1_percent"][family] = round(lower, 3)
        tell(f"without {family}: {share:.3f} of it found, {lower:.3f} at 1 % false alarms")
    model = _fitted(made, plain)
    report["score_at_1_percent"] = round(_bar(model, quiet), 4)
    report["quiet_alarmed"] = round(_found(model, quiet), 5)
    report["unseen_attacks_found"] = round(_found(model, UNSEEN_ATTACKS), 3)
    report["unseen_harmless_alarmed"] = round(_found(model, UNSEEN_HARMLESS), 3)
    report["auc_unseen"] = round(_auc(model), 3)
    card = {
        "format": FORMAT,
        "recipe": _TRAINED,
        "licences": dict(_OPEN),
        "report": report,
    }
    import numpy as np

    numbers = np.array([model.slope, model.shift])
    tensorfile.write(
        out, card, {"weights": model.weights, "pairs": model.pairs, "numbers": numbers}
    )
    report["sha256"] = hashlib.sha256(out.read_bytes()).hexdigest()
    return report


def _made(config: Config) -> Iterator[Example]:
    rng = random.Random(_SEED)
    for attack, families in ((True, ATTACKS), (False, HARMLESS)):
        for family, templates in families.items():
            texts = {drawn(rng, t) for t in templates for _ in range(config.each)}
            for text in sorted(texts):
                yield Example(_varied(rng, text), attack, family)


def _varied(rng: random.Random, text: str) -> str:
    """Now and then in lower case or in capitals, or without its last stop."""
    way = rng.random()
    if way < 0.15:
        return text.lower()
    if way < 0.2:
        return text.upper()
    return text.rstrip(".") if way < 0.3 else text


def _plain(data: Path, config: Config) -> Iterator[str]:
    """Segments of ordinary text, as the detector cuts them."""
    for file, _ in _OPEN:
        yield from _sampled(_column(data / file), config.plain)
    yield from _sampled(_sentences(data / "ner" / "wikigold.conll"), config.plain)
    yield from _sampled(_filings(data / "filings.parquet"), 2 * config.plain)
    if config.documented:
        yield from _sampled(_documented(), 2 * config.plain)


def _sampled(texts: Iterable[str], count: int) -> list[str]:
    return sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())[:count]


def _column(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", newline="") as file:
            for row in csv.DictReader(file):
                yield from _cut(row.get("text") or row.get("comment") or next(iter(row.values())))
    except OSError:
        raise Refused(f"{path.name}: not in the data folder") from None


def _sentences(path: Path) -> Iterator[str]:
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise Refused(f"{path.name}: not in the data folder") from None
    for block in text.split("\n\n"):
        yield " ".join(line.split(" ", 1)[0] for line in block.splitlines() if line)


def _filings(path: Path) -> Iterator[str]:
    import pyarrow.parquet as pq

    if not path.exists():
        raise Refused(f"{path.name}: not in the data folder")
    texts = cast("list[str]", pq.read_table(path, columns=["text"]).column("text").to_pylist())
    for text in texts[::6]:
        yield from _cut(text)


def _documented() -> Iterator[str]:
    """Docstrings and comments of Python's standard library: software talking to its users."""
    folder = Path(sysconfig.get_path("stdlib"))
    for path in sorted(p for part in ("*.py", "*/*.py") for p in folder.glob(part)):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield from _cut(ast.get_docstring(node) or "")


def _cut(text: str) -> Iterator[str]:
    """Its segments, as the detector cuts them, but for the shortest."""
    import numpy as np

    from halocline_governance.detect.injection import kernel

    data = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    ends, _ = kernel.segments(data, 0, len(data))
    start = 0
    for end in ends.tolist():
        if end - start > 20:
            yield data[start:end].tobytes().decode("utf-8", "replace")
        start = end


def _read(text: str) -> NDArray[np.int32]:
    """The buckets and the classes of each word."""
    import numpy as np

    from halocline_governance.detect.injection import kernel

    data = np.frombuffer(text.encode()[:4096], dtype=np.uint8)
    rows = np.empty((kernel.MAX_BYTES, kernel.WIDTH), dtype=np.int32)
    words, _ = kernel.hashed(data, 0, len(data), *lexicon(), rows)
    return rows[:words]


def _fitted(made: Sequence[Example], plain: Sequence[str]) -> Model:
    """Four fifths to the weights, a fifth to the calibration, by hash of the text."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    fit = [row for row in _every(made, plain) if not _is_later(row[0])]
    read = [(part, attack) for text, attack in fit for part in _windows(text, attack)]
    labels = np.array([attack for _, attack in read])
    linear = cast(
        Any, LogisticRegression(C=_PENALTY, max_iter=200, solver="liblinear", random_state=0)
    )
    linear.fit(_matrix([part for part, _ in read]), labels)
    found = linear.coef_[0].astype(np.float16).astype(np.float32)
    size = len(CLASSES)
    pairs = np.zeros((size, size), dtype=np.float32)
    pairs[np.triu_indices(size)] = found[BUCKETS:]
    model = Model(found[:BUCKETS] * np.float32(_WORDY), pairs, 1.0, 0.0)
    kept = _calibrating(made, plain)
    margins = np.array([max(-30.0, model.margin(text.encode()[:4096])) for text, _ in kept])
    labels = np.array([attack for _, attack in kept])
    platt = cast(Any, LogisticRegression(C=1e6))
    platt.fit(margins[:, None], labels, np.where(labels, 1.0, _COMMON))
    return replace(model, slope=float(platt.coef_[0][0]), shift=float(platt.intercept_[0]))


def _every(made: Sequence[Example], plain: Sequence[str]) -> list[tuple[str, bool]]:
    return [*((e.text, e.attack) for e in made), *((text, False) for text in plain)]


def _calibrating(made: Sequence[Example], plain: Sequence[str]) -> list[tuple[str, bool]]:
    """The fifth that the weights are not fitted to."""
    return [row for row in _every(made, plain) if _is_later(row[0])]


def _is_later(text: str) -> bool:
    return hashlib.sha256(text.encode()).digest()[0] < 51


def _windows(text: str, attack: bool) -> Iterator[NDArray[np.int32]]:
    rows = _read(text)
    step = max(1, len(rows) if attack else WINDOW)
    for at in range(0, len(rows), step):
        yield rows[at : at + step]


def _matrix(read: Sequence[NDArray[np.int32]]) -> Any:
    """Counts of buckets, made small so that classes bear more, and the pairs of classes."""
    import numpy as np
    from scipy.sparse import csr_matrix

    size = len(CLASSES)
    pairs = [(one, two) for one in range(size) for two in range(one, size)]  # as triu_indices has
    number = {pair: BUCKETS + at for at, pair in enumerate(pairs)}
    columns: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float64]] = []
    for rows in read:
        classes = int(np.bitwise_or.reduce(rows[:, CLASSED]))
        words = rows[:, :CLASSED].ravel().astype(np.int64)
        held = [bit for bit in range(len(CLASSES)) if classes >> bit & 1]
        both = [number[one, two] for one in held for two in held if one <= two]
        columns.append(np.concatenate([words, np.array(both, dtype=np.int64)]))
        values.append(np.concatenate([np.full(words.size, _WORDY), np.ones(len(both))]))
    ends = np.cumsum([0, *map(len, columns)])
    shape = (len(read), BUCKETS + len(number))
    return cast(Any, csr_matrix)(
        (np.concatenate(values), np.concatenate(columns), ends), shape=shape
    )


def _found(model: Model, texts: Iterable[str], bar: float = FOUND) -> float:
    hits = [model.probability(text.encode()) >= bar for text in texts]
    return sum(hits) / max(1, len(hits))


def _bar(model: Model, quiet: Sequence[str]) -> float:
    """The score that one in a hundred harmless segments reaches."""
    import numpy as np

    scores = np.array([model.probability(text.encode()) for text in quiet])
    return float(np.quantile(scores, 0.99)) if len(scores) else FOUND


def _auc(model: Model) -> float:
    from sklearn import metrics

    texts = (*UNSEEN_ATTACKS, *UNSEEN_HARMLESS)
    labels = [True] * len(UNSEEN_ATTACKS) + [False] * len(UNSEEN_HARMLESS)
    scores = [model.probability(text.encode()) for text in texts]
    return float(cast(Any, metrics).roc_auc_score(labels, scores))


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(arguments: Sequence[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write(f"usage: python -m {_TRAINED} DATA_FOLDER [WEIGHTS_FILE]\n")
        return 2
    out = Path(arguments[1]) if len(arguments) == 2 else WEIGHTS
    report = train(Path(arguments[0]), out, _tell)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
