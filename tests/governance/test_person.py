"""Names that are one person's, and names that are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.person import is_among, is_same_person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"), ("cleo", "ｃｌｅｏ"), ("zoë", "ZOE"), ("zoe", "zoe\u0301"),
        ("ann smith", " Ann\u00a0 Smith"), ("cleo", "cl\u200beo"), ("cleo", "cleo\ufe0f"),
        ("cleo", "c\u034fleo"), ("ﬁona", "Fiona"), ("İpek", "ipek"), ("Ångström", "ANGSTROM"),
        ("cleo", "\u3164cleo"), ("cleo", "cleo\U000e0041"), ("ΣΟΦΟΣ", "σοφος"),
    ],
)  # fmt: skip
def test_the_same_written_otherwise(one: str, other: str) -> None:
    assert is_same_person(one, other)
    assert is_among(one, ("somebody", other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cleo", "cleo2"),
        ("cleo", "clео"),
        ("か", "が"),
        ("कि", "कु"),
        ("", "cleo"),
    ],
)
def test_other_letters_are_another_person(one: str, other: str) -> None:
    assert not is_same_person(one, other)
    assert not is_among(one, (other,))


@given(st.text(), st.text())
def test_spelling_is_an_equivalence(one: str, other: str) -> None:
    """However a name is normalised, cased and spread, it stays the same person's."""
    forms = [unicodedata.normalize(form, one) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    for form in (*forms, one.casefold(), f" {one}\u200d"):
        assert is_same_person(one, form)
        assert is_same_person(form, other) == is_same_person(one, other)
