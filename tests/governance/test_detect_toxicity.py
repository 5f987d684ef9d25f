"""The toxicity model that ships: what it must and must not mark, its segments, its files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.tensorfile import write
from halocline_governance.detect.toxicity import (
    BUCKETS,
    FORMAT,
    WEIGHTS,
    ToxicityDetector,
    features,
    load,
    segments,
)

TOXICITY = ToxicityDetector()
ATTACKS = [
    "Shut up, you stupid moron, you disgusting piece of garbage.",
    "Go back to your country, you filthy animals.",
    "What a bunch of filthy, useless scum you are, go to hell all of you.",
    "I hope you rot, you ugly, brainless liar.",
]
HARMLESS = [
    "The company reported revenue of $3.2 billion.",
    "Thank you for your help!",
    "Install the package with pip and run the tests.",
    "Muslims and Jews live in this town.",
    "I disagree with the third paragraph.",
    "fuck, I forgot my keys",
    "2 1,234 5,678 ====== ------",
    "",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_are_found(text: str) -> None:
    verdict = TOXICITY.scan(text)

    assert verdict.status == "found"
    assert verdict.findings == {"toxicity": 1}
    assert (verdict.score or 0) >= 0.5


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_clean_and_scored(text: str) -> None:
    verdict = TOXICITY.scan(text)

    assert verdict.status == "clean"
    assert verdict.score is not None
    assert verdict.score < 0.5


def test_a_text_scores_as_its_worst_segment() -> None:
    alone = TOXICITY.scan(ATTACKS[0]).score

    verdict = TOXICITY.scan(" ".join([HARMLESS[0], ATTACKS[0], HARMLESS[1]]))

    assert verdict.score == pytest.approx(alone)
    assert verdict.spans[0].start == len(HARMLESS[0]) + 1


@given(st.text(), st.text())
def test_segments_tile_the_text_and_closed_ones_are_final(text: str, more: str) -> None:
    parts = list(segments(text))
    longer = list(segments(text + more))

    assert "".join(text[start:end] for start, end, _ in parts) == text
    assert all(end - start <= 512 for start, end, _ in parts)
    closed = [part for part in parts if part[2]]
    assert longer[: len(closed)] == closed


@given(st.text())
def test_scores_are_probabilities(text: str) -> None:
    score = TOXICITY.scan(text).score

    assert score is not None
    assert 0.0 <= score < 1.0


@given(st.text(max_size=80))
def test_features_are_two_unit_blocks_in_range(text: str) -> None:
    buckets, values = features(text)

    assert len(buckets) == len(values)
    assert all(0 <= bucket < BUCKETS for bucket in buckets)
    assert len(values) == 0 or math.isclose(float((values**2).sum()), 2.0, rel_tol=1e-3)


@pytest.mark.parametrize("content", [None, b"", b"\0" * 64])
def test_a_missing_or_damaged_file_leaves_text_unscanned(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "toxicity.safetensors"
    if content is not None:
        path.write_bytes(content)

    verdict = ToxicityDetector(path).scan("hello there")

    assert (verdict.status, verdict.reason) == ("unscanned", "failed: Refused")


def test_a_file_of_another_shape_leaves_text_unscanned(tmp_path: Path) -> None:
    model = load(WEIGHTS)
    path = tmp_path / "small.safetensors"
    write(path, {"format": FORMAT}, {"weights": model.weights[:10], "numbers": model.weights[:3]})

    assert ToxicityDetector(path).scan("hello there").status == "unscanned"


def test_the_weights_that_ship_are_small() -> None:
    assert WEIGHTS.stat().st_size <= 600_000
