"""What the detector does on rows that it was not trained on."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.toxicity import FOUND, segments
from halocline_governance.detect.toxicity.first import First
from halocline_governance.detect.toxicity.judging import judge
from halocline_governance.detect.toxicity.model import Second, load
from halocline_pipelines.recipes.toxicity import sources, spoil, templates
from halocline_pipelines.recipes.toxicity.templates import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ATTACKS, _OTHERS, _PER_FUNCTION = 500, 900, 60
_NAMING = ("neutral", "positive", "negated_attack")
_PLAIN_SEED, _NAMING_SEED = 999, 1234


def held_back(folder: Path) -> list[Row]:
    """The twelfth of each source that calibrates and measures, and sentences of an own seed."""
    rows: list[Row] = []
    for name in sources.SOURCES:
        rows += _some([r for r in sources.labelled(folder, name) if sources.held_back(r.text)])
    own = templates.write(templates.functions(), templates.groups(), _PER_FUNCTION, _PLAIN_SEED)
    rng = random.Random(_PLAIN_SEED)
    spoilt = [replace(row, text=spoil.spoilt(row.text, rng)) for row in rng.sample(own, 500)]
    clean = [*sources.clean(folder), *sources.office(_PER_FUNCTION, _PLAIN_SEED)]
    clean = [row for row in [*clean, *sources.manuals()] if sources.held_back(row.text)]
    return [*rows, *own, *spoilt, *clean]


def report(folder: Path, weights: Path) -> dict[str, Any]:
    """Ranking, calibration, kinds, false alarms by group, the first stage, and speed."""
    first, second = load(weights)
    rows = held_back(folder)
    answers = second.answers([row.text for row in rows])
    labels = np.array([row.attack > 0.5 for row in rows])
    names = np.array([row.source for row in rows])
    both = {name: (names == name) for name in dict.fromkeys(names.tolist())}
    score = answers[:, 0]
    return {
        "rows": len(rows),
        "auc": {n: auc(labels[at], score[at]) for n, at in both.items() if labels[at].any()},
        "calibration_error": {n: gap(labels[at], score[at]) for n, at in both.items()},
        "kinds_auc": _kinds(rows, answers),
        "false_alarms_by_group": by_group(second),
        "first_stage": passed(first, rows, answers),
        "speed": speed(weights, rows),
    }


def carried(
    second: Second,
    first: First,
    folder: Path,
    source: str,
    functions: Sequence[str],
    categories: Sequence[str],
) -> dict[str, Any]:
    """What carries over to the held-out source, functions and groups."""
    rows = _some(sources.labelled(folder, source), 1200, 5000)
    labels = np.array([row.attack > 0.5 for row in rows])
    score = texts_logits(second, [row.text for row in rows])
    own = [f for f in templates.functions() if f.name in functions]
    unseen = templates.write(own, templates.groups(), 150, 4)
    there = [group for group in templates.groups() if group.category in categories]
    named = templates.write(templates.functions(), there, 40, 4)
    told = second.answers([row.text for row in rows])
    told_unseen = second.answers([row.text for row in unseen])
    return {
        "auc_source": auc(labels, score),
        "auc_functions": _own_auc(second, unseen),
        "auc_groups": _own_auc(second, named),
        "first_stage_source": passed(first, rows, told),
        "first_stage_functions": passed(first, unseen, told_unseen),
    }


def auc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    from sklearn import metrics

    return round(float(cast(Any, metrics).roc_auc_score(labels, scores)), 4)


def gap(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Expected calibration error in ten equal bins, at the rows' own rate of attacks."""
    bins = np.minimum((scores * 10).astype(int), 9)
    off = [abs(float((labels[bins == at] - scores[bins == at]).sum())) for at in range(10)]
    return round(sum(off) / len(labels), 4)


def texts_logits(second: Second, texts: Sequence[str]) -> NDArray[np.float64]:
    """The worst segment's logit of each text, as the detector cuts it, without the first stage."""
    many = Texts.of(list(texts))
    rows, froms, _, ends = segments.cut_rows(many.data, many.offsets)
    parts = [many.data[a:b].tobytes().decode() for a, b in zip(froms, ends, strict=True)]
    worst = np.full(len(texts), -30.0)
    np.maximum.at(worst, rows, second.logits(parts)[:, 0])
    return worst


def by_group(second: Second) -> dict[str, float]:
    """By category: the share of harmless sentences naming such a group that are `found`."""
    functions = [one for one in templates.functions() if one.name in _NAMING]
    rows = templates.write(functions, templates.groups(), 900, _NAMING_SEED)
    alarms = second.answers([row.text for row in rows])[:, 0] >= FOUND
    names = np.array([row.category for row in rows])
    return {
        str(name): round(float(alarms[names == name].mean()), 4)
        for name in sorted(set(names.tolist()))
    }


def passed(
    first: First, rows: Sequence[Row], told: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    """By source: the share that the first stage clears, and the share of the second stage's attacks
    that it hands over.
    """
    texts = [row.text for row in rows]
    cleared = ~(first.of(texts) >= first.clears)
    attacks = told[:, 0] >= FOUND
    names = np.array([row.source for row in rows])
    found: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(names.tolist()):
        at = names == name
        found[name] = {"cleared": round(float(cleared[at].mean()), 4)}
        if attacks[at].any():
            found[name]["recall"] = round(
                1 - float(cleared[at & attacks].sum() / attacks[at].sum()), 4
            )
    return found


def speed(weights: Path, rows: Sequence[Row]) -> dict[str, float]:
    """Texts a second: clean lines with 2 % attacks through both stages, and attacks alone."""
    rng = random.Random(6)
    clean = [row.text for row in rows if row.source == "clean"] or [row.text for row in rows]
    attacks = [row.text for row in rows if row.source != "own" and row.attack > 0.5]
    mixed = rng.choices(clean, k=1960) + rng.choices(attacks, k=40)
    return {
        "two_stages": _rate(weights, mixed),
        "attacks_only": _rate(weights, rng.choices(attacks, k=200)),
    }


def _rate(weights: Path, texts: Sequence[str]) -> float:
    many = Texts.of(list(texts))
    _, froms, starts, ends = segments.cut_rows(many.data, many.offsets)
    judge(weights, many.data, froms[:8], starts[:8], ends[:8])
    began = time.process_time()
    _, froms, starts, ends = segments.cut_rows(many.data, many.offsets)
    judge(weights, many.data, froms, starts, ends)
    return round(len(texts) / (time.process_time() - began), 1)


def _own_auc(second: Second, rows: Sequence[Row]) -> float:
    labels = np.array([row.attack > 0.5 for row in rows])
    return auc(labels, texts_logits(second, [row.text for row in rows]))


def _kinds(rows: Sequence[Row], answers: NDArray[np.float64]) -> dict[str, float]:
    found: dict[str, float] = {}
    for at, kind in enumerate(templates.KINDS, start=1):
        known = np.array([kind in row.kinds for row in rows])
        labels = np.array([row.kinds.get(kind, 0.0) > 0.5 for row in rows])
        if labels[known].any():
            found[kind] = auc(labels[known], answers[known, at])
    return found


def _some(rows: Sequence[Row], attacks: int = _ATTACKS, others: int = _OTHERS) -> list[Row]:
    """At most so many of each label, at the source's own rate of attacks; the first by hash."""
    bad = [row for row in rows if row.attack > 0.5]
    good = [row for row in rows if row.attack <= 0.5]
    share = min(1.0, attacks / max(1, len(bad)), others / max(1, len(good)))
    return bad[: max(1, int(len(bad) * share))] + good[: max(1, int(len(good) * share))]
