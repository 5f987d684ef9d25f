"""The demo's ledger: a step is done when its result is durable, and FRESH removes only its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from halocline_governance.errors import Refused
from halocline_infra.demo.ledger import Ledger, Result, mark_begun, start_clean


def test_a_finished_step_is_known_to_the_next_process(tmp_path: Path) -> None:
    Ledger(tmp_path, {"seed": 1}).finish("ingest", Result(["3 rows"], notes={"n": 3}, seconds=1.5))

    again = Ledger(tmp_path, {"seed": 1}).done("ingest")
    assert again is not None
    assert (again.facts, again.notes, again.seconds) == (["3 rows"], {"n": 3}, 1.5)


def test_other_inputs_are_another_story(tmp_path: Path) -> None:
    first = Ledger(tmp_path, {"seed": 1})
    first.finish("ingest", Result())
    other = Ledger(tmp_path, {"seed": 2})

    assert other.done("ingest") is None
    assert Ledger(tmp_path, {"seed": 1}).done("ingest") is not None
    assert other.run_id != first.run_id


def test_fresh_removes_what_the_demo_made_and_nothing_else(tmp_path: Path) -> None:
    mark_begun(tmp_path)
    for name in ("lake", "keys", "mine"):
        (tmp_path / name).mkdir()
    start_clean(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "mine"]


def test_fresh_does_not_touch_what_no_demo_made(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    mark_begun(tmp_path)
    with pytest.raises(Refused, match="HALOCLINE_HOME"):
        start_clean(tmp_path)
    assert (tmp_path / "lake").is_dir()


def test_fresh_that_was_killed_half_way_goes_on(tmp_path: Path) -> None:
    mark_begun(tmp_path)
    (tmp_path / ".discarded-1" / "lake").mkdir(parents=True)
    start_clean(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    Ledger(tmp_path, {}).finish("ingest", Result())
    (ledger,) = (tmp_path / "demo").glob("steps-*.json")
    ledger.write_text('{"inputs": ')

    with pytest.raises(Refused, match="FRESH=1"):
        Ledger(tmp_path, {})
