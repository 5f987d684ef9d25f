"""The recipe behind the toxicity weights: reproducible on any folder, clear about a missing one."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.errors import Refused
from halocline_pipelines.recipes.toxicity import HELD_OUT, SOURCES, Config, Source, main, train

GOOD = ["the garden is green number {}", "we met at noon number {}", "rain is expected number {}"]
BAD = ["you worthless scum number {}", "get lost you vermin number {}", "i despise you number {}"]


def _fill(folder: Path, source: Source) -> None:
    path = folder / source.file
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".conll":
        lines = ["\n".join(f"{word} O" for word in GOOD[n % 3].split()) for n in range(30)]
        path.write_text("\n\n".join(lines))
        return
    good = next((value for value in source.shares if value not in source.positive), "noHate")
    bad = next(iter(source.positive))
    with gzip.open(path, "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([source.text, source.label])
        for n in range(60):
            rows.writerow([GOOD[n % 3].format(n), good])
            rows.writerow([BAD[n % 3].format(n), bad])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for source in (*SOURCES, HELD_OUT):
        if source.file:
            _fill(tmp_path, source)
    return tmp_path


def test_trained_weights_score_and_are_the_same_twice(folder: Path) -> None:
    first = train(Config(folder=folder, out=folder / "a.safetensors"))
    second = train(Config(folder=folder, out=folder / "b.safetensors"))

    detector = ToxicityDetector(folder / "a.safetensors")
    assert first == second
    assert first.auc_held_out_source > 0.95
    assert detector.scan("you worthless vermin").status == "found"
    assert detector.scan("the rain in the garden").status == "clean"


@pytest.mark.parametrize("missing", [source.file for source in (*SOURCES, HELD_OUT) if source.file])
def test_a_missing_source_is_named_and_nothing_is_written(folder: Path, missing: str) -> None:
    (folder / missing).unlink()

    with pytest.raises(Refused, match=Path(missing).name):
        train(Config(folder=folder, out=folder / "out.safetensors"))
    assert not (folder / "out.safetensors").exists()


def test_a_source_without_its_columns_is_named(folder: Path) -> None:
    with gzip.open(folder / SOURCES[0].file, "wt") as file:
        file.write("a,b\n1,2\n")

    with pytest.raises(Refused, match="lacks tweet or class"):
        train(Config(folder=folder, out=folder / "out.safetensors"))


def test_the_command_fails_with_a_message(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "not in the data folder" in capsys.readouterr().err
    assert main([]) == 2
