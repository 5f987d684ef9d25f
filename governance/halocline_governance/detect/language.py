"""The language of a text by py3langid's n-gram model, which is loaded once, at the first call."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol, cast

_MAX_CHARS = 4_000


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def language(text: str) -> tuple[str, float]:
    """ISO 639-1 code and probability, read from the first 4,000 characters.

    A text without a letter is `("und", 0.0)`: undetermined.
    """
    sample = text[:_MAX_CHARS]
    if not any(map(str.isalpha, sample)):
        return "und", 0.0
    code, probability = _identifier().classify(sample)
    return code, float(probability)


@cache
def _identifier() -> _Identifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    load = cast("Callable[..., _Identifier]", LanguageIdentifier.from_model_file)  # pyright: ignore[reportUnknownMemberType]
    return load(MODEL_FILE, norm_probs=True)
