"""One line of JSON as a text with its id, or the reason why there is none.

Strict where two readers could differ: a key twice, NaN and broken UTF-8 make a line malformed.
"""

from __future__ import annotations

import json
from typing import Any, cast

from halocline_governance.detect.verdict import UNDECODABLE

Id = str | int | float | None

NO_JSON = "malformed: no JSON"
NO_OBJECT = "malformed: no object"
NO_TEXT = "malformed: no text"
NO_STRING = "malformed: text is no string"
TWICE = "malformed: a key twice"
NAN = "malformed: NaN"


class _Malformed(ValueError):
    """Its only argument is a reason of this module."""


def parsed(line: bytes) -> tuple[Id, bytes | str]:
    """The id (None where there is none to be read) and the text in UTF-8, or a reason as `str`.

    A lone surrogate stays one in the bytes, which then are no UTF-8.
    """
    try:
        record = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        return _id(line), UNDECODABLE
    except _Malformed as error:
        return _id(line), str(error)
    except (ValueError, RecursionError):
        return None, NO_JSON
    if not isinstance(record, dict):
        return None, NO_OBJECT
    held = cast("dict[str, Any]", record)
    ident, text = _plain(held.get("id")), held.get("text")
    if isinstance(text, str):
        return ident, text.encode("utf-8", "surrogatepass")
    return ident, NO_STRING if "text" in held else NO_TEXT


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise _Malformed(TWICE)
    return record


def _no_constant(_: str) -> None:
    raise _Malformed(NAN)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)


def _id(line: bytes) -> Id:
    """The id of a line that is no proper record, if there is one and it can be read."""
    try:
        pairs = json.loads(line.decode("utf-8", "replace"), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, tuple):
        return None
    named = [value for key, value in cast("tuple[tuple[str, Any], ...]", pairs) if key == "id"]
    ident = _plain(named[0]) if len(named) == 1 else None
    return None if isinstance(ident, str) and "\ufffd" in ident else ident


def _plain(value: Any) -> Id:
    """An id that can be written back as it came."""
    if isinstance(value, float) and value not in (float("inf"), -float("inf")) and value == value:
        return value
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None
