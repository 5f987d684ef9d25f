"""The language of a text: sure where there is enough, undetermined where there is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.language import CODES, LanguageDetector, identifier, language

ENGLISH = "The committee met on Monday and found nothing to say about the matter. "
GERMAN = "Der Ausschuss tagte am Montag und fand zu dieser Sache nichts zu sagen. "


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ENGLISH, "en"),
        (ENGLISH.upper(), "en"),
        (GERMAN, "de"),
        ("Le comit\u00e9 s'est r\u00e9uni lundi et n'a rien trouv\u00e9 \u00e0 dire.", "fr"),
        ("El comit\u00e9 se reuni\u00f3 el lunes y no encontr\u00f3 nada que decir.", "es"),
        (
            "\u041a\u043e\u043c\u0438\u0442\u0435\u0442 \u0441\u043e\u0431\u0440\u0430\u043b\u0441"
            "\u044f \u0432 \u043f\u043e\u043d\u0435\u0434\u0435\u043b\u044c\u043d\u0438\u043a.",
            "ru",
        ),
        ("\u59d4\u5458\u4f1a\u5468\u4e00\u5f00\u4f1a\uff0c\u6ca1\u6709\u53d1\u73b0\u3002", "zh"),
        (
            "\u59d4\u54e1\u4f1a\u306f\u6708\u66dc\u65e5\u306b\u958b\u304b\u308c\u307e\u3057\u305f",
            "ja",
        ),
    ],
)
def test_language(text: str, code: str) -> None:
    found, probability = language(text)

    assert found == code
    assert 0.65 < probability <= 1.0


@pytest.mark.parametrize("text", ["", "12 34", "\n\t", "!!!", "OK", "a b c", "\u200b\u200b", "7kg"])
def test_too_few_letters_have_no_language(text: str) -> None:
    assert language(text) == ("und", 0.0)


def test_of_a_text_in_two_languages_neither_is_sure() -> None:
    for times in (10, 1_000):
        _, probability = language(ENGLISH * times + GERMAN * times)
        assert probability < 0.65
        assert language(ENGLISH * times)[1] > 0.95


def test_a_long_text_is_read_at_few_places() -> None:
    long = ENGLISH * 100_000

    assert language(long)[0] == "en"
    assert language("x1 " * 400 + ENGLISH * 1_000)[0] == "en"


def test_the_codes_are_the_models() -> None:
    assert set(identifier().labels) == {*CODES, "zxx"}


@settings(max_examples=25)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_the_detector_describes_and_never_alarms(texts: list[str]) -> None:
    detector = LanguageDetector()

    for text, verdict in zip(texts, detector.scan_batch(Texts.of(texts)), strict=True):
        code, probability = language(text)
        assert (verdict.status, verdict.score) == ("clean", probability)
        assert verdict.findings == ({} if code == "und" else {f"language_{code}": 1})
        assert verdict == detector.scan(text)
        stream = detector.stream()
        assert stream.feed(text.encode()) == 0
        assert stream.finish() == verdict
    assert detector.kinds == {f"language_{code}" for code in CODES}
