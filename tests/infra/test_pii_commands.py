"""`halocline pii`: what is found stands where it is said to, whatever the file is and holds."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from halocline_governance.errors import Refused
from halocline_infra.cli import app
from halocline_infra.detecting.chunks import chunks
from halocline_infra.detecting.lines import lines

HALOCLINE = Path(sys.executable).parent / "halocline"
VALUES = {
    "jo.doe@example.org": "email",
    "4111 1111 1111 1111": "credit_card",
    "DE89 3704 0044 0532 0130 00": "iban",
    "(212) 555-0123": "phone",
}
AROUND = [
    "écrire à ", "\U0001f468\u200d\U0001f469\u200d\U0001f467 ", "e\u0301te\u0301 ",
    "\u202eabc\u202c ", "\u05e9\u05dc\u05d5\u05dd ", "\u4f60\u597d ", "a\x00b ", "\t\r\n",
    "plain words ", "",
]  # fmt: skip
Row = dict[str, Any]


def scan(*arguments: object) -> tuple[int, list[Row]]:
    done = CliRunner().invoke(app, ["pii", "scan", *map(str, arguments), "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def planted(rng: random.Random, count: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """Texts, and the kind and value of each thing in them, in order."""
    texts: list[tuple[str, list[tuple[str, str]]]] = []
    for _ in range(count):
        values = rng.sample(list(VALUES), rng.randint(0, 3))
        parts = [f"{rng.choice(AROUND)}\n{value}\n" for value in values]
        texts.append(("".join(parts) + rng.choice(AROUND), [(VALUES[v], v) for v in values]))
    return texts


def jsonl(path: Path, texts: Sequence[str]) -> Path:
    rows = [{"id": f"row-{at}", "text": text} for at, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_spans_are_characters_of_the_text_in_the_order_of_the_input(
    tmp_path: Path, rng: random.Random
) -> None:
    texts = planted(rng, 300)
    file = jsonl(tmp_path / "a.jsonl", [text for text, _ in texts])
    code, rows = scan(file, "--kinds", "structured")
    assert code == 0
    assert [row["id"] for row in rows] == [f"row-{at}" for at in range(len(texts))]
    for row, (text, values) in zip(rows, texts, strict=True):
        assert set(row) == {"id", "spans"}
        found = [(s["kind"], text[s["start"] : s["end"]]) for s in row["spans"]]
        assert found == values
        assert all(set(s) == {"kind", "start", "end", "score"} for s in row["spans"])


def test_every_form_of_a_file_gives_the_same_spans(tmp_path: Path, rng: random.Random) -> None:
    texts = [text for text, _ in planted(rng, 40)]
    ids = [f"row-{at}" for at in range(len(texts))]
    pq.write_table(pa.table({"id": ids, "text": texts}), tmp_path / "a.parquet", row_group_size=7)
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *zip(ids, texts, strict=True)])
    (tmp_path / "many").mkdir()
    for ident, text in zip(ids, texts, strict=True):
        (tmp_path / "many" / f"{ident}.txt").write_bytes(text.encode())
    code, expected = scan(jsonl(tmp_path / "a.jsonl", texts), "--kinds", "pii")
    assert scan(tmp_path / "a.parquet", "--kinds", "pii") == (code, expected)
    assert scan(tmp_path / "a.csv", "--kinds", "pii") == (code, expected)
    _, rows = scan(tmp_path / "many", "--kinds", "pii")
    by_id = {Path(row["id"]).stem: row["spans"] for row in rows}
    assert by_id == {row["id"]: row["spans"] for row in expected}


MALFORMED = {
    b"not json jo@example.org": (None, "malformed: no JSON"),
    b"[" * 100_000: (None, "malformed: no JSON"),
    b'["jo@example.org"]': (None, "malformed: no object"),
    b'{"id":"a"}': ("a", "malformed: no text"),
    b'{"id":"a","text":null}': ("a", "malformed: text is no string"),
    b'{"id":"a","text":["x"]}': ("a", "malformed: text is no string"),
    b'{"id":"a","text":"x","text":"jo@example.org"}': ("a", "malformed: a key twice"),
    b'{"id":"a","id":"b","text":"x"}': (None, "malformed: a key twice"),
    b'{"id":"a","text":"x","n":NaN}': ("a", "malformed: NaN"),
    b'{"id":"a","text":"\xff\xfe"}': ("a", "undecodable: not UTF-8; give --encoding"),
    b'{"id":"\xff","text":"x"}': (None, "undecodable: not UTF-8; give --encoding"),
    b'{"id":"a","text":"\\ud800"}': ("a", "undecodable: a lone surrogate"),
    b'{"id":"a","text":"cut off': (None, "malformed: no JSON"),
    b'{"id":' + b"9" * 5000 + b',"text":"x"}': (None, "malformed: no JSON"),
}


def test_a_line_that_is_none_is_unscanned_and_the_others_are_not(tmp_path: Path) -> None:
    good = b'{"id":"good","text":"jo@example.org"}'
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\n".join(part for line in MALFORMED for part in (line, good)))
    code, rows = scan(file, "--kinds", "pii")
    assert code == 3
    for number, (ident, reason) in enumerate(MALFORMED.values()):
        expected: Row = {"id": ident, "spans": [], "unscanned": reason}
        if ident is None:
            expected["line"] = 2 * number + 1
        assert rows[2 * number] == expected
    assert all(row["spans"] for row in rows[1::2])
    assert len(rows) == 2 * len(MALFORMED)


def test_ids_are_told_as_they_came(tmp_path: Path) -> None:
    ids: list[Any] = ["é", "", 7, -1.5, "\ud83d", "a\nb", None, True, {"x": 1}]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps({"id": i, "text": "x"}) + "\n" for i in ids))
    _, rows = scan(file, "--kinds", "pii")
    assert [row["id"] for row in rows] == [*ids[:6], None, None, None]
    assert [row.get("line") for row in rows[6:]] == [7, 8, 9]


@pytest.mark.parametrize("seed_of_cut", range(3))
def test_lines_come_whole_however_a_pipe_delivers_them(
    rng: random.Random, seed_of_cut: int
) -> None:
    data = b"".join(rng.choice([b"\n", b"abc", b"\r\n", b"x" * 9000, b"\xff"]) for _ in range(400))
    read, write = os.pipe()

    def feed() -> None:
        rest = data
        while rest:
            cut = rng.randint(1, 20_000)
            os.write(write, rest[:cut])
            rest = rest[cut:]
        os.close(write)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        got = [line for block in lines(chunks(read)) for line in block]
    finally:
        thread.join()
        os.close(read)
    expected = data.split(b"\n")
    assert got == (expected if expected[-1] else expected[:-1])


def test_a_writer_that_waits_for_an_answer_gets_it() -> None:
    waiting = subprocess.Popen(
        [HALOCLINE, "pii", "scan", "-", "--kinds", "structured", "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    for number in range(3):
        waiting.stdin.write(b'{"id":%d,"text":"jo@example.org"}\n' % number)
        waiting.stdin.flush()
        assert json.loads(waiting.stdout.readline())["id"] == number
    _, told = waiting.communicate()
    assert (waiting.returncode, told) == (0, b"")


def test_a_reader_that_went_away_is_no_accident(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", ["jo@example.org"] * 10)
    read, write = os.pipe()
    os.close(read)
    command = [HALOCLINE, "pii", "scan", file, "--kinds", "pii", "--json"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_memory_is_bounded_whatever_the_file(
    tmp_path: Path, scale: Callable[[object, object], Any]
) -> None:
    size = scale(64_000_000, 1_000_000_000)
    file, line = tmp_path / "a.jsonl", b'{"id":"a","text":"%s jo@example.org"}\n' % (b"word " * 800)
    with file.open("wb") as out:
        for _ in range(size // len(line)):
            out.write(line)
    (tmp_path / "one.jsonl").write_bytes(line * 10)
    code = (
        "import resource, sys; from halocline_infra.cli import main\n"
        "for file in sys.argv[1:]:\n"
        "    sys.argv = ['halocline', 'pii', 'scan', file, '--kinds', 'email', '--json']\n"
        "    try: main()\n"
        "    except SystemExit as done: assert done.code == 0\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    with (tmp_path / "out").open("wb") as out:
        command = [sys.executable, "-c", code, tmp_path / "one.jsonl", file]
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stderr.split())
    assert after - before < 120_000
    assert (tmp_path / "out").read_bytes().count(b"\n") == size // len(line) + 10


@pytest.mark.parametrize(
    "arguments",
    [
        ["none.jsonl"],
        ["a.bin"],
        ["a.jsonl", "--kinds", "nope"],
        ["a.jsonl", "--kinds", ","],
        ["a.jsonl", "--kinds", "toxicity"],
        ["a.jsonl", "--kinds", "segregation"],
        ["a.jsonl", "--engine", "nope"],
        ["a.jsonl", "--engine", "re2", "--kinds", "names"],
        ["a.jsonl", "--form", "nope"],
        ["a.csv"],
        ["a.parquet", "--text-column", "id"],
    ],
)
def test_what_is_refused_is_told_without_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    jsonl(tmp_path / "a.jsonl", ["jo@example.org"])
    (tmp_path / "a.bin").write_bytes(b"jo@example.org")
    (tmp_path / "a.csv").write_text("jo@example.org,ann@example.org\n1,2\n")
    pq.write_table(pa.table({"id": [1], "text": ["jo@example.org"]}), "a.parquet")
    with pytest.raises(Refused) as refused:
        scan(*arguments)
    assert "example.org" not in str(refused.value)


def test_files_that_cannot_be_read_are_rows_with_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "1.txt").write_bytes(b"jo@example.org")
    (folder / "2.bin").write_bytes(b"jo@example.org")
    (folder / "3.txt").write_bytes(b"\xff jo@example.org")
    (folder / "4.parquet").write_bytes(b"jo@example.org")
    (folder / "5.csv").write_bytes(b"no,column\n")
    (folder / ".hidden.txt").write_bytes(b"jo@example.org")
    (folder / "6.csv").write_bytes(b'id,text\n1,jo@example.org\n2\n3,"\xff"\n')
    (folder / "7.jsonl").symlink_to(folder / "nowhere")
    code, rows = scan(folder, "--kinds", "pii")
    assert code == 3
    told = {(Path(str(row["id"])).name, len(row["spans"])): row.get("unscanned") for row in rows}
    assert told == {
        ("1.txt", 1): None,
        ("2.bin", 0): "unreadable: not a form that is known",
        ("3.txt", 0): "undecodable: not UTF-8; give --encoding",
        ("4.parquet", 0): "unreadable: ArrowInvalid",
        ("5.csv", 0): "unreadable: no column of that name holds text",
        ("1", 1): None,
        ("2", 0): "malformed: no text",
        ("3", 0): "undecodable: not UTF-8; give --encoding",
        ("7.jsonl", 0): "unreadable: No such file or directory",
    }


def test_for_people_there_is_a_table_that_shows_no_value(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", ["mail jo.doe@example.org", "jo.doe@example.org", "x"])
    done = CliRunner().invoke(app, ["pii", "scan", str(file), "--kinds", "pii"])
    assert done.exit_code == 0
    assert "doe" not in done.output
    assert "••.•••@" in done.output
    assert "3 texts" in done.output


def test_a_hundred_megabytes_in_one_line_end_in_a_line(
    tmp_path: Path, scale: Callable[[object, object], Any]
) -> None:
    size = scale(3_000_000, 100_000_000)
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id":"a","text":"jo@example.org ' + b"?" * size + b' ann@example.org"}')
    code, rows = scan(file, "--kinds", "email")
    assert code == 0
    assert [span["start"] for span in rows[0]["spans"]] == [0, size + 16]


def test_many_empty_texts_are_that_many_lines(
    tmp_path: Path, scale: Callable[[object, object], Any]
) -> None:
    count = scale(70_000, 1_000_000)
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id":"a","text":""}\n' * count)
    done = CliRunner().invoke(app, ["pii", "scan", str(file), "--kinds", "pii", "--json"])
    assert done.exit_code == 0
    assert done.stdout == '{"id":"a","spans":[]}\n' * count


def test_kinds_are_all_told() -> None:
    done = CliRunner().invoke(app, ["pii", "kinds", "--json"])
    told = json.loads(done.stdout)
    assert {"email", "phone", "credit_card", "iban"} <= {row["kind"] for row in told}
    for row in told:
        assert all(row[name] for name in ("what", "check", "source"))
