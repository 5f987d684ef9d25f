"""Answers come while they are waited for, and a command ends whatever a detector does."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from halocline_governance.detect.batch import Texts
from halocline_infra.cli import app
from halocline_infra.commands.detect_options import CLOSED_EXIT, read_by_somebody, write
from halocline_infra.detecting.answers import Answers
from halocline_infra.detecting.asking import through
from halocline_infra.detecting.batches import FAST, SLOW, Batch, Gathering, Pace
from halocline_infra.detecting.forms import Reading
from halocline_infra.detecting.inputs import batches
from halocline_infra.detecting.readers import read


@pytest.mark.parametrize("form", ["jsonl", "lines", "csv", "parquet"])
def test_the_first_answer_needs_few_texts_and_all_come_once(tmp_path: Path, form: str) -> None:
    count = 5000
    texts = [f"text {at} {'x' * 100}" for at in range(count)]
    file = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(pa.table({"text": texts}), file)
    elif form == "jsonl":
        file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    else:
        file.write_text("".join(f"{text}\n" for text in (["text", *texts][form == "lines" :])))
    first, *rest = batches([str(file)], Reading(form))
    assert len(first) <= 16
    assert 4 <= len(rest) < 40
    told = [batch.texts.text(row) for batch in (first, *rest) for row in range(len(batch))]
    assert told == texts


def test_batches_grow_while_they_are_quick_and_shrink_when_late() -> None:
    for most in (FAST, SLOW):
        pace = Pace(most)
        for _ in range(9):
            before = pace.now
            pace.took(0.001)
            assert pace.now.num_bytes >= before.num_bytes
        assert pace.now == most
        pace.took(0.3)
        assert pace.now == most
        pace.took(3.0)
        assert pace.now.num_bytes == most.num_bytes // 4
        for _ in range(20):
            pace.took(100.0)
        assert (pace.now.num_bytes, pace.now.num_rows) == (1 << 14, 16)


def test_who_writes_slowly_but_steadily_gets_answers() -> None:
    """A line each millisecond leaves no pause to answer in."""
    mine, theirs = os.pipe()
    done = threading.Event()

    def feed() -> None:
        with os.fdopen(theirs, "wb", buffering=0) as out:
            for _ in itertools.takewhile(lambda _: not done.is_set(), range(20_000)):
                out.write(b'{"text":"x"}\n')
                time.sleep(0.001)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        rows = Gathering("-", Pace(FAST, FAST))
        batch = next(read(mine, "jsonl", Reading(), rows))
        assert 0 < len(batch) < 10_000
    finally:
        done.set()
        thread.join()
        os.close(mine)


HANG = """
import re, sys
from halocline_governance.detect.batch import Texts
from halocline_infra.detecting.batches import Batch
from halocline_infra.detecting.watching import watched

with watched(0.4) as watch:
    watch.begin(Batch("first", [1], [1], Texts.of(["jo@example.org"])))
    watch.end()
    watch.begin(Batch("a\\nb.jsonl", [None] * 2, [7, 9], Texts.of(["jo@example.org"] * 2)))
    print("begun", flush=True)
    re.match("(a|aa)+$", "a" * 99 + "b")
"""


def test_a_detector_that_hangs_ends_the_command_and_says_where() -> None:
    done = subprocess.run([sys.executable, "-c", HANG], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9
    assert done.stdout == "begun\n"
    assert "a\\nb.jsonl, lines 7 to 9" in done.stderr
    assert "--timeout" in done.stderr
    assert "example.org" not in done.stderr


def a_batch(at: int) -> Batch:
    return Batch("a", [at], [at], Texts.of(["x"]))


def test_a_pause_between_batches_is_no_hang() -> None:
    def slowly() -> Generator[Batch]:
        yield a_batch(1)
        time.sleep(0.8)
        yield a_batch(2)

    seen: list[int] = []
    code = through(slowly(), [], lambda found: seen.append(found.batch.places[0]), patience_s=0.2)
    assert (code, seen) == (0, [1, 2])


class Terminal(io.StringIO):
    """Standard error on a terminal, which standard output goes to as well."""

    def isatty(self) -> bool:
        return True


def test_answers_on_a_terminal_have_lines_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    def take(_: Answers) -> None:
        terminal.write("{}\n")

    through(map(a_batch, range(4)), [], take)
    erase = "\r\x1b[K"
    between = [f"\rscanned {n} texts, 0.0 MB{erase}" for n in (1, 2, 3, 4)]
    assert terminal.getvalue() == "{}\n" + "{}\n".join(between)


@contextmanager
def output(monkeypatch: pytest.MonkeyPatch, handle: int) -> Generator[None]:
    with os.fdopen(handle, "w") as out, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        yield


def test_once_nobody_reads_on_a_command_ends_as_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with output(monkeypatch, write_end):
        with pytest.raises(typer.Exit) as ended, read_by_somebody():
            write(b"x" * 100)
        assert ended.value.exit_code == CLOSED_EXIT == 128 + 13
        sys.stdout.write("more, which is not tried again")


def test_a_full_disk_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with output(monkeypatch, os.open("/dev/full", os.O_WRONLY)):
        with pytest.raises(OSError, match="No space left"), read_by_somebody():
            sys.stdout.write("x")
        sys.stdout.flush()


@pytest.mark.parametrize("command", ["pii scan", "pii scrub", "detect"])
def test_help_teaches(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"})
    told = re.sub(r"\s+", " ", done.stdout)
    assert f"halocline {command} " in told.partition("Example")[2]
    for option in ("--kinds", "--engine", "--form", "--encoding", "--text-column", "--id-column"):
        assert option in told
