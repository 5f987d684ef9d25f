"""Canaries are found however they are set, and their detector's file holds none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.canary import WIDTH, Canary, CanaryDetector, mint
from halocline_governance.errors import Refused

KEY = b"k" * 32
CANARIES = mint(7, 16, "buy")
DETECTOR = CanaryDetector.of(CANARIES, KEY)


def test_minting_is_seeded_and_never_repeats() -> None:
    assert mint(7, 16, "buy") == CANARIES
    many = [*mint(7, 500, "buy"), *mint(8, 500, "buy"), *mint(7, 500, "sell")]

    assert len({canary.text for canary in many}) == len(many)


SPOILT = {
    "plain": CANARIES[3].text,
    "upper": CANARIES[3].text.upper(),
    "lines": CANARIES[3].text.replace(" ", "\n\t  "),
    "joined": CANARIES[3].text.replace(" ", ""),
    "commas": CANARIES[3].text.replace(" ", ", "),
    "zero-width": "\u200b".join(CANARIES[3].text),
    "accents": CANARIES[3].text.replace("e", "\u00e9"),
    "glued": "x" + CANARIES[3].text + "x",
    "its end": CANARIES[3].text[-30:],
    "24 of it": "".join(CANARIES[3].text.split())[5 : 5 + WIDTH],
    "spelt over lines": "\n".join(CANARIES[3].text.replace(" ", "")),
    "look-alikes": CANARIES[3].text.translate(str.maketrans("aeoc", "\u0430\u0435\u03bf\u0441")),
    "wide": "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in CANARIES[3].text),
    "dots and dashes": CANARIES[3].text.replace("", ".-"),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_a_canary_is_found_however_it_is_set(spoilt: str) -> None:
    text = f"\u00fcber all, {spoilt} and so on"

    assert DETECTOR.scan(text).findings == {"canary": 1}
    assert DETECTOR.ids(text) == (CANARIES[3].id,)


def test_less_than_24_letters_of_it_are_not_found() -> None:
    letters = "".join(CANARIES[3].text.split())

    assert DETECTOR.scan(f"so {letters[: WIDTH - 1]}, and {letters[-WIDTH + 1 :]}").findings == {}


def test_the_span_covers_the_canary() -> None:
    text = f"\u00fcber {CANARIES[0].text}."

    (span,) = DETECTOR.scan(text).spans

    assert text.encode()[span.start : span.end].decode() == CANARIES[0].text


@given(st.text())
def test_other_text_has_no_canary(text: str) -> None:
    assert DETECTOR.scan(text + " amber pine walnut 12345678").findings == {}


def test_other_canaries_are_not_these() -> None:
    for canary in mint(8, 50, "buy"):
        assert DETECTOR.scan(canary.text).status == "clean"


def test_the_file_holds_no_secret_and_loads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "canaries.json"

    DETECTOR.save(path)

    content = path.read_text()
    assert CanaryDetector.load(path, KEY) == DETECTOR
    assert not any(word in content for canary in CANARIES for word in canary.text.split())
    assert KEY.hex() not in content
    assert CANARIES[0].text not in repr(DETECTOR) + repr(CANARIES[0])


def test_another_key_is_refused(tmp_path: Path) -> None:
    DETECTOR.save(tmp_path / "c.json")

    with pytest.raises(Refused, match="key"):
        CanaryDetector.load(tmp_path / "c.json", b"o" * 32)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "other", "marks": []}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "canaries.json"
    path.write_text(content)

    with pytest.raises(Refused, match="canary file"):
        CanaryDetector.load(path, KEY)


def test_a_short_canary_is_refused() -> None:
    with pytest.raises(Refused, match=str(WIDTH)):
        CanaryDetector.of([Canary("c-1", "buy", "too short")], KEY)
