"""Canonical JSON (RFC 8785), at the speed of Python's own encoder where that writes the same.

Law: `encode(value) == rfc8785.dumps(value)`, or it is refused, as are some values that RFC 8785
allows: floats of 2**53 and more, which would be read as integers that it does not have, and what is
nested deeper than any reader needs to follow. Python's encoder, with sorted keys
and no spaces, differs from RFC 8785 in these only, and none of them is left to it:

- floats, and integers of 2**53 and more;
- keys that are no strings, and keys beyond U+D7FF, which RFC 8785 sorts by their UTF-16 units;
- lone surrogates, which are no text.
"""

from __future__ import annotations

import json
import re
from types import NoneType
from typing import Any, cast

import rfc8785

MAX_DEPTH = 64  # of a record; each object and array in another is one deeper
_BOUND = 2**53
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_BEYOND = re.compile("[\ud800-\U0010ffff]")
_TEXT = frozenset({str})
_LEAVES = frozenset({str, bool, NoneType})


def encode(value: Any, max_depth: int = MAX_DEPTH) -> bytes:
    """The one canonical form of `value`, in UTF-8.

    Raises:
        ValueError: it has none: a number out of range, a lone surrogate, an object that is not
            JSON's, or too deep a nesting.
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        text = ""  # rfc8785 says what is wrong
    if text and _is_plain(value, max_depth) and (text.isascii() or not _BEYOND.search(text)):
        return text.encode()
    try:
        return rfc8785.dumps(value)
    except RecursionError:
        raise ValueError("it is nested too deeply, or in itself") from None


def _is_plain(root: Any, max_depth: int) -> bool:
    """Whether there are only objects by text, arrays, text, small integers, true, false, null.

    `root` has been encoded: it does not hold itself.

    Raises:
        ValueError: a number out of range, or too deep a nesting.
    """
    plain, level, depth = True, [root], 0
    while level:
        depth += 1
        below: list[Any] = []
        for value in level:
            kind = cast("type[Any]", type(value))
            if kind in _LEAVES:
                continue
            if isinstance(value, int | float):
                if not -_BOUND < value < _BOUND:
                    raise ValueError("a number is 2**53 or more, or none")
                plain = plain and kind is int
                continue
            if depth > max_depth:
                raise ValueError(f"it is nested more than {max_depth} deep")
            if isinstance(value, dict):
                keyed = cast("dict[Any, Any]", value)
                plain = plain and kind is dict and _TEXT.issuperset(map(type, keyed))
                inner = keyed.values()
            elif isinstance(value, list | tuple):
                plain = plain and (kind is list or kind is tuple)
                inner = cast("list[Any]", value)
            else:
                plain = False
                continue
            if not _LEAVES.issuperset(map(type, inner)):
                below += inner
        level = below
    return plain
