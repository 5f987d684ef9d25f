"""The compiled parts of the toxicity detector: where a text is cut, the first stage's net."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.toxicity import first, grams, segments
from halocline_governance.detect.toxicity.plain import plain

PARTS = ["One two three. ", "He said 'no way.' Then ", "a ", ". ", "\n\n", "\n", "?! ", "x" * 70]
TEXTS = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=8)), max_size=40).map(
    lambda parts: "".join(parts).encode("utf-8", "replace")
)
MASK = (1 << 64) - 1
LEET = dict(zip("013457@$|!", "oieastasii", strict=True))


def cut(data: bytes, start: int = 0, final: bool = True) -> list[tuple[int, int, int]]:
    places = segments.cut(np.frombuffer(data, dtype=np.uint8), start, len(data), final)
    return list(zip(*(column.tolist() for column in places), strict=True))


@settings(deadline=None)
@given(TEXTS)
def test_segments_tile_the_text_and_none_is_longer_than_stated(data: bytes) -> None:
    found = cut(data)

    assert b"".join(data[start:end] for _, start, end in found) == data
    for begin, start, end in found:
        assert 0 < end - start <= segments.MAX_BYTES
        assert 0 <= begin <= start
        assert start - begin <= segments.CONTEXT
        data[begin:end].decode()
        words = re.findall(rb"[0-9A-Za-z\x80-\xff]+", data[start:end])
        assert len(words) <= segments.MAX_WORDS


@settings(deadline=None)
@given(TEXTS, st.integers(0, 900))
def test_a_closed_segment_stays_whatever_follows_and_needs_a_bounded_past(
    data: bytes, at: int
) -> None:
    whole = cut(data)
    closed = cut(data[:at], final=False)

    assert whole[: len(closed)] == closed
    for _, start, _ in whole[1:]:
        origin = max(0, start - segments.LOOK_BEHIND)
        again = cut(data[origin:], start - origin)
        assert [tuple(n + origin for n in row) for row in again] == [
            row for row in whole if row[1] >= start
        ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I met some people. I hate them all.  Bye now then.", [19, 37, 50]),
        ('"Women are stupid." is wrong. He left in May.', [30, 45]),
        ("See e.g. this one. And that too.", [19, 32]),
        ("No. No. No. That is all of it.", [12, 30]),
        ("One two three\n\nfour five six", [15, 28]),
        ("\u4f60 \u597d \u5417\u3002 \u597d", [15, 18]),
        ("", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, parts: list[int]) -> None:
    assert [end for _, _, end in cut(text.encode())] == parts


@settings(deadline=None)
@given(TEXTS)
def test_grams_are_those_of_the_definition(data: bytes) -> None:
    found, words = grams.grams(np.frombuffer(data, dtype=np.uint8), 0, len(data))

    meant_words, meant_letters = defined(data)
    assert found.tolist() == meant_words + meant_letters
    assert words == len(meant_words)


def defined(data: bytes) -> tuple[list[int], list[int]]:
    """Words with their pairs, then runs of letters, by the plain reading of the docstring."""
    words: list[int] = []
    before = 0
    for word in re.findall(rb"[0-9A-Za-z*@$\x80-\xff]+", data):
        if not re.search(rb"[A-Za-z\x80-\xff]", word):
            continue
        value = 0
        for byte in word.lower():
            value = (value * 0x100000001B3 + byte) & MASK
        words += [bucket(value, 0x9E37), bucket((before * 31 + value) & MASK, 0x85EB)]
        before = value
    letters: list[int] = []
    for at, byte in enumerate(data):
        char = chr(byte)
        near = any(0 <= n < len(data) and data[n] >= 65 for n in (at - 1, at + 1))
        if byte >= 128 or (char.isascii() and char.isalpha()):
            letter = byte if byte >= 128 else ord(char.lower())
        elif char in LEET and (near or byte >= 65):
            letter = ord(LEET[char])
        else:
            continue
        if not letters or letters[-1] != letter:
            letters.append(letter)
    runs: list[int] = []
    for end in range(4, len(letters) + 1):
        runs.append(bucket(int.from_bytes(bytes(letters[end - 4 : end])), 0xC2B2))
        if end >= 6:
            runs.append(bucket(int.from_bytes(bytes(letters[end - 6 : end])), 0x27D4))
    return words, runs


def bucket(value: int, seed: int) -> int:
    mixed = ((value ^ seed) * 0xBF58476D1CE4E5B9) & MASK
    mixed = ((mixed ^ (mixed >> 29)) * 0x94D049BB133111EB) & MASK
    return (mixed ^ (mixed >> 32)) & (grams.BUCKETS - 1)


def small_net(rng: np.random.Generator) -> first.Net:
    shapes = {"table": (9, 4), "conv": (12, 3), "conv_bias": (3,), "hidden": (6, 5)}
    shapes |= {"hidden_bias": (5,), "out": (5, 2), "out_bias": (2,)}
    parts = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    table = (20 * parts.pop("table")).astype(np.int8)
    return first.Net(table=table, **parts)


def by_definition(net: first.Net, ids: list[int]) -> float:
    """The docstring of the module, in the plainest numpy; three pieces wide."""
    x = np.vstack([np.zeros(4), net.table[ids].astype(float), np.zeros(4)])
    near = [np.concatenate(x[at : at + 3]) for at in range(len(ids))]
    seen = np.maximum([row @ net.conv + net.conv_bias for row in near], 0)
    inner = np.concatenate([seen.mean(axis=0), seen.max(axis=0)]) @ net.hidden + net.hidden_bias
    return float((np.maximum(inner, 0) @ net.out + net.out_bias).max())


def test_the_net_is_that_of_the_definition_whatever_stands_beside_a_text(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = small_net(rng)
    texts = [rng.integers(0, 9, rng.integers(1, 12)).tolist() for _ in range(60)]
    alone = [net.read(np.array(t, dtype=np.int32), np.array([len(t)])).tolist()[0] for t in texts]

    flat = np.array([piece for text in texts for piece in text], dtype=np.int32)
    together = net.read(flat, np.cumsum([len(text) for text in texts]))

    assert together.tolist() == alone
    assert alone == pytest.approx([by_definition(net, text) for text in texts], rel=1e-3, abs=1e-3)


def test_hidden_words_are_made_plain_and_plain_ones_stay() -> None:
    words = ["you", "are", "an", "idiot", "stupid", "people", "women", "hate"]
    known = {word: place for place, word in enumerate(words, 1)}

    assert plain("y0u are an 1d1ot!!", known.get) == "you are an idiot!!"
    assert plain("s t u p i d people", known.get) == "stupid people"
    assert plain("youareanidiot", known.get) == "you are an idiot"
    assert plain("stuuuupid w\u043emen", known.get) == "stupid women"
    assert plain("10-K of Q3 2021, 1-800-555", known.get) == "10-K of Q3 2021, 1-800-555"
