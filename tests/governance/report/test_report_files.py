"""Files of a report: never in place of others, and all of them or none."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from halocline_governance import report
from halocline_governance.errors import Refused
from halocline_governance.report import files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.governance.report.conftest import World


def test_a_later_report_leaves_an_earlier_one(told: World) -> None:
    first = told.report()
    told.answer("req-2")

    second = told.report()

    assert second.json != first.json
    assert (first.paths.json.read_text(), first.paths.html.read_text()) == (first.json, first.html)
    again = told.report(pin=report.parse(second.content["pin"]))
    assert again.paths == second.paths
    assert len(list((told.root / "out").iterdir())) == 4


def test_nothing_is_written_over_another_file(told: World) -> None:
    first = told.report()
    first.paths.html.write_text("mine")

    with pytest.raises(Refused, match="nothing is written over it"):
        told.report(pin=report.parse(first.content["pin"]))
    assert first.paths.html.read_text() == "mine"


def test_an_earlier_report_is_taken_by_its_file(told: World) -> None:
    first = told.report()
    data = first.paths.json.read_bytes()

    pin = report.pin_of(data, "req-1")

    assert pin == report.parse(first.content["pin"])
    assert report.differences(data, told.report(pin=pin).paths.json.read_bytes()) == []
    (told.root / "lake" / "buy" / "curated").rename(told.root / "x")
    other = told.report(pin=pin).paths.json.read_bytes()
    assert "gaps" in report.differences(data, other)
    with pytest.raises(Refused, match="another output"):
        report.pin_of(data, "req-2")
    size = f'"size": {first.content["pin"]["logs"][told.journal.name]["size"]}'.encode()
    assert size in data
    for bad in (b"", b"{}", b"[]", b"\xff", data.replace(size, size + b".0")):
        with pytest.raises(Refused, match="no report about one output"):
            report.pin_of(bad, "req-1")


def test_no_room_leaves_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    wanted = {folder / "a.html": b"h" * 900, folder / "a.pdf": b"p" * 9_000, folder / "a.json": b""}

    with _room(4_096), pytest.raises(Refused, match=r"a\.pdf cannot be written: .*make room"):
        files.write(wanted)
    assert list(folder.iterdir()) == []
    files.write(wanted)
    assert {path: path.read_bytes() for path in folder.iterdir()} == wanted
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_a_name_that_cannot_be_had_leaves_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    long = folder / f"{'n' * 300}.json"

    with pytest.raises(Refused, match="cannot be"):
        files.write({folder / "a.html": b"h", long: b"j"})
    assert not folder.exists() or list(folder.iterdir()) == []


@contextmanager
def _room(num_bytes: int) -> Generator[None]:
    """No file may be longer, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
