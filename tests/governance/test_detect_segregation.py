"""Text that the label does not cover is found where it stands; text the public has is not."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect import shingle
from halocline_governance.detect.segregation import RUN, FingerprintIndex, SegregationDetector
from halocline_governance.errors import Refused
from halocline_governance.label import PUBLIC, parse_compact

KEY = b"s" * 32
NAMES = {"sell": ["Acme Holdings", "Initech"], "buy": ["Project Heron"]}


def prose(seed: int, words: int = 400) -> str:
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    text = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(words)]
    return " ".join(text)


TEXTS = {"sell": prose(1), "sell.acme": prose(2), "buy": prose(3), "public": prose(4)}


@cache
def detector() -> SegregationDetector:
    return SegregationDetector(
        [
            FingerprintIndex.build(name, [text], KEY, NAMES.get(name, ()))
            for name, text in TEXTS.items()
        ],
        KEY,
    )


def test_a_run_of_another_compartment_is_found_where_it_stands() -> None:
    text = "\u00fcber " + prose(9, 20) + " " + TEXTS["buy"][500:800] + " " + prose(10, 20)

    (span,) = detector().for_label(parse_compact("internal sides=sell")).scan(text).spans

    assert span.kind == "text:buy"
    found = text.encode()[span.start : span.end].decode()
    assert found in TEXTS["buy"]
    assert len(found) > 200


@given(st.integers(0, len(TEXTS["buy"]) - RUN), st.text(max_size=30), st.text(max_size=30))
def test_any_verbatim_run_of_eighty_characters_is_found(at: int, a: str, b: str) -> None:
    plain = shingle.spaced(TEXTS["buy"][at : at + RUN + 2])
    run = "".join(map(chr, plain.codes[:RUN].tolist())).strip()
    run = run if len(run) >= RUN else TEXTS["buy"][at : at + RUN + 2]

    assert detector().scan(a + run + b).findings.get("text:buy", 0) >= 1


RUN_OF_BUY = TEXTS["buy"][500:700]


@pytest.mark.parametrize(
    "spoilt",
    [RUN_OF_BUY.upper(), RUN_OF_BUY.replace(" ", "\n   "), RUN_OF_BUY.replace("e", "\u00e9")],
)
def test_case_white_space_and_accents_hide_nothing(spoilt: str) -> None:
    assert "text:buy" in detector().scan(spoilt).findings


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


def test_public_text_that_a_compartment_holds_too_is_no_leak() -> None:
    shared = TEXTS["public"]
    both = SegregationDetector(
        [
            FingerprintIndex.build("buy", [shared], KEY),
            FingerprintIndex.build("public", [shared], KEY),
        ],
        KEY,
    )

    assert both.for_label(PUBLIC).scan(shared).status == "clean"


def test_other_text_is_clean() -> None:
    for seed in range(20, 40):
        assert detector().scan(prose(seed)).status == "clean"


@pytest.mark.parametrize(
    "text",
    ["ask Acme Holdings.", "ACME\n holdings?", "(acme-holdings)", "\u00e1cme Holdings", "INITECH"],
)
def test_restricted_names_are_found_by_words(text: str) -> None:
    assert detector().scan(text).findings == {"name:sell": 1}
    assert detector().for_label(parse_compact("internal sides=sell")).scan(text).findings == {}


@pytest.mark.parametrize("text", ["acme", "Initechs", "holdings acme", "acme and holdings"])
def test_parts_of_names_are_not_names(text: str) -> None:
    assert detector().scan(text).findings == {}


def test_indexes_merge_like_sets() -> None:
    a, b = (FingerprintIndex.build("buy", [prose(n)], KEY, [f"name {n}"]) for n in (1, 2))
    both = FingerprintIndex.build("buy", [prose(1), prose(2)], KEY, ["name 1", "name 2"])

    for merged in (a.merge(b), b.merge(a), a.merge(b).merge(a)):
        assert np.array_equal(merged.prints, both.prints)
        assert merged.names == both.names


def test_indexes_of_two_compartments_never_merge() -> None:
    with pytest.raises(Refused):
        detector().indexes[0].merge(detector().indexes[2])


def test_saved_and_loaded_is_the_same_and_equal_bytes(tmp_path: Path) -> None:
    index = detector().indexes[0]

    index.save(tmp_path / "a")
    FingerprintIndex.load(tmp_path / "a").save(tmp_path / "b")

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert b"acme" not in (tmp_path / "a").read_bytes().lower()


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 100])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(Refused, match="damaged"):
        FingerprintIndex.load(tmp_path / "a")


def test_another_key_finds_nothing() -> None:
    other = SegregationDetector(detector().indexes, b"o" * 32)

    assert other.scan(TEXTS["buy"] + " Initech").status == "clean"


PIECES = st.one_of(
    st.integers(0, 2000).map(lambda at: TEXTS["buy"][at : at + 120]),
    st.sampled_from(["Acme Holdings", "acme", " ", "   \n", "Initech", "\u0301", "\u00df"]),
    st.text(max_size=10),
)


@given(st.lists(PIECES, max_size=6).map("".join), st.data())
def test_prefix_law(text: str, data: st.DataObject) -> None:
    prefix = text[: data.draw(st.integers(0, len(text)))]
    settled = len(prefix.encode()) - detector().holdback(prefix)

    early = any(span.start < settled for span in detector().scan(prefix).spans)

    assert early == any(span.start < settled for span in detector().scan(text).spans)


@given(st.text(st.characters(max_codepoint=127)), st.booleans())
def test_the_fast_normal_form_of_ascii_is_the_slow_one(text: str, spaces: bool) -> None:
    fast = shingle.spaced(text) if spaces else shingle.squeezed(text)
    slow = shingle._plain_slowly(text, spaces)  # pyright: ignore[reportPrivateUsage]

    assert np.array_equal(fast.codes, slow.codes)
    assert np.array_equal(fast.where, slow.where)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=100), st.integers(1, 40))
def test_winnowing_leaves_no_gap(values: list[int], span: int) -> None:
    chosen = shingle.winnowed(np.array(values, dtype=np.uint64), span)

    for at in range(len(values) - span + 1):
        assert any(at <= place < at + span for place in chosen)
