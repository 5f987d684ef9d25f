"""Evidently's drift report of one window as a page for people; it raises no alarm.

Shows numbers and categories only, never a prompt or an answer.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_monitoring.windows import Row

MIN_ROWS = 20
_NUMBERS = ("prompt_tokens", "completion_tokens", "output_chars", "mean_logprob", "mean_entropy")
_CATEGORIES = ("outcome", "finish_reason")


@dataclass(frozen=True, slots=True)
class Page:
    """The file, or why there is none."""

    path: Path | None
    note: str = ""


def write(reference: Sequence[Row], current: Sequence[Row], path: Path) -> Page:
    """Evidently's page at `path`; without enough rows, or with nothing that varies, a note."""
    fewest = min(len(reference), len(current))
    if fewest < MIN_ROWS:
        return Page(
            None,
            f"no drift page: it needs {MIN_ROWS} outputs on each side, the reference has"
            f" {len(reference)} and the window {len(current)}; widen the window",
        )
    columns = _columns(reference, current)
    if not columns:
        return Page(None, "no drift page: no column has two values or more")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    _render(columns, draft)
    draft.chmod(0o600)
    draft.replace(path)
    return Page(path)


def _columns(
    reference: Sequence[Row], current: Sequence[Row]
) -> dict[str, tuple[list[Any], list[Any]]]:
    """The columns that Evidently can compare: no gaps on either side, and something to see."""
    found: dict[str, tuple[list[Any], list[Any]]] = {}
    for name in (*_NUMBERS, *_CATEGORIES):
        left, right = ([_cell(row, name) for row in rows] for rows in (reference, current))
        if None not in left and None not in right and len({*left, *right}) > 1:
            found[name] = (left, right)
    return found


def _cell(row: Mapping[str, Any], name: str) -> Any:
    return len(row["output"]) if name == "output_chars" else row[name]


def _render(columns: Mapping[str, tuple[list[Any], list[Any]]], path: Path) -> None:
    # Evidently's telemetry posts to a fixed address unless this is set before its import.
    os.environ["DO_NOT_TRACK"] = "1"
    # What Evidently 0.7 warns of lies inside it (numpy.core, degenerate columns).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

        definition = DataDefinition(
            numerical_columns=[name for name in columns if name in _NUMBERS],
            categorical_columns=[name for name in columns if name in _CATEGORIES],
        )
        reference, current = (
            Dataset.from_pandas(
                pd.DataFrame({name: pair[side] for name, pair in columns.items()}),
                data_definition=definition,
            )
            for side in (0, 1)
        )
        # One method for all: those Evidently picks by sample size differ between windows.
        metrics = [ValueDrift(column=name, method="jensenshannon") for name in columns]
        Report(metrics).run(current, reference).save_html(str(path))
