"""Records are found by key whatever files they lie in, and few files are opened for it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Refused
from halocline_governance.label import PUBLIC
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage, Parent, keyed
from halocline_governance.lineage.lineage import MODEL
from halocline_governance.refs import DatasetRef, ModelRef

# Longer than what statistics keep of a text, alike for longer still, and not of one byte each.
NAMES = ("a", "house", "x" * 80, "x" * 80 + "y", "\u6f5f" * 40, "\u6f5f" * 41, "\U0010ffff" * 30)


def row(name: str, version: int, parent: tuple[str, int] | None, run: str = "r") -> dict[str, Any]:
    above = parent or (None, None)
    return {
        "model": name,
        "version": version,
        "weights_sha256": "w",
        "label_id": PUBLIC.label_id,
        "run_id": run,
        "parent_model": above[0],
        "parent_version": above[1],
        "kind": "trained",
        "ts": "2026-01-01T00:00:00.000000Z",
    }


def write(lake: Lake, rows: list[dict[str, Any]]) -> None:
    held = pa.Table.from_pylist(rows, tables.table(MODEL).arrow())
    with lake.lease("system", MODEL) as place:
        write_deltalake(place.uri, held, mode="append")


def test_what_is_found_by_key_is_what_is_there(tmp_path: Path, rng: random.Random) -> None:
    lake, all_rows = Lake(tmp_path / "lake"), list[dict[str, Any]]()
    for number in range(12):
        mine = [
            row(rng.choice(NAMES), rng.randrange(4), rng.choice([None, (rng.choice(NAMES), 1)]))
            for _ in range(rng.randrange(1, 4))
        ]
        write(lake, mine)
        all_rows += mine
        if number == 7:
            DeltaTable(lake.location("system", MODEL).uri).optimize.compact()

    for name in (*NAMES, "z"):
        for where in (
            {"model": [name]},
            {"model": [name, "a"], "version": [1, 2]},
            {"parent_model": [name], "parent_version": [1]},
        ):
            found = keyed.rows(lake, "system", MODEL, where=where)
            held = [one for one in all_rows if all(one[k] in of for k, of in where.items())]
            assert sorted(map(str, found)) == sorted(map(str, held))


def test_a_record_opens_no_file_that_cannot_hold_its_key(tmp_path: Path) -> None:
    """Those that are not needed are taken away: who opened one would fail."""
    lake = Lake(tmp_path / "lake")
    lineage = Lineage(lake)
    ref = DatasetRef("curated.documents", "public", 1, (PUBLIC.label_id,), 1, "f", "d")
    dsv_id = lineage.add_dataset(ref, PUBLIC)
    lineage.add_mixture("mix", "{}", [(dsv_id, 1.0)])
    lineage.add_run("r", "mix", [(dsv_id, 1.0, 1, 1)])
    for number in range(9):
        parents = [Parent("house", number - 1)] if number else []
        lineage.add_model(ModelRef("house", number, "w", PUBLIC), "r", parents)
    with pytest.raises(Refused, match="what it went into"):
        lineage.add_model(ModelRef("house", 0, "w", PUBLIC), "r", [Parent("house", 8)])
    for file in Path(lake.location("system", MODEL).uri).glob("*.parquet"):
        file.unlink()

    lineage.add_model(ModelRef("house", 9, "w", PUBLIC), "r", [Parent("house", 8)])
    lineage.add_model(ModelRef("house", 9, "w", PUBLIC), "r", [Parent("house", 8)])
    with pytest.raises(Refused, match="another weights hash"):
        lineage.add_model(ModelRef("house", 9, "v", PUBLIC), "r", [Parent("house", 8)])
    with pytest.raises(FileNotFoundError):
        lineage.add_model(ModelRef("house", 8, "w", PUBLIC), "r", [Parent("house", 7)])
