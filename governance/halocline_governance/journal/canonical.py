"""Canonical JSON (RFC 8785), at the speed of Python's own encoder where that writes the same.

Law: `encode(value) == rfc8785.dumps(value)`, or both refuse. Python's encoder, with sorted keys
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

_MAX_INT = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_BEYOND = re.compile("[\ud800-\U0010ffff]")
_TEXT = frozenset({str})
_LEAVES = frozenset({str, bool, NoneType})


def encode(value: Any) -> bytes:
    """The one canonical form of `value`, in UTF-8.

    Raises:
        ValueError: it has none: a number out of range, a lone surrogate, an object that is not
            JSON's, or too deep a nesting.
    """
    try:
        text = _ENCODER.encode(value)
        if _is_plain(value) and (text.isascii() or not _BEYOND.search(text)):
            return text.encode()
    except (TypeError, ValueError, RecursionError):
        pass  # rfc8785 says what is wrong
    try:
        return rfc8785.dumps(value)
    except RecursionError:
        raise ValueError("it is nested too deeply, or in itself") from None


def _is_plain(root: Any) -> bool:
    """Whether there are only objects by text, arrays, text, small integers, true, false, null.

    `root` has been encoded: it does not hold itself.
    """
    todo = [root]
    while todo:
        value = todo.pop()
        kind = cast("type[Any]", type(value))
        if kind is dict:
            if not _TEXT.issuperset(map(type, value)):
                return False
            inner = value.values()
        elif kind is list or kind is tuple:
            inner = value
        elif kind is int:
            if not -_MAX_INT <= value <= _MAX_INT:
                return False
            continue
        elif kind in _LEAVES:
            continue
        else:
            return False
        if not _LEAVES.issuperset(map(type, inner)):
            todo += inner
    return True
