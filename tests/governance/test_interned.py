"""Interned labels: seen at once, believed only when they are what their name says."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from halocline_governance.label import Label
from halocline_governance.lake import Lake

BUY = Label("restricted", ("buy",))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def many(count: int) -> list[Label]:
    return [Label("internal", ("buy",), issuers=(f"issuer-{n}",)) for n in range(count)]


def folder(lake: Lake) -> Path:
    return lake.root / "buy" / "_labels"


def settle(lake: Lake) -> None:
    """Wait until the folder's listing is remembered."""
    time.sleep(0.15)
    assert lake.labels("buy") is lake.labels("buy")


def test_every_change_is_seen_on_the_next_call(lake: Lake) -> None:
    there: set[str] = set()
    for label in many(300):
        there.add(lake.intern(label))
        assert lake.labels("buy").keys() == there
    for label_id in sorted(there)[:150]:
        (folder(lake) / label_id).unlink()
        there.remove(label_id)
        assert lake.labels("buy").keys() == there


def test_changes_in_one_tick_of_the_clock_are_told_apart(lake: Lake) -> None:
    """Even when the second change leaves the very time that the first one left."""
    lake.intern(BUY)
    stamp = time.time_ns()
    os.utime(folder(lake), ns=(stamp, stamp))
    assert lake.labels("buy").keys() == {BUY.label_id}
    later = many(1)[0]
    lake.intern(later)
    os.utime(folder(lake), ns=(stamp, stamp))

    assert later.label_id in lake.labels("buy")


def test_a_replaced_folder_is_seen(lake: Lake, tmp_path: Path) -> None:
    lake.intern(BUY)
    settle(lake)
    shutil.rmtree(folder(lake))
    assert lake.labels("buy") == {}

    other = many(1)[0]
    lake.intern(other)
    assert lake.labels("buy") == {other.label_id: other}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"null",
        b'{"sensitivity":"public"}',
        Label("public").canonical(),
        BUY.canonical() + b"\n",
        json.dumps(BUY.as_json()).encode(),
        b'{"sensitivity":"public",' + BUY.canonical()[1:],
        b'{"sides":["buy"],' + BUY.canonical()[1:],
        b"\xff" + BUY.canonical(),
    ],
)
def test_a_file_that_is_not_the_label_it_is_named_after_is_left_out(
    lake: Lake, content: bytes
) -> None:
    other = many(1)[0]
    lake.intern(other)
    (folder(lake) / BUY.label_id).write_bytes(content)

    assert lake.labels("buy") == {other.label_id: other}


def test_names_that_are_no_label_ids_links_and_pipes_are_left_out(
    lake: Lake, tmp_path: Path
) -> None:
    lake.intern(BUY)
    linked, piped = many(2)
    (tmp_path / "elsewhere").write_bytes(linked.canonical())
    (folder(lake) / linked.label_id).symlink_to(tmp_path / "elsewhere")
    os.mkfifo(folder(lake) / piped.label_id)
    (folder(lake) / ".draft").write_bytes(linked.canonical())
    (folder(lake) / "notes").mkdir()

    assert lake.labels("buy") == {BUY.label_id: BUY}


def test_an_edited_file_stays_hidden_in_a_fresh_process(lake: Lake) -> None:
    lake.intern(BUY)
    (folder(lake) / BUY.label_id).write_bytes(Label("public").canonical())

    assert Lake(lake.root).labels("buy") == {}
    assert pickle.loads(pickle.dumps(lake)).labels("buy") == {}


def test_a_spoilt_file_is_mended_by_interning_or_in_place(lake: Lake) -> None:
    other = many(1)[0]
    lake.intern(other)
    path = folder(lake) / BUY.label_id
    mends: list[Callable[[], object]] = [
        lambda: lake.intern(BUY),
        lambda: path.write_bytes(BUY.canonical()),
    ]
    for mend in mends:
        path.write_bytes(b"{}")
        assert lake.labels("buy").keys() == {other.label_id}
        settle(lake)
        mend()
        assert lake.labels("buy") == {other.label_id: other, BUY.label_id: BUY}
        path.unlink()
        assert lake.labels("buy").keys() == {other.label_id}


def test_lakes_with_one_root_are_equal_and_show_nothing_more(lake: Lake) -> None:
    lake.intern(BUY)
    lake.labels("buy")

    assert lake == Lake(lake.root)
    assert hash(lake) == hash(Lake(lake.root))
    assert repr(lake) == repr(Lake(lake.root))


def test_threads_see_every_label_that_was_there_before_they_asked(
    lake: Lake, scale: Callable[[int, int], int]
) -> None:
    labels = many(scale(120, 2000))
    done: list[str] = []
    misses: list[str] = []
    stopped = threading.Event()

    def look() -> None:
        while not stopped.is_set():
            before = list(done)
            misses.extend(set(before) - lake.labels("buy").keys())

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for label in labels:
        done.append(lake.intern(label))
    stopped.set()
    for reader in readers:
        reader.join()
    assert misses == []
    assert len(lake.labels("buy")) == len(labels)


def test_children_forked_while_threads_read_read_too(lake: Lake) -> None:
    """No lock that a thread of the parent's held is held for ever in a child."""
    ids = {lake.intern(label) for label in many(50)}
    stopped = threading.Event()

    def look() -> None:
        while not stopped.is_set():
            lake.intern(Label("internal", ("buy",), issuers=("issuer-1",)))
            (folder(lake) / ".draft").touch()
            (folder(lake) / ".draft").unlink(missing_ok=True)
            lake.labels("buy")

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    codes = [_forked(lambda: set(lake.labels("buy")) == ids) for _ in range(20)]
    stopped.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 20


def _forked(is_so: Callable[[], bool]) -> int:
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if is_so() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_two_thousand_labels_are_looked_up_again_in_a_millisecond(lake: Lake) -> None:
    folder(lake).mkdir(parents=True)
    for label in many(2000):
        (folder(lake) / label.label_id).write_bytes(label.canonical())
    lake.labels("buy")
    settle(lake)

    began = time.perf_counter()
    for _ in range(100):
        assert len(lake.labels("buy")) == 2000
    assert time.perf_counter() - began < 0.1


def test_a_location_names_a_local_table_and_holds_no_options(lake: Lake) -> None:
    place = lake.location("buy", "curated.documents")

    assert place.uri == place.spark_uri == str(lake.path("buy", "curated.documents"))
    assert not place.storage_options
    assert not place.spark_options


def test_a_folder_s_own_errors_are_told_as_they_are(lake: Lake) -> None:
    with (
        pytest.raises(FileNotFoundError, match="gone"),
        lake.location("buy", "curated.documents").reached(),
    ):
        raise FileNotFoundError("gone")
