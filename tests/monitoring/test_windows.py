"""The merge law of windows, and what they count."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.pii import PiiDetector
from halocline_monitoring import windows


def checks(_: str) -> list[PiiDetector]:
    return [PiiDetector()]


TEXTS = st.sampled_from(["all is well", "write to jane.roe@example.com", ""])


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def answered(text: str = "all is well", **other: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "label_id": "l1",
        "outcome": "released",
        "finish_reason": "stop",
        "output": text,
        "released_sha256": sha(text),
        "verdicts": "[]",
        "prompt_tokens": 5,
        "completion_tokens": 7,
        "mean_logprob": -1.5,
        "mean_entropy": 2.0,
    }
    return {**row, **other}


ROWS = st.lists(
    st.builds(
        answered,
        TEXTS,
        outcome=st.sampled_from(["released", "held"]),
        prompt_tokens=st.integers(0, 10**6),
        mean_logprob=st.none() | st.floats(-20, 0),
        verdicts=st.sampled_from(
            ["[]", '[{"detector":"pii@3","sha256":"0","status":"clean","findings":{}}]']
        ),
    ),
    max_size=12,
)


@given(ROWS, ROWS)
def test_merging_two_windows_is_the_window_of_both(
    left: list[dict[str, Any]], right: list[dict[str, Any]]
) -> None:
    a, b = windows.of(left, checks), windows.of(right, checks)

    assert a.merge(b) == windows.of(left + right, checks)
    assert b.merge(a) == windows.of(left + right, checks)
    assert windows.parse(a.dumps()) == a


@given(ROWS)
def test_nothing_is_the_identity(rows: list[dict[str, Any]]) -> None:
    partial = windows.of(rows, checks)

    assert partial.merge(windows.Partial()) == partial
    assert sum(partial.histograms.get("output_chars", ())) == len(rows)


def test_a_finding_in_released_bytes_is_a_leak_and_in_held_ones_is_not() -> None:
    text = "write to jane.roe@example.com"
    held = answered(text, outcome="held", released_sha256="")

    seen = windows.of([answered(text), held, answered()], checks)

    assert seen.rate("now:pii@3:found") == (2, 3)
    assert seen.rate("leaked:pii@3") == (1, 3)
    assert seen.rate("kind:pii@3:email") == (2, 3)


@pytest.mark.parametrize(
    ("released", "leaks"),
    [("write to", 0), ("write to jane.roe@example.com", 1), ("never said", 1), ("", 0)],
)
def test_only_what_left_can_leak(released: str, leaks: int) -> None:
    """A stream that was held had a prefix released; bytes nobody knows are assumed to be all."""
    row = answered("write to jane.roe@example.com now", released_sha256=sha(released))

    assert windows.of([row], checks).rate("leaked:pii@3") == (leaks, 1)


def test_a_verdict_that_does_not_repeat_is_counted() -> None:
    text = "write to jane.roe@example.com"
    stored = [{"detector": "pii@3", "sha256": sha(text), "status": "clean"}]

    seen = windows.of([answered(text, verdicts=json.dumps(stored))], checks)

    assert seen.rate("changed:pii@3") == (1, 1)


def test_a_window_holds_no_text() -> None:
    partial = windows.of([answered("write to jane.roe@example.com")], checks)

    assert "jane" not in partial.dumps()
