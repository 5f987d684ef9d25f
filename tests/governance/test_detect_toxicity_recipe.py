"""The recipe behind the toxicity weights: its sentences, its sources, and one small training."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from halocline_governance.detect.toxicity import encoder
from halocline_governance.detect.toxicity.first import SHAPES
from halocline_governance.detect.toxicity.model import load, merged, second_stage
from halocline_governance.detect.toxicity.reading import Reader
from halocline_governance.errors import Refused
from halocline_pipelines.recipes.toxicity import fit, linear, ship, sieve, sources, spoil, templates
from halocline_pipelines.recipes.toxicity.templates import KINDS, Row

GOOD = [
    "the garden is green",
    "we met at noon",
    "rain is expected in the north",
    "she bought bread",
]
BAD = ["you worthless scum", "get lost you vermin", "i despise you, liar", "you pathetic coward"]


def rows() -> list[Row]:
    kinds: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    bad = [Row(text, 1.0, {**kinds, "insult": 1.0}) for text in BAD]
    return [*bad, *(Row(text, 0.0, kinds) for text in GOOD)]


def test_our_sentences_are_the_same_for_the_same_seed_and_have_no_open_slot() -> None:
    first = templates.write(templates.functions(), templates.groups(), 25, 3)
    second = templates.write(templates.functions(), templates.groups(), 25, 3)

    assert first == second
    assert not [row.text for row in first if "{" in row.text or not row.text.strip()]
    assert {row.function for row in first} == {one.name for one in templates.functions()}


def test_each_identity_is_named_harmlessly_as_well_as_attacked() -> None:
    written = templates.write(templates.functions(), templates.groups(), 300, 3)

    for category in {group.category for group in templates.groups()}:
        sides = {row.attack > 0.5 for row in written if row.category == category}
        assert sides == {True, False}


def test_damage_keeps_most_of_a_text(seed: int) -> None:
    rng = random.Random(seed)
    text = "All people in this town should be treated with respect"

    for _ in range(200):
        spoilt = spoil.spoilt(text, rng)
        assert spoilt
        assert abs(len(spoilt) - len(text)) < len(text)
        assert len(set(spoilt.lower()) & set(text.lower())) > 5


def source(folder: Path, name: str, header: Sequence[str], *lines: Sequence[str]) -> Path:
    path = folder / "toxicity" / f"{name}.csv.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return folder


def test_bare_profanity_in_the_tweets_is_no_attack(tmp_path: Path) -> None:
    header = ("count", "hate_speech", "offensive_language", "class", "tweet")
    source(tmp_path, "tweets", header, ("3", "0", "3", "1", "a"), ("3", "3", "0", "0", "b"))

    found = {row.text: row for row in sources.labelled(tmp_path, "tweets")}

    assert (found["a"].attack, found["b"].attack) == (0.0, 1.0)
    assert found["a"].kinds["profanity"] == 1.0


def test_a_missing_source_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"forum\.csv\.gz is not in the data folder"):
        sources.labelled(tmp_path, "forum")
    source(tmp_path, "forum", ("a", "b"), ("1", "2"))
    with pytest.raises(Refused, match="lacks the column 'label'"):
        sources.labelled(tmp_path, "forum")


@pytest.fixture
def one_core() -> Iterator[None]:
    """Two threads wait for each other where the cores are busy with other tests."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_core")
def test_a_small_training_learns_and_ships_what_it_learnt(tmp_path: Path) -> None:
    reader = Reader.of(encoder.folder() / "tokenizer.json")

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        return [parts[0] for parts in reader.pieces(texts)]

    effort = fit.Effort(epochs=6, frozen=5, head_rate=2e-2)
    weights = fit.fit(lambda _: rows() * 3, pieces, effort, lambda _: None)
    arrays = ship.difference(weights, effort.frozen)
    texts = [row.text for row in rows()]
    second = second_stage(merged(arrays), np.tile([1.0, 0.0], (6, 1)))
    logits = second.logits(texts)
    told = second.calibrated(logits)
    grams = linear.train(rows() * 3, rows(), told, second)
    first = sieve.train(rows() * 3, rows(), told, second, grams, lambda _: None)
    ship.write(tmp_path / "small.safetensors", arrays, second.calibration, first)

    shipped, shipped_second = load(tmp_path / "small.safetensors")
    assert logits[:4, 0].min() > logits[4:, 0].max()
    assert np.array_equal(shipped_second.logits(texts), logits)
    assert shipped.of(texts) == pytest.approx(first.of(texts), abs=1e-3)


def test_the_trained_net_and_the_compiled_one_say_the_same(seed: int) -> None:
    import torch

    rng = random.Random(seed)
    torch.manual_seed(seed)
    weights = {name: torch.randn(shape) / shape[0] ** 0.5 for name, shape in SHAPES.items()}
    weights["table"] = torch.randint(-127, 128, SHAPES["table"]) / 127.0
    texts = [[rng.randrange(30_000) for _ in range(rng.randint(1, 40))] for _ in range(20)]

    said = sieve.forward(weights, texts, 0.0).amax(1)
    ids = np.array([piece for text in texts for piece in text], dtype=np.int32)
    told = sieve.rounded(weights).read(ids, np.cumsum([len(text) for text in texts]))

    assert np.abs(told - said.numpy()).max() < 1e-3 * max(1.0, np.abs(told).max())


def test_office_lines_and_manuals_attack_nobody(tmp_path: Path) -> None:
    code = 'def f() -> None:\n    """Rows are {kept}. Nothing else\n    is."""\n'
    (tmp_path / "kept.py").write_text(code)
    office, manuals = sources.office(5, 1), sources.manuals(tmp_path)

    assert not [row.text for row in office if "{" in row.text]
    assert {"Rows are {kept}.", "Nothing else is."} <= {row.text for row in manuals}
    assert len(manuals) > 1_000
    for name, rows in (("office", office), ("manuals", manuals)):
        assert {(row.source, row.attack) for row in rows} == {(name, 0.0)}
