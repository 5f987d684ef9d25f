"""The tagger of names: one answer by every face and without the compiler, and honest failures."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect import guarded
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.names import WEIGHTS, NamesDetector

DETECTOR = NamesDetector()
PIECES = [
    "Dear Ms. O'Brien-Kovač,\n",
    "John Smith",
    "Smith, John\tAcme Corp.\tBerlin\n",
    "U.S. Bank, N.A. ",
    "hi maria, call acme in london",
    "DR. J. R. R. TOLKIEN ",
    "Zoë",
    "e\u0301 José ",
    "王小明 ",
    "שלום עולם ",
    "\U0001f600 Ann\u200bMarie ",
    "a" * 300,
    "x@example.org ",
    "https://example.org/John ",
    "@jsmith ",
    "all of it was agreed upon by the parties at the end of the day and then some more of it\n",
    ".",
    "! ",
    "\n",
    "\n\n",
    "\f",
    " " * 70,
    " " * 300,
    "\x00",
    "?" * 600,
    "Paris ",
    "\u3000",
]
NEAR_MISSES = [
    "The meeting is on Monday, March 4, in the afternoon.",
    "Interest accrues daily. The Borrower shall notify the Lender.",
    "TERMS AND CONDITIONS OF SALE",
    "Table of Contents",
    "nothing here has a name, it may be that we will mark it in may",
    "Thank you. Please find the report attached. Best regards",
    "Total revenue rose 4.2 percent. However, costs rose too.",
    "Invoice No. 4711 is due on 12 June 2024.",
    "Deliver the goods by Friday. Late deliveries are refused.",
    "CONFIDENTIAL - DO NOT COPY",
    "Schedule of Fees",
    "The Tenant shall keep the Premises clean.",
    "Chief Executive Officer",
    "Our Python developers use Excel and Windows.",
    "Section 3. Payment Terms",
    "It was a German car with a French engine.",
    "Monday   Tuesday   Wednesday",
    "Subject: Weekly Status Report",
    "He said that Easter was early this year.",
    "BALANCE SHEET AS OF DECEMBER 31",
    "You May Also Like",
    "Will do. May I ask why? Mark my words.",
    "Step 1: Press the Red Button",
    "Q3 revenue, Q4 forecast and EBITDA margin",
    "Username: admin Password: hunter2",
    "Happy New Year and Merry Christmas!",
    "hope you are well, see you on sunday",
    "The Company and its Subsidiaries",
    "Frequently Asked Questions",
    "Note 7 - Income Taxes",
    "Dear Sir or Madam,",
    "Best wishes,",
    "Order Summary",
    "ATTENTION: LOW STOCK",
    "A Bluetooth headset and a USB cable",
    "Add to Cart | Check Out | Log In",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join)


def found(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    spans = DETECTOR.scan(text).spans
    return [(data[span.start : span.end].decode(), span.kind) for span in spans]


@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 900), max_size=9)
)
def test_a_text_a_batch_and_a_stream_say_the_same(texts: list[str], cuts: list[int]) -> None:
    whole = [DETECTOR.scan(text) for text in texts]
    assert list(DETECTOR.scan_batch(Texts.of(texts))) == whole
    data = texts[0].encode()
    stream = DETECTOR.stream()
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for first, last in pairwise(ends):
        settled = stream.feed(data[first:last])
        want = [span for span in whole[0].spans if span.start < settled]
        assert list(stream.findings(settled).spans) == want
    assert stream.finish() == whole[0]


def test_a_stream_holds_back_no_more_than_a_segment() -> None:
    stream = DETECTOR.stream()
    text = ("Ann Lee met " + "x" * 300 + " and " * 40 + "\n") * 30 + " " * 5_000
    held: list[int] = []
    for at in range(0, len(text), 50):
        settled = stream.feed(text[at : at + 50].encode())
        held.append(stream.fed - settled)
    assert max(held) <= 768 + 2 * 256 + 50


def test_the_compiled_scan_is_the_plain_one(seed: int) -> None:
    """The same sources without numba, in a process of its own: integers that wrap would show."""
    rng = random.Random(seed)
    texts = ["".join(rng.choices(PIECES, k=6)) for _ in range(12)]
    code = (
        "import sys, json; from halocline_governance.detect.names import NamesDetector as N\n"
        "told = [[s.as_json() for s in N().scan(t).spans] for t in json.load(sys.stdin)]\n"
        "print(json.dumps(told))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(texts), capture_output=True, text=True,
        check=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert json.loads(done.stdout) == [[s.as_json() for s in DETECTOR.scan(t).spans] for t in texts]
    assert any(json.loads(done.stdout))


def test_viterbi_finds_the_best_of_all_paths(rng: random.Random) -> None:
    from halocline_governance.detect.names.tagger import best_path, may_follow
    from halocline_governance.detect.names.tokens import COLUMNS, GAP

    for _ in range(12):
        count = rng.randint(1, 4)
        tokens = np.zeros((count, COLUMNS), dtype=np.int64)
        tokens[:, GAP] = [rng.choice([0, 1, 2, 3]) for _ in range(count)]
        moves = np.array([[rng.randint(-30, 30) for _ in range(8)] for _ in range(8)])
        scores = np.array([[rng.randint(-60, 60) for _ in range(8)] for _ in range(count)])

        def total(path: tuple[int, ...], moves: object = moves, scores: object = scores) -> int:
            steps = sum(int(moves[a, b]) for a, b in pairwise(path))  # type: ignore[index]
            return steps + sum(int(scores[at, tag]) for at, tag in enumerate(path))  # type: ignore[index]

        paths = [
            path
            for path in itertools.product(range(8), repeat=count)
            if path[0] not in (2, 4, 6)
            and all(
                may_follow(a, b, int(tokens[at + 1, GAP]))
                for at, (a, b) in enumerate(pairwise(path))
            )
        ]
        tags = np.zeros(count, dtype=np.int64)
        best_path(count, tokens, moves, scores.copy(), np.zeros((count, 8), dtype=np.int64), tags)
        assert total(tuple(tags.tolist())) == max(map(total, paths))


def test_names_are_found_where_people_write_them() -> None:
    assert ("Maria Chen", "person") in found("Hi Tom,\nplease ask Maria Chen about it.\nBest,\nEva")
    assert ("Tom", "person") in found("Hi Tom,\nplease ask Maria Chen about it.\nBest,\nEva")
    assert ("London", "location") in found("She moved from London to the coast.")
    assert ("Acme Holdings LLC", "organization") in found("We sued Acme Holdings LLC in March.")
    assert ("Müller", "person") in found("Sehr geehrter Herr Müller, dear Mr. Müller,")


def test_what_only_looks_like_a_name_is_seldom_one() -> None:
    """Months, headings in capitals, roles, products, words at a start: 4 of 36 when measured."""
    alarms = [text for text in NEAR_MISSES if found(text)]
    assert len(alarms) <= 6
    assert not any(span.score > 0.7 for text in alarms for span in DETECTOR.scan(text).spans)


def test_a_missing_or_damaged_file_is_never_clean(tmp_path: Path) -> None:
    data = WEIGHTS.read_bytes()
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(data[: len(data) // 2])
    other = tmp_path / "other.safetensors"
    other.write_bytes(WEIGHTS.with_name("toxicity.safetensors").read_bytes())
    for path in (tmp_path / "missing", damaged, other):
        detector = guarded(NamesDetector(path=path))
        verdict = detector.scan("Ann Lee of Leeds")
        assert (verdict.status, verdict.reason) == ("unscanned", "failed: Refused")
        assert [v.status for v in detector.scan_batch(Texts.of(["Ann Lee"]))] == ["unscanned"]
        stream = detector.stream()
        stream.feed(b"Ann Lee of Leeds.\n\nBob")
        assert stream.settled == 0
        assert stream.finish().status == "unscanned"


def test_bad_rows_are_unscanned_and_the_others_are_read() -> None:
    rows = [b"Ann Lee lives in Paris.", b"\xff\xfe", b"", b"\xe2\x82", b"Ann Lee lives in Paris."]
    verdicts = list(DETECTOR.scan_batch(Texts.of(rows)))
    assert [v.status for v in verdicts] == ["found", "unscanned", "clean", "unscanned", "found"]
    assert verdicts[0].spans == verdicts[4].spans


@pytest.mark.parametrize(
    "unit",
    ["?", "1", "a", " ", "A", "A b. ", "\n", "王", "\u0301", "\U0001f600", "\x00", "'s", "@a"],
)
def test_no_text_takes_more_than_its_length(unit: str) -> None:
    text = unit * (400_000 // len(unit.encode()))
    DETECTOR.scan(text[:100])  # loads, and compiles what nobody has
    begun = time.process_time()
    assert DETECTOR.scan(text).status in ("clean", "found")
    assert time.process_time() - begun < 8  # a hundred times what it takes
