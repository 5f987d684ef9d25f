"""Fingerprints follow their table: only what is new is read, whatever happens, and nothing stays of
text that is gone; an answer that they could not be held against is unscanned."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from halocline_governance import keys
from halocline_governance.detect import Detector
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.segregation import FingerprintIndex, SegregationDetector
from halocline_governance.erasure.finding import CURATED, Selection
from halocline_governance.erasure.removal import remove, sweep
from halocline_governance.errors import HaloclineError, Refused, StorageUnavailable
from halocline_governance.identity import Issuer
from halocline_governance.label import Label, parse_compact
from halocline_infra import barrier, fingerprinting
from halocline_infra.barrier import Barrier
from halocline_infra.cli import app
from halocline_infra.fingerprinting import Reading, Refreshed, refresh
from tests.governance.erasure_world import World
from tests.governance.segregation_world import KEY, prose

LOW, HIGH = parse_compact("confidential sides=buy"), parse_compact("restricted sides=buy")
SELL = parse_compact("restricted sides=sell")
ROW: dict[str, Any] = {
    "source": "s", "licence": "MIT", "language": "en", "subject_keys": [], "num_pii": 0,
    "content_sha256": "0" * 64, "recipe": "r", "run_id": "t", "external_id": "1",
}  # fmt: skip


class Desk:
    """A compartment with one table and its fingerprints."""

    def __init__(self, root: Path, rng: Any) -> None:
        self.world = World(root, rng)
        self.folder = root / "lake" / "buy" / "_checks" / "fingerprints"
        self.lake = self.world.lake
        for label in (LOW, HIGH):
            self.lake.intern(label)

    def put(self, *numbers: int, label: Label = LOW) -> None:
        """One commit with a document for each number."""
        rows = [
            {**ROW, "row_uid": n, "label_id": label.label_id, "text": prose(n, 60)} for n in numbers
        ]
        self.world.write("buy", CURATED, rows)

    def erase(self, *numbers: int) -> None:
        place = self.lake.location("buy", CURATED)
        chosen = Selection("buy", CURATED, "row_uid", frozenset(numbers), len(numbers))
        remove(place, [chosen], "e-0123456789")
        sweep(place)

    def reading(self, *labels: Label) -> Reading:
        version = self.lake.version("buy", CURATED)
        assert version is not None
        ids = [label.label_id for label in labels] or None
        return Reading(self.lake.location("buy", CURATED), version, ids)

    def refresh(self, *labels: Label, names: Any = None) -> Refreshed:
        return refresh(self.folder, "buy", self.reading(*labels), KEY, names)

    def barrier(self, steady: Callable[[], float] = time.monotonic) -> Barrier:
        return Barrier(self.lake, CURATED, self._prints, KEY, steady)

    def _prints(self, compartment: str) -> Path:
        return self.folder if compartment == "buy" else self.folder / compartment

    def known(self, *numbers: int) -> list[bool]:
        detector = SegregationDetector([FingerprintIndex.load(self.folder, KEY)], KEY)
        return [bool(detector.scan(prose(n, 60)).findings) for n in numbers]

    def tags(self) -> set[int]:
        return tags_in(self.folder)


@pytest.fixture
def desk(tmp_path: Path, rng: Any) -> Desk:
    return Desk(tmp_path, rng)


def tags_in(folder: Path) -> set[int]:
    index = FingerprintIndex.load(folder, KEY)
    return {tag for run in index.runs for tag in run.prints.tolist()}


def built(*numbers: int) -> set[int]:
    index = FingerprintIndex.build("buy", [prose(n, 60) for n in numbers], KEY)
    return {tag for run in index.runs for tag in run.prints.tolist()}


class Killed(BaseException):
    """What a test raises in the place of a kill."""


class Fuse:
    """Raises when the process touches the files of a folder for the n-th time."""

    def __init__(self) -> None:
        self.folder, self.left, self.count = "", -1, 0
        sys.addaudithook(self._seen)

    def _seen(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            return
        if not self.folder or self.folder not in str(arguments[0]):
            return
        self.count += 1
        if self.count == self.left:
            raise Killed

    @contextmanager
    def set(self, folder: Path, left: int) -> Generator[None]:
        self.folder, self.left, self.count = str(folder), left, 0
        try:
            yield
        except Killed:
            pass
        finally:
            self.folder = ""


FUSE = Fuse()


def spoil_texts(file: Path) -> None:
    """Overwrite the texts' bytes in a Parquet file: whoever reads them fails."""
    group = pq.ParquetFile(file).metadata.row_group(0)
    column = next(group.column(n) for n in range(99) if group.column(n).path_in_schema == "text")
    start = column.dictionary_page_offset or column.data_page_offset
    with file.open("r+b") as handle:
        handle.seek(start)
        handle.write(b"\xff" * column.total_compressed_size)


def test_texts_that_are_known_are_not_read_again(desk: Desk) -> None:
    desk.put(1, 2)
    first = desk.refresh(LOW, names=["Project Heron"])
    for file in Path(desk.lake.location("buy", CURATED).uri).glob("*.parquet"):
        spoil_texts(file)
    desk.put(3)

    second, third = desk.refresh(LOW), desk.refresh(LOW)

    assert (first.files_read, second.files_read, third.files_read) == (1, 1, 0)
    assert (second.files_kept, third.files_kept) == (1, 2)
    assert not any(one.rebuilt for one in (first, second, third))
    assert desk.tags() == built(1, 2, 3)
    assert [one.name for one in FingerprintIndex.load(desk.folder, KEY).names] == ["Project Heron"]
    shutil.rmtree(desk.folder)
    with pytest.raises(StorageUnavailable):
        desk.refresh(LOW)


def test_nothing_stays_of_what_was_erased(desk: Desk) -> None:
    desk.put(1, 2)
    desk.put(3)
    desk.refresh(LOW, names=["Project Heron"])
    desk.erase(2)

    again = desk.refresh(LOW)

    assert again.rebuilt
    assert desk.tags() == built(1, 3)
    assert desk.known(1, 2, 3) == [True, False, True]
    assert [one.name for one in FingerprintIndex.load(desk.folder, KEY).names] == ["Project Heron"]
    assert not desk.folder.with_name("fingerprints.draft").exists()


def test_rows_of_a_label_that_is_granted_later_are_read_then(desk: Desk) -> None:
    desk.put(1)
    desk.put(2, label=HIGH)
    few = desk.refresh(LOW)
    desk.put(3, label=HIGH)

    assert (few.left_out, desk.tags()) == (1, built(1))
    assert desk.barrier().unready() == {"buy": barrier.BEHIND}
    more = desk.refresh(LOW, HIGH)
    assert (more.files_read, more.files_kept, more.left_out) == (2, 1, 0)
    assert desk.tags() == built(1, 2, 3)
    assert desk.barrier().unready() == {}
    desk.put(4, label=HIGH)
    assert desk.refresh(LOW).left_out == 3
    assert desk.refresh(LOW, HIGH).left_out == 0
    assert desk.tags() == built(1, 2, 3, 4)


@pytest.mark.parametrize("erased", [False, True])
def test_a_kill_at_any_point_leaves_what_the_next_run_ends(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, erased: bool, scale: Any
) -> None:
    """In small steps; before each the fingerprints are the old ones or grown, never less, and the
    gate does not take them for whole; what is erased is gone when a run has ended."""
    monkeypatch.setattr(fingerprinting, "_STEP_BYTES", 1)
    desk.put(1, 2)
    desk.refresh(LOW, names=["Project Heron"])
    if erased:
        desk.erase(2)
    desk.put(3)
    desk.put(4)
    kept = tmp_path / "kept"
    shutil.copytree(desk.folder, kept)
    whole = built(1, 3, 4) if erased else built(1, 2, 3, 4)
    checks = desk.folder.parent
    stride = scale(6, 1)
    kills = desk.world.rng.randrange(stride)
    while True:
        shutil.rmtree(checks)
        shutil.copytree(kept, desk.folder)
        ended = False
        with FUSE.set(checks, kills + 1):  # the files touched before it
            desk.refresh(LOW)
            ended = True
        assert desk.tags() >= built(1)
        if desk.tags() != whole:
            assert desk.barrier().unready() == {"buy": barrier.BEHIND}
        if ended:
            break
        kills += stride
        if desk.world.rng.random() < 0.5:  # a second kill, somewhere in the run that goes on
            with FUSE.set(checks, desk.world.rng.randrange(1, 40)):
                desk.refresh(LOW)
        desk.refresh(LOW)
        assert desk.tags() == whole
        assert [one.name for one in FingerprintIndex.load(desk.folder, KEY).names] == [
            "Project Heron"
        ]
        assert sorted(p.name for p in checks.iterdir()) == [".fingerprints.lock", "fingerprints"]
    assert kills > 20


def test_a_draft_that_a_kill_left_does_not_bring_back_what_was_erased_since(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprinting, "_STEP_BYTES", 1)
    for number in (1, 2, 3):
        desk.put(number)
    desk.refresh(LOW)
    desk.erase(1)
    draft = desk.folder.with_name("fingerprints.draft")
    for left in range(1, 200):
        with FUSE.set(desk.folder.parent, left):
            desk.refresh(LOW)
        if draft.joinpath("manifest.json").exists() and built(2) & tags_in(draft):
            break
    assert built(1) & desk.tags()
    desk.erase(2)

    desk.refresh(LOW)

    assert desk.tags() == built(3)


def test_damage_is_mended_when_names_can_be_read_and_told_when_not(desk: Desk) -> None:
    desk.put(1)
    desk.refresh(LOW, names=["Project Heron"])
    (run,) = desk.folder.glob("*.prints")
    run.write_bytes(run.read_bytes()[:-8])
    assert desk.barrier().unready() == {"buy": barrier.DAMAGED}
    assert desk.refresh(LOW).rebuilt
    assert desk.tags() == built(1)
    (desk.folder / "manifest.json").unlink()

    with pytest.raises(Refused, match="damaged"):
        desk.refresh(LOW)
    desk.refresh(LOW, names=["Project Heron"])
    assert desk.barrier().unready() == {}


def test_an_answer_is_unscanned_while_fingerprints_are_missing_or_behind(desk: Desk) -> None:
    """Of a process that goes on: it sees what was fingerprinted and written since."""
    now = [0.0]
    sell, buy = SELL, HIGH
    desk.put(1)
    gate = desk.barrier(lambda: now[0])

    def status(label: Label, number: int) -> str:
        now[0] += barrier.EVERY_S
        return three_faces(gate.for_label(label), prose(number, 60))

    assert status(sell, 1) == f"unscanned {barrier.MISSING}"
    assert status(buy, 1) == "clean"
    desk.refresh(LOW)
    assert (status(sell, 1), status(sell, 2), status(buy, 1)) == ("found", "clean", "clean")
    desk.put(2)
    assert status(sell, 1) == status(sell, 2) == f"unscanned {barrier.BEHIND}"
    desk.refresh(LOW)
    assert (status(sell, 2), status(sell, 3)) == ("found", "clean")
    desk.folder.joinpath("manifest.json").write_text("{}")
    assert status(sell, 3) == f"unscanned {barrier.DAMAGED}"


def three_faces(detector: Detector, text: str) -> str:
    """The one answer of a detector's faces."""
    verdict, stream = detector.scan(text), detector.stream()
    settled = stream.feed(text.encode())
    assert stream.finish() == verdict == detector.scan_batch(Texts.of([text])).verdict(0)
    if verdict.status == "unscanned":
        assert settled == 0
        return f"unscanned {verdict.reason}"
    return verdict.status


def test_fingerprints_made_apart_are_merged_and_split(desk: Desk) -> None:
    """As docs/detectors.md says: by parts on several machines, joined; shards answer as one."""
    parts = [FingerprintIndex.build("buy", [prose(n, 60)], KEY) for n in range(4)]
    whole = parts[0].merge(parts[1]).merge(parts[2]).merge(parts[3])
    shards = whole.split(3)
    for one in (SegregationDetector([whole], KEY), SegregationDetector(shards, KEY)):
        assert [one.scan(prose(n, 60)).status for n in range(5)] == ["found"] * 4 + ["clean"]


def test_by_command_as_a_service(desk: Desk, tmp_path: Path) -> None:
    desk.put(1)
    desk.put(2, label=HIGH)
    kept = {name: val for name, val in os.environ.items() if not name.startswith("HALOCLINE_")}
    env = {**kept, "HALOCLINE_HOME": str(tmp_path), "HALOCLINE_POLICY": "embedded"}
    issuer = Issuer(keys.ed25519(tmp_path / "keys" / "identity.key"))
    for name, role, label in (
        ("low", "service", LOW), ("high", "service", HIGH), ("sell", "service", SELL),
    ):  # fmt: skip
        (tmp_path / name).write_text(issuer.issue(name, [role], label))
    (tmp_path / "names.yaml").write_text("names:\n  - Project Heron\n")

    def run(who: str, *words: str) -> Any:
        told = CliRunner().invoke(app, [*words, "--token", str(tmp_path / who), "--json"], env=env)
        return json.loads(told.stdout) if told.exit_code == 0 else told.exception

    print_ = ("checks", "fingerprint", "buy")
    assert isinstance(run("sell", *print_), HaloclineError)
    assert run("high", "checks", "show")["buy"] == barrier.MISSING
    low = run("low", *print_, "--names", str(tmp_path / "names.yaml"))
    assert (low["files_read"], low["rows_left_out"]) == (2, 1)
    assert run("high", "checks", "show")["buy"] == barrier.BEHIND
    high = run("high", *print_)
    assert (high["files_read"], high["files_kept"], high["rows_left_out"]) == (1, 1, 0)
    assert run("high", "checks", "show")["buy"] == "ready"
    assert "buy" not in run("sell", "checks", "show")
    secret = keys.secret(tmp_path / "keys" / "fingerprints.secret")
    index = FingerprintIndex.load(desk.folder, secret)
    detector = SegregationDetector([index], secret)
    assert detector.scan(f"{prose(2, 60)} on project heron").findings == {
        "name:buy": 1, "text:buy": 1,
    }  # fmt: skip
