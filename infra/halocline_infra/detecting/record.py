"""One record of JSON as a text with its id, or the reason why there is none.

Strict where two readers could differ: a key twice, NaN and broken UTF-8 make a record malformed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from halocline_infra.detecting.encodings import NOT_UTF8

Id = str | int | float | None

NO_JSON = "malformed: no JSON"
NO_OBJECT = "malformed: no object"
NO_TEXT = "malformed: no text"
NO_STRING = "malformed: text is no string"
TWICE = "malformed: a key twice"
NAN = "malformed: NaN"
SURROGATE = "undecodable: a lone surrogate"


@dataclass(frozen=True, slots=True)
class Fields:
    """Which of a record's fields are read."""

    text: str = "text"
    id: str = "id"


_FIELDS = Fields()


class _Malformed(ValueError):
    """Its only argument is a reason of this module."""


def parsed(line: bytes, fields: Fields = _FIELDS) -> tuple[Id, bytes | str]:
    """The id (None where there is none to be read) and the text in UTF-8, or a reason as `str`."""
    try:
        return _record(_DECODER.decode(line.decode()), fields)
    except UnicodeDecodeError:
        return _id(line, fields), NOT_UTF8
    except _Malformed as error:
        return _id(line, fields), str(error)
    except (ValueError, RecursionError):
        return None, NO_JSON


def document(data: bytes, fields: Fields = _FIELDS) -> Iterator[tuple[Id, bytes | str]]:
    """The records of a document that is an array of them, or one. What comes behind something that
    is no JSON cannot be read, which is the last thing told."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        yield None, NOT_UTF8
        return
    at = _behind_blanks(text, 0)
    if text[at : at + 1] != "[":
        yield parsed(data, fields)
        return
    at = _behind_blanks(text, at + 1)
    first = True
    while first or text[at : at + 1] == ",":
        if first and text[at : at + 1] == "]":
            break
        at = at if first else _behind_blanks(text, at + 1)
        first = False
        try:
            found, at = _element(text, at, fields)
        except (ValueError, RecursionError):
            yield None, NO_JSON
            return
        yield found
        at = _behind_blanks(text, at)
    if text[at : at + 1] != "]" or _behind_blanks(text, at + 1) != len(text):
        yield None, NO_JSON


def utf8(text: bytes) -> bytes | str:
    """The same, or why it is no text."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return text


def _element(text: str, at: int, fields: Fields) -> tuple[tuple[Id, bytes | str], int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except _Malformed as error:
        pairs, end = _LENIENT.raw_decode(text, at)
        return (_named(pairs, fields), str(error)), end
    return _record(value, fields), end


def _behind_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _record(record: Any, fields: Fields) -> tuple[Id, bytes | str]:
    if not isinstance(record, dict):
        return None, NO_OBJECT
    held = cast("dict[str, Any]", record)
    ident, text = _plain(held.get(fields.id)), held.get(fields.text)
    if not isinstance(text, str):
        return ident, NO_STRING if fields.text in held else NO_TEXT
    try:
        return ident, text.encode()
    except UnicodeEncodeError:
        return ident, SURROGATE


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise _Malformed(TWICE)
    return record


def _no_constant(_: str) -> None:
    raise _Malformed(NAN)


_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
_LENIENT = json.JSONDecoder(object_pairs_hook=tuple)


def _id(line: bytes, fields: Fields) -> Id:
    """The id of a line that is no proper record, if there is one and it can be read."""
    try:
        return _named(_LENIENT.decode(line.decode("utf-8", "replace")), fields)
    except (ValueError, RecursionError):
        return None


def _named(pairs: Any, fields: Fields) -> Id:
    if not isinstance(pairs, tuple):
        return None
    named = [value for key, value in cast("tuple[tuple[str, Any], ...]", pairs) if key == fields.id]
    ident = _plain(named[0]) if len(named) == 1 else None
    return None if isinstance(ident, str) and "\ufffd" in ident else ident


def _plain(value: Any) -> Id:
    """An id that can be written back as it came."""
    if isinstance(value, float) and value not in (float("inf"), -float("inf")) and value == value:
        return value
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None
