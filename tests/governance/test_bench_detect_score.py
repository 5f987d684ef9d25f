"""The measure of the detectors' benches: the scorer against cases worked out by hand."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from bench.detecting.gold import IGNORE, Document, Mark, read, write
from bench.detecting.readers import characters
from bench.detecting.score import Counts, score, union_ratio

TEXT = "x" * 100


def counts(gold: list[Mark], found: list[Mark] | None, threshold: float = 0.9) -> dict[str, Counts]:
    return score([Document("d", TEXT, tuple(gold))], [found], threshold).kinds


def test_a_span_counts_from_the_threshold_on() -> None:
    gold = [Mark(10, 20, "email")]
    assert counts(gold, [Mark(10, 19, "email")]) == {"email": Counts(1, 0, 0)}
    assert counts(gold, [Mark(10, 18, "email")]) == {"email": Counts(0, 1, 1)}
    assert counts(gold, [Mark(10, 18, "email")], 0.5) == {"email": Counts(1, 0, 0)}
    assert counts(gold, [Mark(10, 31, "email")], 0.5) == {"email": Counts(0, 1, 1)}


def test_a_wrong_kind_is_a_miss_and_an_alarm() -> None:
    found = counts([Mark(10, 20, "email")], [Mark(10, 20, "phone")])
    assert found == {"email": Counts(0, 0, 1), "phone": Counts(0, 1, 0)}


def test_a_span_counts_once() -> None:
    gold = [Mark(10, 20, "phone"), Mark(30, 40, "phone")]
    assert counts(gold, [Mark(10, 20, "phone")] * 2) == {"phone": Counts(1, 1, 1)}
    joined = counts(gold, [Mark(10, 40, "phone")], 0.3)
    assert joined == {"phone": Counts(1, 0, 1)}


def test_the_closest_pair_is_the_pair() -> None:
    gold = [Mark(0, 10, "ip"), Mark(2, 12, "ip")]
    assert counts(gold, [Mark(2, 12, "ip"), Mark(0, 9, "ip")]) == {"ip": Counts(2, 0, 0)}


def test_what_is_ignored_counts_neither_way() -> None:
    gold = [Mark(10, 20, IGNORE)]
    assert counts(gold, [Mark(12, 15, "phone")]) == {}
    assert counts(gold, [Mark(20, 25, "phone")]) == {"phone": Counts(0, 1, 0)}


def test_an_unscanned_text_misses_all_and_leaks_all() -> None:
    scored = score([Document("d", TEXT, (Mark(0, 10, "ip"),))], [None])
    assert (scored.kinds["ip"].misses, scored.leak, scored.unscanned) == (1, 1.0, 1)


def test_what_leaks_is_counted_in_characters_whatever_the_kind() -> None:
    document = Document("d", TEXT, (Mark(0, 10, "ip"), Mark(20, 30, "email")))
    scored = score([document], [[Mark(5, 25, "phone")]])
    assert (scored.leaked, scored.characters, scored.leak) == (10, 20, 0.5)


def test_f2_weighs_a_miss_four_times() -> None:
    one = Counts(hits=8, alarms=2, misses=4)
    assert (one.precision, one.recall) == (0.8, 8 / 12)
    assert one.f2 == pytest.approx(5 * 0.8 * (2 / 3) / (4 * 0.8 + 2 / 3))
    assert Counts().f2 == 0
    assert Counts(alarms=3).f2 == 0
    assert Counts(1, 0, 4).f2 == pytest.approx(5 / 21)
    assert Counts(1, 4, 0).f2 == pytest.approx(5 / 9)


def test_micro_adds_and_macro_takes_the_mean() -> None:
    document = Document("d", TEXT, (Mark(0, 10, "ip"), Mark(20, 30, "email")))
    scored = score([document], [[Mark(0, 10, "ip")]])
    assert scored.micro == Counts(1, 0, 1)
    assert scored.macro(["ip", "email"]) == 0.5
    assert scored.macro(["ip", "email", "mac"]) == 1 / 3


def test_kinds_narrow_both_sides() -> None:
    document = Document("d", TEXT, (Mark(0, 10, "ip"), Mark(20, 30, "email")))
    found = [Mark(0, 10, "ip"), Mark(20, 30, "url")]
    assert score([document], [found], kinds=frozenset(("ip",))).kinds == {"ip": Counts(1, 0, 0)}


def test_the_gold_itself_scores_one(rng: random.Random) -> None:
    starts = sorted(rng.sample(range(0, 900, 10), 20))
    marks = tuple(Mark(at, at + rng.randrange(1, 9), rng.choice("abc")) for at in starts)
    scored = score([Document("d", "y" * 1000, marks)], [list(marks)])
    assert (scored.micro.f2, scored.leak, scored.wrong) == (1, 0, ())
    assert all(union_ratio(mark, mark) == 1 for mark in marks)


def test_byte_offsets_come_back_as_characters(rng: random.Random) -> None:
    text = "".join(rng.choice("aß語😀 é") for _ in range(200))
    places = characters(text)
    at = [len(text[:n].encode()) for n in range(len(text) + 1)]
    assert [int(places[byte]) for byte in at] == list(range(len(text) + 1))


def test_sets_are_read_as_they_are_written(tmp_path: Path) -> None:
    documents = [Document("a", "é mail", (Mark(0, 1, "email"),)), Document("b", "", ())]
    write(tmp_path / "set.jsonl", documents)
    assert read(tmp_path / "set.jsonl") == documents


def test_other_peoples_sets_are_read_by_a_mapping(tmp_path: Path) -> None:
    spans = [
        {"entity_type": "PHONE_NUMBER", "start_position": 1, "end_position": 3},
        {"entity_type": "PERSON", "start_position": 4, "end_position": 5},
    ]
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps([{"full_text": "0123456", "spans": spans}]))
    assert read(file, {"PHONE_NUMBER": "phone", "PERSON": ""})[0].marks == (Mark(1, 3, "phone"),)


@pytest.mark.parametrize(
    "row", [{"spans": []}, {"text": "ab", "spans": [{"kind": "ip", "start": 0, "end": 3}]}]
)
def test_a_set_that_does_not_fit_its_texts_is_refused(tmp_path: Path, row: object) -> None:
    (tmp_path / "set.jsonl").write_text(json.dumps(row))
    with pytest.raises(ValueError, match="document 0"):
        read(tmp_path / "set.jsonl")
