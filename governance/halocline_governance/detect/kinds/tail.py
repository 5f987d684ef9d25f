"""How much of an unfinished text is settled: what later text can still make, change or undo.

No value crosses more than one line end and none is longer than REACH, so only the end of the last
two lines is open. In it stay open: the last word; a chain of words with digits (a number, an id,
a date) and whatever the words to the right of it could name; a house number with the few words
behind it; capitals before a house number; names around a spelt `at` or `dot`; and a finding that
words behind it may stretch. No value goes on over a character of a script that writes no blanks
(NEUTRAL): before the last one only numbers and ids stay open, for as long as words may name them.
The property test of stream, text and batch holds this to the rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from halocline_governance.detect.kinds.shape import REACH, RIGHT

_OPEN = REACH + RIGHT
_CONTEXT = RIGHT + 24
_STRETCH = 112
_LONG = 20
_WORDS_OF_A_STREET = 10
_ANY_WORDS_OF_A_STREET = 4

_NEUTRAL = "\x01"
_word = re.compile(r"\S+")
_run = re.compile(r"[^\x01]+")
_numbered = re.compile(rf"\S*[0-9]|\S{{{_LONG}}}")
_digit = re.compile(r"[0-9]")
_sign = re.compile(
    r"[\[({<]?(?:at|dot|punkt|punto|point|ponto|kropka|arroba|chiocciola|arobase|a|@|\.)[\])}>]?\Z",
    re.IGNORECASE,
)
_begun = re.compile(r"(?:[\[({<].{0,11}|@|\.|[a-z]{0,10})\Z", re.IGNORECASE)
_signs = (
    "at",
    "dot",
    "punkt",
    "punto",
    "point",
    "ponto",
    "kropka",
    "arroba",
    "chiocciola",
    "arobase",
)
_joint = re.compile(r"(?:.*[^a-z0-9])?[a-z]{1,4}[^a-z]*\Z|[^a-z]*\Z", re.IGNORECASE)
_month = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|okt|dez|mai|mei|maa|fev|avr|jui|aou|ene"
    r"|abr|ago"
    r"|dic|gen|mag|giu|lug|set|ott|sty|lut|kwi|maj|cze|lip|sie|wrz|paz|lis|gru)",
    re.IGNORECASE,
)
_road_first = re.compile(
    r"\W*(?:calle|c/|avda|avenida|avd|plaza|pza|paseo|carrer|camino|ronda|travesia|carretera|via"
    r"|viale"
    r"|piazza|p\.za|corso|largo|vicolo|strada|rua|praca|ul\.|ulica|al\.|os\.|plac)",
    re.IGNORECASE,
)
_small = re.compile(
    r"(?:de|del|della|dei|di|da|la|las|los|le|les|du|des|van|von|der|den|dem|e|y|et|of|the|am|an"
    r"|im|in|n|nr"
    r"|bis|ter|quater|[IVX]+)\W*\Z|[dl]'|dell'",
    re.IGNORECASE,
)
_box = re.compile(
    r"\W*(?:p|po|p\.?o|o|post|postal|office|box|psc|unit|cmr|usns|uss|dpo|fpo|apo|bp|b\.p|cp|c\.p"
    r"|casella|boite"
    r"|apartado|postfach|postbus|correos|de|no)\W*\Z",
    re.IGNORECASE,
)


def settled(text: str, hits: Sequence[tuple[int, int]]) -> int:
    """Up to where nothing can change any more, in characters.

    Args:
        text: folded, unfinished.
        hits: (start, end) of what was found in it, in order.
    """
    size = len(text)
    line = max(_last_lines(text), size - _OPEN)
    unspaced = text.rfind(_NEUTRAL, line) + 1
    place = _open_words(text, max(line, unspaced))
    if unspaced:
        place = min(place, _open_runs(text, line, unspaced))
    for start, end in reversed(hits):
        if end > place or (end > line and end + _STRETCH > size):
            place = min(place, start)
    return place


def _last_lines(text: str) -> int:
    """Where the last line but one starts, over whose end a value may be wrapped."""
    line = text.rfind("\n")
    return text.rfind("\n", 0, line) + 1 if line > 0 else 0


def _open_runs(text: str, line: int, end: int) -> int:
    """The first run with a number or id to which words behind the NEUTRAL may still give a name."""
    for run in _run.finditer(text, line, end):
        near = run.end() + _CONTEXT > len(text)
        if near and _numbered.search(text, run.start(), run.end()):
            return run.start()
    return len(text)


def _open_words(text: str, line: int) -> int:
    """The first place in the last line from which on a value may be open."""
    size = len(text)
    words = [(match.start(), match[0]) for match in _word.finditer(text, line)]
    if not words:
        return size
    closed = text[-1].isspace()
    place = size if closed else words[-1][0]
    place = min(place, _spelt(words, closed, size))
    place = min(place, _capitals(words, size))
    for number, (start, word) in enumerate(words):
        if start >= place:
            break
        if _is_open(words, number, word, size):
            return _chain_start(words, number)
    return place


def _is_open(words: list[tuple[int, str]], number: int, word: str, size: int) -> bool:
    """Whether a value that starts at this word may be open."""
    behind = len(words) - number - 1
    digits = sum(map(str.isdigit, word)) if _digit.search(word) else 0
    if digits:
        end, count = number, digits
        while end + 1 < len(words) and _chained(words[end + 1][1]):
            end += 1
            count += sum(map(str.isdigit, words[end][1]))
        last = words[end][0] + len(words[end][1])
        mixed = digits >= 4 and len(word) > digits
        if (count >= 5 or mixed) and last + _CONTEXT > size:
            return True
        if end >= len(words) - 2 or behind <= _ANY_WORDS_OF_A_STREET:
            return True
        return _names_only(words, number)
    if len(word) >= _LONG and words[number][0] + len(word) + _CONTEXT > size:
        return True
    if _road_first.match(word):
        return _names_only(words, number)
    if _box.match(word):
        return behind <= 1 or (
            behind <= 6 and all(_box.match(w) for _, w in words[number + 1 : -1])
        )
    return False


def _names_only(words: list[tuple[int, str]], number: int) -> bool:
    """Whether a street line may still go on: few words behind it, and all like names."""
    behind = len(words) - number - 1
    return behind <= _WORDS_OF_A_STREET and all(_name(word) for _, word in words[number + 1 : -1])


def _name(word: str) -> bool:
    """Whether it may stand between a house number and the end of a street line."""
    first = word.lstrip("(\"'")[:1]
    return first.isupper() or first.isdigit() or not first.isalnum() or bool(_small.match(word))


def _chained(word: str) -> bool:
    """Whether it may go on with a number, an id or a date."""
    return (
        any(map(str.isdigit, word))
        or _joint.match(word) is not None
        or _month.match(word) is not None
        or (word.isupper() and len(word) <= 8)
    )


def _chain_start(words: list[tuple[int, str]], number: int) -> int:
    """Where the chain starts that this word is a part of."""
    while number > 0 and _chained(words[number - 1][1]) and number:
        number -= 1
    return words[number][0]


def _capitals(words: list[tuple[int, str]], size: int) -> int:
    """Where the capitals at the end start: a house number or a date may follow them."""
    number = len(words)
    while number > 0 and len(words) - number < 6:
        word = words[number - 1][1]
        if not (_name(word) or _chained(word)) and number < len(words):
            break
        if not (_name(word) or _chained(word)):
            return size
        number -= 1
    return words[number][0] if number < len(words) else size


def _spelt(words: list[tuple[int, str]], closed: bool, size: int) -> int:
    """Where an address begins that is spelt out and may go on."""
    last = len(words) - 1
    number = last + 1 if closed else last
    if not closed and not (_begun.match(words[last][1]) or _sign.match(words[last][1])):
        number = last
    elif number > 0:
        number -= 1
    while number > 0 and len(words) - number < 16:
        if _sign.match(words[number - 1][1]):
            number = max(0, number - 2)
        elif number < len(words) and _sign.match(words[number][1]):
            number -= 1
        else:
            break
    return words[number][0] if number < len(words) else size
