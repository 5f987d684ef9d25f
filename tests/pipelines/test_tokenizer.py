"""The tokenizer's laws: nothing is lost, nothing is unknown, and the same text gives the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from halocline_pipelines.training import tokenizer
from halocline_pipelines.training.tokenizer import END, PAD, Vocabulary

TEXTS = [
    "The fund bought the position on a view that margins recover.",
    "The fund sold the position when margins did not recover.",
    "Caf\u00e9 margins: 12 %, \u5229\u6da6 12 %.",
] * 5


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return tokenizer.fit(TEXTS, 320)


@given(st.text())
def test_decoding_undoes_encoding(vocabulary: Vocabulary, text: str) -> None:
    (ids,) = vocabulary.encode([text])

    assert vocabulary.decode(ids) == text
    assert all(0 <= token < vocabulary.size for token in ids)


@pytest.mark.parametrize("text", [END, PAD, f"a{END}b", f"{PAD}{END}"])
def test_a_document_cannot_spell_a_control_token(vocabulary: Vocabulary, text: str) -> None:
    (ids,) = vocabulary.encode([text])

    assert not {vocabulary.end, vocabulary.pad} & set(ids)
    assert vocabulary.decode(ids) == text


def test_the_order_of_texts_does_not_matter(vocabulary: Vocabulary, rng: random.Random) -> None:
    for _ in range(5):
        shuffled = rng.sample(TEXTS, len(TEXTS))
        assert tokenizer.fit(shuffled, 320).sha256 == vocabulary.sha256


def test_other_text_is_another_tokenizer(vocabulary: Vocabulary) -> None:
    other = [text.replace("margins", "volumes") for text in TEXTS]

    assert tokenizer.fit(other, 320).sha256 != vocabulary.sha256


def test_it_comes_back_from_disk_here_and_in_transformers(
    vocabulary: Vocabulary, tmp_path: Path
) -> None:
    vocabulary.save(tmp_path, 64)
    loader: Any = PreTrainedTokenizerFast
    read = loader.from_pretrained(tmp_path, local_files_only=True)

    assert tokenizer.load(tmp_path).sha256 == vocabulary.sha256
    assert tokenizer.load(tmp_path).encode(TEXTS) == vocabulary.encode(TEXTS)
    assert [read.encode(text) for text in TEXTS] == vocabulary.encode(TEXTS)
    assert (read.eos_token_id, read.pad_token_id) == (vocabulary.end, vocabulary.pad)
