"""Commits that build on what was read: whoever comes second writes nothing, lease or no lease."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from halocline_governance.errors import LeaseHeld, Refused
from halocline_governance.lake import Lake, Location, commit
from halocline_governance.lineage import keyed

TABLE = "lineage.mixture"


def row(name: str, text: str = "{}") -> dict[str, Any]:
    return {"mix_sha": name, "mixture": text, "sources": [], "ts": "2026-01-01T00:00:00.000000Z"}


def test_writers_without_a_lease_double_and_contradict_nothing(
    tmp_path: Path, rng: random.Random
) -> None:
    """As if every one of them had slept through the end of its lease."""
    names = [f"mix-{number}" for number in range(12)]
    orders = [rng.sample(names, len(names)) for _ in range(6)]
    lost: list[str] = []

    def write(number: int) -> None:
        lake = Lake(tmp_path / "lake")
        for name in orders[number]:
            for _ in range(50):
                try:
                    keyed.add(lake, "system", TABLE, [row(name, str(number))], ["mix_sha"])
                except LeaseHeld:
                    lost.append(name)
                    continue
                except Refused:
                    pass  # another of them was first
                break

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = Counter(one["mix_sha"] for one in keyed.rows(Lake(tmp_path / "lake"), "system", TABLE))
    assert found == Counter(names)
    assert lost, "they never met: this test shows nothing"


@pytest.mark.parametrize("is_there", [False, True])
def test_who_commits_after_another_of_its_id_is_refused(tmp_path: Path, is_there: bool) -> None:
    place, rows = Location(str(tmp_path / "table")), pa.table({"n": [1]})
    if is_there:
        commit.append(place, None, rows, "other", 0)
    late, early = commit.seen(place), commit.seen(place)
    commit.append(place, early, rows, "mine", 0)

    with pytest.raises(LeaseHeld, match="another"):
        commit.append(place, late, rows, "mine", 0)
    assert DeltaTable(place.uri).to_pyarrow_table().num_rows == 1 + is_there


def test_others_that_append_meanwhile_are_in_nobody_s_way(tmp_path: Path) -> None:
    place, rows = Location(str(tmp_path / "table")), pa.table({"n": [1]})
    commit.append(place, None, rows, "mine", 0)
    seen = commit.seen(place)
    write_deltalake(place.uri, rows, mode="append")
    commit.append(place, commit.seen(place), rows, "other", 0)

    commit.append(place, seen, rows, "mine", 1)
    assert DeltaTable(place.uri).to_pyarrow_table().num_rows == 4
