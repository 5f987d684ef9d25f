"""JSON that all readers read alike, or none: what is signed or decided by one may be acted on by
another."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def loads(content: bytes | str) -> Any:
    """The decoded value.

    Raises:
        ValueError: not JSON in UTF-8, a key that stands twice, a number that is none, or nested too
            deep.
    """
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
