"""The toxicity model that ships: what it must tell apart, its two stages, its files.

The sentences here are the test's own: the recipe's patterns hold none of them.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from halocline_governance.detect import tensorfile
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.toxicity import FOUND, WEIGHTS, ToxicityDetector, segments
from halocline_governance.detect.toxicity.judging import CLEARED, judge
from halocline_governance.detect.toxicity.model import DECIMALS, FORMAT, load
from halocline_governance.detect.verdict import UNDECODABLE

TOXICITY = ToxicityDetector()
PAIRS = [
    (
        "To me, a Muslim is nothing but a pest.",
        'He wrote "a Muslim is nothing but a pest" and lost his job over it.',
    ),
    ("Women were made to serve, not to think.", "Women were not made to serve anybody."),
    (
        "Nobody would miss black people if they were gone tomorrow.",
        "I would miss my black friends if they were gone tomorrow.",
    ),
    (
        "Every Arab ought to be put on a ship and sunk.",
        "Every Arab ought to be treated like everybody else.",
    ),
    ("Immigrants crawl into our cities like ants.", "Ants crawl into our kitchen in summer."),
    ("You are the dumbest creature I have ever met.", "This is the dumbest printer I ever had."),
    ("I will find you and cut your throat.", "I will find you a seat and cut the cake."),
    (
        "Personally I find that gay men are savages.",
        "It hurts me when somebody claims that gay men are savages.",
    ),
    ("Jews are bloodsuckers.", "Calling Jews bloodsuckers is antisemitic and wrong."),
    ("Shut your mouth, you brainless pig.", "The pig opened its mouth and ate an apple."),
]
"""An attack and its harmless twin."""

NAMING = [
    "My sister's wife is a lesbian and she makes the best cake.",
    "The council met with Roma families about schools.",
    "A blind man won the chess tournament.",
    "Jewish holidays follow the moon.",
    "Two Turkish engineers joined the project in spring.",
    "Trans women and Black men voted early.",
]
PLAIN = [
    "The company reported revenue of $3.2 billion.",
    "Thank you for your help!",
    "Install the package with pip and run the tests.",
    "2 1,234 5,678 ====== ------",
    "",
]
CURSES = ["Fuck, I forgot my keys again!", "Holy shit, what a great fucking goal!"]
ATTACKS = [attack for attack, _ in PAIRS]


def scores(texts: list[str]) -> list[float]:
    found = TOXICITY.scan_batch(Texts.of(texts)).text_scores
    assert found is not None
    return found.tolist()


def test_an_attack_scores_above_its_harmless_twin() -> None:
    bad, good = scores(ATTACKS), scores([twin for _, twin in PAIRS])

    assert sum(a > b for a, b in zip(bad, good, strict=True)) >= len(PAIRS) - 1
    assert sum(a >= FOUND for a in bad) >= len(PAIRS) - 2
    assert sum(b >= FOUND for b in good) <= 2


def test_naming_a_group_and_plain_text_are_clean() -> None:
    assert [s for s in scores(NAMING) if s >= FOUND] == []
    assert max(scores(PLAIN)) <= CLEARED


def test_a_curse_without_a_target_shows_under_its_own_kind_only() -> None:
    for text in CURSES:
        verdict = TOXICITY.scan(text)
        assert verdict.status == "clean"
        assert set(verdict.findings) == {"profanity"}


@pytest.mark.parametrize(
    "text", ["Y0u are a st*pid p1g", "y o u  a r e  s t u p i d, go die", "youareastupidpig"]
)
def test_a_hidden_insult_is_found(text: str) -> None:
    assert TOXICITY.scan(text).status == "found"


def test_a_text_scores_as_its_worst_segment_and_tells_where() -> None:
    before, attack = "The meeting starts at nine. ", "You are a worthless piece of garbage. "
    text = before + attack + "Revenue rose by 3 percent in the year."

    verdict = TOXICITY.scan(text)

    spans = [span for span in verdict.spans if span.kind == "toxicity"]
    assert [(span.start, span.end) for span in spans] == [(len(before), len(before) + len(attack))]
    assert verdict.score == max(span.score for span in spans)


def test_a_score_does_not_depend_on_what_is_beside_it(rng: random.Random) -> None:
    texts = [*ATTACKS, *NAMING, *CURSES, "You people are vermin. " * 9]
    alone = [TOXICITY.scan(text) for text in texts]
    order = rng.sample(range(len(texts)), len(texts))

    mixed = list(TOXICITY.scan_batch(Texts.of([texts[at] for at in order])))

    assert mixed == [alone[at] for at in order]


def test_a_stream_gives_what_the_text_gives_and_holds_back_one_segment() -> None:
    text = "All is well here. " * 12 + "You are a worthless piece of garbage. And now more news. "
    stream = TOXICITY.stream()

    for at in range(0, len(text), 7):
        settled = stream.feed(text[at : at + 7].encode())
        assert stream.fed - settled <= segments.MAX_BYTES
    assert stream.finish() == TOXICITY.scan(text)


def test_the_first_stage_never_condemns() -> None:
    first, _ = load(WEIGHTS)
    texts = Texts.of([*PLAIN, *ATTACKS])
    _, froms, starts, ends = segments.cut_rows(texts.data, texts.offsets)
    cleared = ~(first.margins(texts.data, froms, ends) >= first.clears)

    answers = judge(WEIGHTS, texts.data, froms, starts, ends)

    assert 0 < cleared.sum() < len(cleared)
    assert answers[cleared].max() <= CLEARED < FOUND
    assert np.array_equal(answers, answers.round(DECIMALS))


@pytest.mark.parametrize("content", [None, b"", b"\0" * 64])
def test_a_missing_or_damaged_file_leaves_text_unscanned(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "toxicity.safetensors"
    if content is not None:
        path.write_bytes(content)

    detector = ToxicityDetector(path)
    verdict = detector.scan("hello there")

    assert (verdict.status, verdict.reason) == ("unscanned", "failed: Refused")
    assert detector.stream().finish().status == "unscanned"


@pytest.mark.parametrize(
    "change", ["base", "first.table", "grams.weights", "calibration", "head.bias"]
)
def test_a_file_for_another_base_or_without_an_array_leaves_text_unscanned(
    tmp_path: Path, change: str
) -> None:
    card, arrays = tensorfile.read(WEIGHTS, FORMAT)
    if change == "base":
        card["base"] = None
    arrays = {name: array for name, array in arrays.items() if name != change}
    tensorfile.write(tmp_path / "other.safetensors", card, arrays)

    verdict = ToxicityDetector(tmp_path / "other.safetensors").scan("hello there")

    assert (verdict.status, verdict.reason) == ("unscanned", "failed: Refused")


def test_odd_texts_have_a_verdict() -> None:
    odd = [
        "?" * 1_000_000,
        "7" * 100_000,
        "\x00" * 1000,
        "\u05e9\u05dc\u05d5\u05dd \u200f" * 99,
        "\u4f60\u597d\u3002" * 500,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 200,
        "e\u0301\u0301" * 400,
        " \n" * 5000,
        ". " * 5000,
    ]

    assert {v.status for v in TOXICITY.scan_batch(Texts.of(odd))} <= {"clean", "found"}
    assert TOXICITY.scan("hm \ud800").reason == UNDECODABLE


def test_the_weights_that_ship_are_small() -> None:
    assert WEIGHTS.stat().st_size <= 5_000_000
