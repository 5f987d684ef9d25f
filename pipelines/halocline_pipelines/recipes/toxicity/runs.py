"""One whole training, and the five that each hold something out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.toxicity import encoder
from halocline_governance.detect.toxicity.first import First
from halocline_governance.detect.toxicity.model import Second, merged, second_stage
from halocline_governance.detect.toxicity.reading import Reader
from halocline_pipelines.recipes.toxicity import (
    fit,
    linear,
    measuring,
    mix,
    ship,
    sieve,
    sources,
    templates,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

Tell = Callable[[str], None]
FOLDS = 5
_LINEAR_ROWS = 0.5


@dataclass(frozen=True, slots=True)
class Trained:
    """Both stages, and the arrays that the file is written from."""

    second: Second
    first: First
    arrays: dict[str, NDArray[Any]]


def train(data: Path, out: Path, tell: Tell, effort: fit.Effort) -> dict[str, Any]:
    """See the package."""
    done = _trained(mix.pool(data, scale=effort.scale), measuring.held_back(data), effort, tell)
    tell("writing and measuring")
    digest = ship.write(out, done.arrays, done.second.calibration, done.first)
    return {"sha256": digest, **measuring.report(data, out)}


def transfer(data: Path, tell: Tell, effort: fit.Effort) -> dict[str, Any]:
    """See the package."""
    return {name: one_fold(data, fold, tell, effort) for fold, name in enumerate(sources.SOURCES)}


def one_fold(data: Path, fold: int, tell: Tell, effort: fit.Effort) -> dict[str, Any]:
    """Train without a source, a fifth of the functions and a fifth of the groups' categories."""
    source = list(sources.SOURCES)[fold]
    functions, categories = held_out(fold)
    pool = mix.pool(
        data,
        without_source=source,
        without_functions=functions,
        without_categories=categories,
        scale=effort.scale,
    )
    known = [row for row in measuring.held_back(data) if row.source != source]
    known = [r for r in known if r.function not in functions and r.category not in categories]
    done = _trained(pool, known, effort, tell)
    found = measuring.carried(done.second, done.first, data, source, functions, categories)
    tell(f"without {source}: {found}")
    return found


def held_out(fold: int) -> tuple[list[str], list[str]]:
    """The functions and categories of groups that a fold never sees."""
    attacks = [one.name for one in templates.functions() if one.attack > 0.5]
    others = [one.name for one in templates.functions() if one.attack <= 0.5]
    categories = sorted({group.category for group in templates.groups()})
    return attacks[fold::FOLDS] + others[fold::FOLDS], categories[fold::FOLDS]


def _trained(
    pool: mix.Pool, known: Sequence[templates.Row], effort: fit.Effort, tell: Tell
) -> Trained:
    reader = Reader.of(encoder.folder() / "tokenizer.json")
    weights = fit.fit(pool.epoch, lambda texts: _whole(reader, texts), effort, tell)
    tell("shrinking and calibrating")
    arrays = ship.difference(weights, effort.frozen)
    raw = second_stage(merged(arrays), np.tile([1.0, 0.0], (len(fit.ANSWERS), 1)))
    logits = raw.logits([row.text for row in known])
    second = replace(raw, calibration=ship.calibration(logits, known))
    tell("training the first stage")
    told = second.calibrated(logits)
    rows = [*mix.scaled(pool, _LINEAR_ROWS).epoch(77), *pool.rows["clean"]]
    grams = linear.train(rows, known, told, second)
    rows = mix.sifted(pool).epoch(77)
    return Trained(second, sieve.train(rows, known, told, second, grams, tell), arrays)


def _whole(reader: Reader, texts: Sequence[str]) -> list[list[int]]:
    return [parts[0] for parts in reader.pieces(texts)]
