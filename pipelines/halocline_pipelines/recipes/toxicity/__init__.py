"""The recipe behind the toxicity detector's weights: data, training, first stage, measurement.

A folder with the sources goes in (docs/detectors.md names them and their licences); a safetensors
file and a report come out. `transfer` holds out one source at a time, with a fifth of the kinds of
sentence and of the groups, and says how well what was learned carries over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from halocline_pipelines.recipes.toxicity.fit import Effort

Tell = Callable[[str], None]

__all__ = ["Effort", "report", "train", "transfer"]


def train(data: Path, out: Path, tell: Tell, effort: Effort | None = None) -> dict[str, Any]:
    """Fit, shrink, calibrate, train the first stage, write, measure. Takes some 20 minutes."""
    from halocline_pipelines.recipes.toxicity import runs

    return runs.train(data, out, tell, effort or Effort())


def report(data: Path, weights: Path | None = None) -> dict[str, Any]:
    """How good a file of weights is (the one that ships, if none is named) on rows held back."""
    from halocline_governance.detect.toxicity import WEIGHTS
    from halocline_pipelines.recipes.toxicity import measuring

    return measuring.report(data, weights or WEIGHTS)


def transfer(data: Path, tell: Tell, effort: Effort | None = None) -> dict[str, Any]:
    """Five trainings, each without one source: what is found in it all the same. Half an hour."""
    from halocline_pipelines.recipes.toxicity import runs

    return runs.transfer(data, tell, effort or Effort(epochs=2, scale=0.35))
