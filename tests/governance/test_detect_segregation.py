"""Text that the label does not cover is found where it stands; text the public has is not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.segregation import (
    LETTERS,
    RUN,
    FingerprintIndex,
    SegregationDetector,
)
from halocline_governance.errors import Refused
from halocline_governance.label import PUBLIC, parse_compact
from tests.governance.segregation_world import KEY, TEXTS, detector, index, prose


def test_a_run_of_another_compartment_is_found_where_it_stands() -> None:
    text = "\u00fcber " + prose(9, 20) + " " + TEXTS["buy"][500:800] + " " + prose(10, 20)

    (span,) = detector().for_label(parse_compact("internal sides=sell")).scan(text).spans

    assert span.kind == "text:buy"
    found = text.encode()[span.start : span.end].decode()
    assert found in TEXTS["buy"]
    assert len(found) > 280


def spoilt(rng: random.Random, run: str) -> str:
    """The same letters and digits, set otherwise."""
    forms: list[Callable[[str], str]] = [
        lambda text: text,
        str.upper,
        lambda text: text.replace(" ", "\n" + " " * rng.randint(0, 9)),
        lambda text: text.replace(" ", ", "),
        lambda text: text.replace("a", "\u0430").replace("o", "\u03bf").replace("c", "\u0441"),
        lambda text: "".join(c + rng.choice(["", "", "\u200b", "\u00ad", "\u0301"]) for c in text),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in text),
    ]
    return rng.choice(forms)(run)


def test_no_run_of_fifty_characters_is_missed(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    """At random places of the source and of the answer, however the letters are set."""
    source = TEXTS["buy"]
    answers: list[str] = []
    for number in range(scale(2_000, 200_000)):
        size = rng.choice([RUN, RUN, RUN + 1, RUN + 7, 90])
        at = rng.randrange(len(source) - size)
        run = spoilt(rng, source[at : at + size])
        around = [prose(number + n, 4)[: rng.randint(0, 30)] for n in (10**6, 10**7)]
        answers.append(around[0] + rng.choice(["", " "]) + run + rng.choice(["", "."]) + around[1])

    verdicts = detector().scan_batch(Texts.of(answers))

    assert verdicts.found.all()
    assert {verdicts.kinds[code] for code in verdicts.codes} == {"text:buy"}


def test_what_is_provably_shorter_is_not_reported(rng: random.Random) -> None:
    """30 characters in common: more than a window, and less than a run."""
    source = TEXTS["buy"]
    for number in range(300):
        at = rng.randrange(len(source) - 30)
        answer = prose(number + 99, 9) + "0" + source[at : at + 30] + "0" + prose(number + 7777, 9)
        assert detector().scan(answer).status == "clean"


def test_text_of_others_is_clean(scale: Callable[[int, int], int]) -> None:
    answers = [prose(seed + 5000, 60) for seed in range(scale(500, 100_000))]

    assert not detector().scan_batch(Texts.of(answers)).found.any()


def test_a_long_leak_is_told_from_its_beginning_to_its_end() -> None:
    text = prose(77, 30) + " " + TEXTS["buy"] * 3 + " " + prose(78, 30)
    spans = detector().scan(text).spans

    covered = {at for span in spans for at in range(span.start, span.end)}
    begun = text.index(TEXTS["buy"])
    whole = range(begun + 10, begun + 3 * len(TEXTS["buy"]) - 10)
    assert len(covered & set(whole)) > 0.97 * len(whole)
    assert max(span.end - span.start for span in spans) < 2000


@pytest.mark.parametrize(
    ("label", "covered"),
    [
        ("public", set[str]()),
        ("internal sides=sell", {"sell"}),
        ("internal sides=buy", {"buy"}),
        ("confidential sides=sell tenants=acme", {"sell", "sell.acme"}),
        ("confidential sides=sell tenants=globex", {"sell"}),
    ],
)
def test_the_label_says_whose_text_may_stand(label: str, covered: set[str]) -> None:
    bound = detector().for_label(parse_compact(label))

    seen = {name for name in TEXTS if bound.scan(TEXTS[name][500:800]).status == "clean"}

    assert seen == {"public", *covered}


def test_what_is_made_for_a_label_is_made_once() -> None:
    """An answer must not wait for an automaton over all names."""
    labels = [parse_compact(text) for text in ("internal sides=sell", "confidential sides=sell")]

    assert detector().for_label(labels[0]) is detector().for_label(labels[1])
    assert detector().for_label(PUBLIC) is detector()


def test_public_text_that_a_compartment_holds_too_is_no_leak() -> None:
    shared = TEXTS["public"]
    own = f"{shared} {prose(55, 30)}"
    indexes = [FingerprintIndex.build(name, [text], KEY) for name, text in (("buy", own),)]
    both = SegregationDetector([*indexes, index("public")], KEY).for_label(PUBLIC)

    assert both.scan(shared).status == "clean"
    (span,) = both.scan(own).spans
    assert span.start > len(shared) - LETTERS - 10


def test_another_secret_is_refused() -> None:
    with pytest.raises(Refused, match="secret"):
        SegregationDetector([index("buy")], b"o" * 32)
    with pytest.raises(Refused, match="16 bytes"):
        FingerprintIndex.build("buy", [], b"short")


def test_indexes_merge_like_sets_and_split_into_shards() -> None:
    a, b = (FingerprintIndex.build("buy", [prose(n)], KEY, [f"name {n}"]) for n in (1, 2))
    both = FingerprintIndex.build("buy", [prose(1), prose(2)], KEY, ["name 1", "name 2"])

    for merged in (a.merge(b), b.merge(a), a.merge(b).merge(a)):
        assert merged.runs[0].prints.tolist() == both.runs[0].prints.tolist()
        assert (merged.names, len(merged)) == (both.names, len(both))
    shards = both.split(5)
    assert sum(map(len, shards)) == len(both)
    assert all(len(shard) > 0 for shard in shards)
    text = f"{prose(9)} {prose(2)[300:700]} name 1"
    whole = SegregationDetector([both], KEY).scan(text)
    assert SegregationDetector(shards, KEY).scan(text) == whole
    assert set(whole.findings) == {"text:buy", "name:buy"}


def test_indexes_of_two_compartments_never_merge() -> None:
    with pytest.raises(Refused):
        index("sell").merge(index("buy"))


def test_text_that_is_no_text_is_not_fingerprinted() -> None:
    with pytest.raises(Refused, match="undecodable"):
        FingerprintIndex.build("buy", ["fine", "\ud800"], KEY)


PIECES = st.one_of(
    st.tuples(st.integers(0, 2000), st.sampled_from([20, 30, 49, 60, 120, 1500])).map(
        lambda cut: TEXTS["buy"][cut[0] : cut[0] + cut[1]]
    ),
    st.sampled_from(
        ["Acme Holdings", "acme", " ", "  \n", "Initech", "\u0301", "\u00df", "\ufb03", "\ufdfa"]
    ),
    st.sampled_from([" " * 300, "-" * 257, "\u200b" * 90, "\U0001f600", "\x00", "\u65e5\u672c"]),
    st.text(max_size=8),
)


@given(st.lists(PIECES, max_size=6).map("".join), st.lists(st.integers(1, 90), max_size=9))
def test_stream_is_text_and_what_is_settled_stays(text: str, sizes: list[int]) -> None:
    whole, data = detector().scan(text), text.encode()
    stream, at, settled = detector().stream(), 0, 0
    while at < len(data):
        size = sizes[at % len(sizes)] if sizes else 61
        assert stream.feed(data[at : at + size]) >= settled
        settled, at = stream.settled, at + size
        early = sorted((s.start, s.end, s.kind) for s in stream.findings(settled).spans)
        known = [(s.start, s.end, s.kind) for s in whole.spans if s.start < settled]
        assert early == known

    assert stream.finish() == whole


@given(st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=6))
def test_rows_know_nothing_of_each_other(texts: list[str]) -> None:
    verdicts = detector().scan_batch(Texts.of(texts))

    assert list(verdicts) == [detector().scan(text) for text in texts]


def test_a_row_longer_than_a_piece_is_as_any() -> None:
    filler = prose(500, 40_000)
    for cut in (0, 1000):
        text = filler[cut:] + TEXTS["buy"][200:400] + filler + " Initech " + filler
        findings = detector().scan(text).findings

        assert findings == {"text:buy": 1, "name:sell": 1}


@pytest.mark.parametrize(
    "text",
    ["?" * 10**6, "a" * 10**6, "ab" * 500_000, " " * 10**6, "1" * 10**6, "\u200b" * 300_000],
    ids=["marks", "one letter", "two letters", "blanks", "digits", "invisible"],
)
def test_odd_text_costs_no_more_than_its_length_and_is_clean(text: str) -> None:
    assert detector().scan(text).status == "clean"
    stream = detector().stream()
    for at in range(0, len(text), 50_000):
        stream.feed(text[at : at + 50_000].encode())

    assert stream.finish().status == "clean"


def test_text_of_one_letter_is_few_fingerprints() -> None:
    assert len(FingerprintIndex.build("buy", ["a" * 10**6], KEY)) == 1
