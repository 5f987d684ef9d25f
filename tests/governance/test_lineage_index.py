"""The indexes under faults: killed, spoilt, shared, outrun by vacuum; and what they never hold."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from halocline_governance.errors import Refused, StorageUnavailable
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.lineage import DATASET
from tests.governance.lineage_world import CURATED, LABELS, World, append, full

# Records what others record too, and builds the indexes anew, over and over.
ASK = """
import sys
from pathlib import Path
from halocline_governance.label import PUBLIC
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.refs import DatasetRef
lineage = Lineage(Lake(Path(sys.argv[1])))
print("begun", flush=True)
for turn in range(int(sys.argv[2])):
    lineage.add_dataset(DatasetRef("raw.documents", "gone", turn, (), 0, "f", "d"), PUBLIC)
    lineage.rebuild()
"""


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(Lake(tmp_path / "lake"), rng)
    made.build(5)
    return made


def told(lineage: Lineage) -> list[dict[str, Any]]:
    things = ("licence:MIT", "source:web", "subject:ann")
    return [lineage.trace(thing).as_json() for thing in things]


def fresh(world: World) -> Lineage:
    """Answers from an index that nobody touched before."""
    folder = world.lake.root.parent / f"fresh-{time.monotonic_ns()}"
    return Lineage(world.lake, folder=folder)


def start(world: World, rounds: int) -> subprocess.Popen[bytes]:
    asking = [sys.executable, "-c", ASK, str(world.lake.root), str(rounds)]
    process = subprocess.Popen(asking, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    return process


def files(world: World) -> dict[str, Path]:
    folder = world.lake.root.parent / "state" / "lineage"
    return {path.name: path for path in folder.iterdir()}


def grow(world: World, num: int, source: str) -> None:
    """One commit of rows of one source, none of which was there before."""
    label_id = LABELS["buy"][0].label_id
    rows = [
        full(
            CURATED,
            row_uid=world.rng.getrandbits(62),
            label_id=label_id,
            source=source,
            licence="MIT",
            content_sha256="a" * 64,
        )
        for _ in range(num)
    ]
    append(world.lake, "buy", CURATED, rows)


def test_a_killed_update_leaves_nothing_half(world: World, rng: random.Random) -> None:
    for _ in range(2):
        process = start(world, 50)
        time.sleep(rng.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        grow(world, 3, "web")

        assert told(Lineage(world.lake)) == told(fresh(world))


def test_processes_that_index_at_once_agree(world: World) -> None:
    processes = [start(world, 3) for _ in range(2)]
    lineage = Lineage(world.lake)
    while any(process.poll() is None for process in processes):
        grow(world, 2, "web")
        gaps = lineage.impact("licence:MIT").gaps
        assert set(gaps) <= {"gone: cannot be read from here"}
        time.sleep(0.05)

    assert [process.wait() for process in processes] == [0, 0]
    for process in processes:
        process.communicate()
    assert told(lineage) == told(Lineage(world.lake)) == told(fresh(world))
    recorded = [row["version"] for row in lineage.rows(DATASET) if row["compartment"] == "gone"]
    assert sorted(recorded) == [0, 1, 2]


def test_a_file_that_is_spoilt_is_built_again(world: World) -> None:
    lineage = Lineage(world.lake)
    expected = told(lineage)
    lineage.close()
    for path in files(world).values():
        path.write_bytes(b"no database" * 1000)

    assert told(Lineage(world.lake)) == expected


def test_an_index_is_the_owners_alone(world: World) -> None:
    told(Lineage(world.lake))
    found = files(world)

    assert {oct(path.stat().st_mode & 0o777) for path in found.values()} == {"0o600"}
    (found["graph.sqlite"]).chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        told(Lineage(world.lake))


def test_names_stay_with_their_compartment(world: World) -> None:
    """Law 5: of a source in `buy`, no other file tells."""
    grow(world, 1, "a-source-of-buy")
    lineage = Lineage(world.lake)
    lineage.impact("licence:MIT")
    lineage.close()

    holding = {
        name for name, path in files(world).items() if b"a-source-of-buy" in path.read_bytes()
    }
    assert holding
    assert all(name.startswith("rows-buy.sqlite") for name in holding)


def test_vacuumed_versions_are_gaps_unless_they_were_seen(world: World) -> None:
    grow(world, 4, "soon-gone")
    before = Lineage(world.lake, folder=world.lake.root.parent / "before")
    assert before.impact("source:soon-gone").rows[f"buy:{CURATED}"] == (4, 4)
    with world.lake.lease("buy", CURATED) as place:
        delta = DeltaTable(place.uri)
        held = delta.version()
        delta.delete("source = 'soon-gone'")
        delta.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    dataset = {
        **world.system[DATASET][0],
        "compartment": "buy",
        "dsv_id": "d-gone",
        "table": CURATED,
        "version": held,
        "label_ids": [LABELS["buy"][0].label_id],
    }
    append(world.lake, "system", DATASET, [dataset])
    after = fresh(world)
    gap = f"buy:{CURATED} version {held} cannot be read any more"

    assert after.dataset_rows("d-gone").gaps == (gap,)
    assert gap in after.impact("licence:MIT").gaps
    with pytest.raises(StorageUnavailable, match="any more"):
        after.fingerprint_of("buy", CURATED, held)
    assert before.impact("source:soon-gone").rows[f"buy:{CURATED}"] == (0, 4)
    assert before.impact("source:soon-gone").datasets["d-gone"] == 4
    before.rebuild("buy")
    before.close()
    left = [path.read_bytes() for path in (world.lake.root.parent / "before").iterdir()]
    assert not any(b"soon-gone" in content for content in left)


def test_commits_that_were_cleaned_away_are_gaps(world: World) -> None:
    place = world.lake.location("buy", CURATED)
    grow(world, 4, "web")
    DeltaTable(place.uri).create_checkpoint()
    newest = DeltaTable(place.uri).version()
    for commit in Path(place.uri, "_delta_log").glob("*.json"):
        if int(commit.name[:20]) < newest:
            commit.unlink()
    grow(world, 1, "web")
    lineage = fresh(world)
    recorded = [
        one
        for one in world.system[DATASET]
        if (one["compartment"], one["table"]) == ("buy", CURATED) and one["version"] < newest
    ]
    there = DeltaTable(place.uri).to_pyarrow_table(columns=["source"])["source"].to_pylist()

    assert lineage.impact("source:web").rows[f"buy:{CURATED}"][0] == there.count("web")
    for one in recorded:
        gap = f"buy:{CURATED} version {one['version']} cannot be read any more"
        assert lineage.dataset_rows(one["dsv_id"]).gaps == (gap,)
        assert gap in lineage.trace("source:web").gaps


def test_a_table_made_anew_is_read_anew(world: World) -> None:
    lineage = Lineage(world.lake)
    grow(world, 2, "old")
    before = lineage.impact("licence:MIT").rows
    shutil.rmtree(world.lake.location("buy", CURATED).uri)

    assert f"buy:{CURATED}" in before
    assert f"buy:{CURATED}" not in lineage.impact("licence:MIT").rows
    for _ in range(3):
        grow(world, 2, "new")
    assert lineage.impact("licence:MIT").rows[f"buy:{CURATED}"] == (6, 6)
    assert lineage.impact("source:new").as_json() == fresh(world).impact("source:new").as_json()


def test_a_question_amid_a_long_answer(world: World) -> None:
    """Who reads a long list slowly keeps what he began with; others go on."""
    lineage = Lineage(world.lake)
    expected = [name for _, name in lineage.list_outputs()]
    slow = lineage.list_outputs()
    first = next(slow)[1]
    grow(world, 2, "web")

    assert lineage.impact("licence:MIT").outputs.num >= 0
    assert [first, *(name for _, name in slow)] == expected


def test_the_index_and_the_fingerprint_need_no_numpy(world: World) -> None:
    ask = (
        "import sys; from pathlib import Path\n"
        "sys.modules['numpy'] = None\n"
        "from halocline_governance.lake import Lake\n"
        "from halocline_governance.lineage import Lineage\n"
        "lineage = Lineage(Lake(Path(sys.argv[1])), folder=Path(sys.argv[2]))\n"
        "lineage.impact('licence:MIT')\n"
        f"print(*lineage.fingerprint_of('buy', {CURATED!r}, 0))\n"
    )
    folder = world.lake.root.parent / "bare"
    done = subprocess.run(
        [sys.executable, "-c", ask, str(world.lake.root), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )

    assert done.stdout.split()[1] == fresh(world).fingerprint_of("buy", CURATED, 0)[1]
