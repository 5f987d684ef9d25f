"""What `halocline pii` and `detect` read: packed, in any encoding, of any form, and never in part
without a word."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from halocline_governance.errors import Refused
from halocline_infra.detecting.asking import PERSONAL, words
from halocline_infra.detecting.chunks import Unreadable, unpacked
from halocline_infra.detecting.encodings import as_utf8
from halocline_infra.detecting.forms import Reading
from halocline_infra.detecting.inputs import batches

Row = tuple[Any, int, str]
TEXTS = ["plain", "é\U0001f600 jo@example.org", "שלום", "a\x00b\r\n", "", "日本", "x" * 5000]


def rows(path: object, **how: Any) -> list[Row]:
    """Id, place and text, or `!` and the reason."""
    found: list[Row] = []
    for batch in batches([str(path)], Reading(**how)):
        for row, (ident, place) in enumerate(zip(batch.ids, batch.places, strict=True)):
            bad = batch.texts.bad.get(row)
            found.append((ident, place, batch.texts.text(row) if bad is None else f"!{bad}"))
    return found


def jsonl(count: int = 60) -> bytes:
    lines = (
        json.dumps({"id": at, "text": TEXTS[at % len(TEXTS)]}, ensure_ascii=False)
        for at in range(count)
    )
    return "\n".join(lines).encode()


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    return out.getvalue().to_pybytes()


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


@pytest.fixture
def plain(tmp_path: Path) -> list[Row]:
    (tmp_path / "plain.jsonl").write_bytes(jsonl())
    return rows(tmp_path / "plain.jsonl")


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_packed_is_read_through(tmp_path: Path, plain: list[Row], suffix: str) -> None:
    pack = PACKERS[suffix]
    first, second = jsonl()[:3000], jsonl()[3000:]
    for name, data in {
        f"one.jsonl{suffix}": pack(jsonl()),
        f"two.JSONL{suffix}": pack(first) + pack(second),
        "unsaid.jsonl": pack(jsonl()),
    }.items():
        (tmp_path / name).write_bytes(data)
        assert rows(tmp_path / name) == plain
    (tmp_path / f"not.jsonl{suffix}").write_bytes(jsonl())
    assert rows(tmp_path / f"not.jsonl{suffix}") == plain


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_cut_off_or_damaged_says_so_behind_what_could_be_read(
    tmp_path: Path, plain: list[Row], suffix: str, rng: random.Random
) -> None:
    packed = PACKERS[suffix](jsonl())
    file = tmp_path / f"a.jsonl{suffix}"
    for _ in range(20):
        file.write_bytes(packed[: rng.randrange(10, len(packed))])
        *good, last = rows(file)
        assert good == plain[: len(good)]
        assert last[0] == str(file)
        assert last[2].startswith("!unreadable: ")
    file.write_bytes(packed + b"more of it")
    assert rows(file)[-1][2].endswith(" is damaged")


def test_a_gzip_that_breaks_off_keeps_the_lines_before(tmp_path: Path, rng: random.Random) -> None:
    lines = [json.dumps({"id": at, "text": rng.randbytes(300).hex()}) for at in range(900)]
    packed = gzip.compress("\n".join(lines).encode())
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(packed[: len(packed) // 2])
    *good, last = rows(file)
    assert 350 < len(good) < 550
    assert last[2] == "!unreadable: gzip is cut off"
    table = gzip.compress(("text\n" + "\n".join(line[:50] for line in lines)).encode())
    (tmp_path / "a.csv.gz").write_bytes(table[: len(table) // 2])
    assert len(rows(tmp_path / "a.csv.gz")) > 300


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_much_packed_into_little_comes_in_pieces(suffix: str) -> None:
    packed = PACKERS[suffix](bytes(50_000_000))
    sizes = [len(part) for part in unpacked(iter([packed]))]
    assert (sum(sizes), max(sizes) <= 4 << 20) == (50_000_000, True)


MARKED = ["utf-8-sig", "utf-16", "utf-32"]


def marked(text: str, encoding: str) -> bytes:
    if encoding in ("utf-16-be", "utf-32-be"):
        return f"\ufeff{text}".encode(encoding)
    return text.encode(encoding)


@pytest.mark.parametrize("encoding", [*MARKED, "utf-16-be", "utf-32-be"])
def test_a_byte_order_mark_is_followed_however_its_bytes_come(
    tmp_path: Path, plain: list[Row], encoding: str
) -> None:
    data = marked(jsonl().decode(), encoding)
    (tmp_path / "a.jsonl").write_bytes(data)
    assert rows(tmp_path / "a.jsonl") == plain
    assert rows(tmp_path / "a.jsonl", encoding=encoding) == plain
    pieces = [part for byte in data[:9000] for part in (b"", bytes([byte]))]
    assert (
        b"".join(as_utf8(iter(pieces)))
        == data[:9000].decode(encoding, "ignore").lstrip("\ufeff").encode()
    )
    (tmp_path / "a.txt").write_bytes(marked(TEXTS[1], encoding))
    assert rows(tmp_path / "a.txt")[0][2] == TEXTS[1]


def test_what_is_not_utf8_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes('{"id":1,"text":"café"}\n{"id":2,"text":"x"}'.encode("latin-1"))
    assert rows(file) == [(1, 1, "!undecodable: not UTF-8; give --encoding"), (2, 2, "x")]
    assert rows(file, encoding="latin-1") == [(1, 1, "café"), (2, 2, "x")]
    file.write_bytes('{"id":1,"text":"日本"}\n{"id":2,"text":"x"}'.encode("shift_jis"))
    assert rows(file, encoding="Shift_JIS") == [(1, 1, "日本"), (2, 2, "x")]
    file.write_bytes(b'{"id":1,"text":"\x81"}\n{"id":2,"text":"x"}')
    assert rows(file, encoding="cp1252")[0][2].startswith("!undecodable")
    assert rows(file, encoding="cp1252")[1:] == [(2, 2, "x")]
    for wrong in ("nope", "hex", "rot13", ""):
        with pytest.raises(Refused, match="--encoding"):
            rows(file, encoding=wrong)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.log", "a.csv", "a.json"])
def test_utf16_without_a_mark_is_not_read_as_letters_with_nuls(
    tmp_path: Path, name: str, encoding: str
) -> None:
    (tmp_path / name).write_bytes('{"id":1,"text":"jo@example.org"}'.encode(encoding))
    [(_, _, told)] = rows(tmp_path / name)
    assert told.startswith("!undecodable: UTF-16 without")
    single = [bytes([byte]) for byte in "jo@example.org".encode(encoding)]
    with pytest.raises(Unreadable, match="without"):
        list(as_utf8(iter(single)))
    with pytest.raises(Unreadable, match="not utf-16-le"):
        list(as_utf8(iter([b"\xff\xfea"])))


def test_forms_go_by_names(tmp_path: Path) -> None:
    def told(name: str, content: str, **how: Any) -> list[Row]:
        (tmp_path / name).write_text(content, newline="")
        return rows(tmp_path / name, **how)

    assert told("a.log", "one\r\n\r\n two\x0bx\nthree") == [
        (None, 1, "one"), (None, 3, " two\x0bx"), (None, 4, "three"),
    ]  # fmt: skip
    for divider, name in {";": "a.csv", "\t": "a.tsv", "|": "b.csv", ",": "c.csv"}.items():
        content = f'id{divider}notes\n1{divider}"a\nb"\n\n2{divider}c\rx{divider}y\n'
        found = told(name, content, text_column="notes")
        assert [(ident, text) for ident, _, text in found[:2]] == [("1", "a\nb"), ("2", "c")]
        with pytest.raises(Refused, match="--text-column"):
            rows(tmp_path / name)
    assert told("e.csv", "") == told("e.jsonl", "") == told("e.json", " \n") == []
    with pytest.raises(Refused, match="--form, one of jsonl json text lines csv tsv parquet"):
        told("a.bin", "x")
    assert told("a.bin", "x", form="lines") == [(None, 1, "x")]


DOCUMENTS: list[Callable[[list[Any]], str]] = [
    json.dumps,
    lambda held: "\ufeff " + json.dumps(held, indent=2) + "\n\n",
    lambda held: "\n".join(map(json.dumps, held)),
    lambda held: "[" + " ,\n".join(map(json.dumps, held)) + "]",
]


@pytest.mark.parametrize("written", DOCUMENTS)
def test_json_is_an_array_or_lines(tmp_path: Path, written: Callable[[list[Any]], str]) -> None:
    held: list[Any] = [{"id": at, "text": text, "more": [{}]} for at, text in enumerate(TEXTS)]
    (tmp_path / "a.json").write_text(written(held))
    found = rows(tmp_path / "a.json")
    assert [(ident, text) for ident, _, text in found] == list(enumerate(TEXTS))


def test_json_that_breaks_off_says_so(tmp_path: Path) -> None:
    def told(content: str) -> list[tuple[Any, str]]:
        (tmp_path / "a.json").write_text(content)
        return [(ident, text) for ident, _, text in rows(tmp_path / "a.json")]

    good = '{"id":1,"text":"x"}'
    no_json = (None, "!malformed: no JSON")
    for tail in ("", ",", ", ]", "] x", f"]{good}", f" {good}]", ",{]", ',{"text":"y"'):
        assert told(f"[{good}{tail}") == [(1, "x"), no_json], tail
    assert told(f'[{{"id":2,"text":"a","text":"b"}},7,{good},{{"id":3,"n":NaN}}]') == [
        (2, "!malformed: a key twice"), (None, "!malformed: no object"), (1, "x"),
        (3, "!malformed: NaN"),
    ]  # fmt: skip
    assert told('{\n"id":1,\n"text":"x"}') == [(1, "x")]
    assert told('{\n"data":[]}') == [(None, "!malformed: no text")]
    assert told("[" * 100_000) == [no_json]
    assert told("[]") == []


def test_nothing_in_a_folder_is_left_out_without_a_word(tmp_path: Path) -> None:
    folder, other = tmp_path / "a", tmp_path / "b"
    folder.mkdir()
    other.mkdir()
    (other / "1.txt").write_text("x")
    (folder / "link").symlink_to(other)
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "2.txt").write_text("y")
    assert [(Path(ident).name, text) for ident, _, text in rows(folder)] == [
        ("2.txt", "y"),
        ("link", "!unreadable: a link to a folder"),
        ("pipe.jsonl", "!unreadable: neither a file nor a folder"),
    ]


def test_a_table_gives_what_the_csv_module_gives(tmp_path: Path, rng: random.Random) -> None:
    for _ in range(30):
        cells = ["".join(rng.choices('ab,;"\n\r\t é', k=rng.randint(0, 9))) for _ in range(20)]
        out = io.StringIO(newline="")
        csv.writer(out).writerows([["text"], *([cell or "-"] for cell in cells)])
        (tmp_path / "a.csv").write_text(out.getvalue(), newline="")
        assert [text for _, _, text in rows(tmp_path / "a.csv")] == [cell or "-" for cell in cells]


def test_a_table_whose_text_would_be_cut_is_not_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,call Jo, jo@example.org\n2,x\n3\n")
    assert rows(tmp_path / "a.csv") == [
        ("1", 1, "!malformed: more cells than columns"),
        ("2", 2, "x"),
        ("3", 3, "!malformed: no text"),
    ]
    (tmp_path / "a.csv").write_text('text\n5" pipe\n"a ""b"""\n"open\njo@example.org\nx\n')
    assert [text for _, _, text in rows(tmp_path / "a.csv")] == [
        '5" pipe',
        'a "b"',
        "!malformed: a quote that is never closed, with all rows behind it",
    ]
    (tmp_path / "a.csv").write_text("text,text\n1,jo@example.org\n")
    with pytest.raises(Refused, match="several"):
        rows(tmp_path / "a.csv")


def test_a_record_may_name_its_fields_otherwise(tmp_path: Path) -> None:
    held = {"key": "a", "body": "x", "text": 5, "id": 6}
    for name, content in {"a.jsonl": held, "a.json": [held]}.items():
        (tmp_path / name).write_text(json.dumps(content))
        assert rows(tmp_path / name, text_column="body", id_column="key") == [("a", 1, "x")]
    (tmp_path / "b.jsonl").write_text('{"key":"a","body":"x","body":"y"}\n{"key":"b","n":1}')
    assert rows(tmp_path / "b.jsonl", text_column="body", id_column="key") == [
        ("a", 1, "!malformed: a key twice"), ("b", 2, "!malformed: no text"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("emial", "did you mean email?"),
        ("Credit-Card", "did you mean credit_card?"),
        ("name", "did you mean names?"),
        ("xyzzy", "halocline pii kinds"),
        ("toxicity", "takes pii, names and their kinds"),
        ("canary", "label"),
    ],
)
def test_a_kind_that_is_none_is_answered_with_the_nearest(word: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        words(f"email,{word}", PERSONAL)
    assert told in str(refused.value)
