"""The language of a text by py3langid's n-gram model, which is loaded once, at the first call.

A long text is read at four places, each for itself: one language all through is surer than two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from halocline_governance.detect.face import ByText
from halocline_governance.detect.verdict import Finding, Span

VERSION = "language@2"
UNDETERMINED = "und"

CODES = tuple(
    """
    ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et
    eu ext fa fi fo fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy
    id ig is it ja jv ka kab kik kk km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn
    mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk sl sn
    so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh
    zu
    """.split()  # noqa: SIM905 - a word list reads better
)
"""The model's languages, ISO 639-1 and -3."""

_PART, _PARTS = 1_000, 4
_MIN_PART = 200
_MIN_LETTERS = 8
_MIN_WIDE = 2
_RARE = frozenset(
    """
    ace an ary arz ba bcl crh dz ext fo fuv gcf gcr gom grc gug guw hbo ht kab kik ku la lb lg lij
    ln ltg mg nso oc om pcm qu rw sa sdh se sn so st tk tt ug uzs vec vo wa wuu xh yo yue zu
    """.split()  # noqa: SIM905 - a word list reads better
)
_RARE_PRIOR = 0.1
"""Languages that little text is written in: an even chance would give them many short texts."""
_NO_LANGUAGE = "zxx"  # what the model calls code and tables


class _Identifier(Protocol):
    @property
    def labels(self) -> list[str]: ...

    def rank(self, text: str) -> list[tuple[str, float]]: ...


def language(text: str) -> tuple[str, float]:
    """The language's code and its probability.

    A text of up to 800 characters is read whole, another at four places spread over it, of up to
    1,000 characters each: the same places for the same text. The probability is then the mean over
    the places, so that of a text in two languages neither is sure.

    With too few letters to tell (8; of Chinese, Japanese, Korean, Thai and the like 2), or in what
    the model takes for no language at all, it is `("und", 0.0)`: undetermined.
    """
    parts = [part for part in _places(text) if _tells(part)]
    if not parts:
        return UNDETERMINED, 0.0
    sums: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        told = [
            (code, chance * (_RARE_PRIOR if code in _RARE else 1.0))
            for code, chance in identifier().rank(part)
        ]
        whole = sum(chance for _, chance in told)
        for code, chance in told:
            sums[code] += chance / whole
    code, total = max(sums.items(), key=lambda item: (item[1], item[0]))
    if code == _NO_LANGUAGE:
        return UNDETERMINED, 0.0
    return code, min(1.0, total / len(parts))


@dataclass(frozen=True, slots=True)
class LanguageDetector(ByText):
    """One span over the whole text, of kind `language_<code>`; its probability is the score too.

    A language is no finding: the status is always clean. Undetermined texts have no span.
    """

    id: str = VERSION
    kinds: frozenset[str] = frozenset(f"language_{code}" for code in CODES)

    def holdback(self, text: str) -> int:
        """All of it: any later text can change the language."""
        return len(text.encode("utf-8", "surrogatepass"))

    def find(self, text: str) -> Finding:
        code, probability = language(text)
        if code == UNDETERMINED:
            return Finding((), 0.0, found=False)
        span = Span(0, len(text.encode()), f"language_{code}", probability)
        return Finding((span,), probability, found=False)


def _places(text: str) -> list[str]:
    size = len(text)
    if size < _PARTS * _MIN_PART:
        return [text]
    step = size // _PARTS
    starts = [at * step + (step - min(step, _PART)) // 2 for at in range(_PARTS)]
    return [text[start : start + min(step, _PART)] for start in starts]


def _tells(part: str) -> bool:
    letters = [letter for letter in part if letter.isalpha()]
    # One sign of these scripts is a syllable or a word.
    wide = sum("\u0e00" <= letter <= "\u0eff" or letter >= "\u1100" for letter in letters)
    return len(letters) >= _MIN_LETTERS or wide >= _MIN_WIDE


@cache
def identifier() -> _Identifier:
    """The model, read at the first call."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    load = cast("Callable[..., _Identifier]", LanguageIdentifier.from_model_file)  # pyright: ignore[reportUnknownMemberType]
    return load(MODEL_FILE, norm_probs=True)
