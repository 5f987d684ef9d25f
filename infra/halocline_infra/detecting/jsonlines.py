"""Answers as lines of JSON: the shape that other programs read. It is frozen.

    {"id":"a","spans":[{"kind":"email","start":3,"end":17,"score":0.95}]}
    {"id":"b","toxicity":0.0312}
    {"id":null,"line":7,"spans":[],"unscanned":"malformed: no JSON"}

Offsets count characters (code points). `line` stands where there is no id, and `file` with it when
there are several sources.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from halocline_infra.detecting.answers import Answers
    from halocline_infra.detecting.record import Id

    Signals = Mapping[str, Callable[[Answers, int], Any]]
    """What else to tell of a scanned row, by name."""

_quoted = json.encoder.encode_basestring_ascii


def encoded(
    found: Answers, *, spans: bool = True, files: bool = False, signals: Signals | None = None
) -> bytes:
    """One line for each row, in order.

    Args:
        spans: whether spans are told; else only the scores are.
        files: whether there are several sources.
        signals: what else to tell of a scanned row, by name.
    """
    told = _rows(found) if spans else {}
    names = list(found.scores)
    scores = [found.scores[name].round(6).tolist() for name in names]
    lines: list[str] = []
    batch = found.batch
    for row, (ident, place) in enumerate(zip(batch.ids, batch.places, strict=True)):
        reason = found.reasons.get(row)
        parts = [_head(ident, place, batch.source if files else None)]
        for name, values in zip(names, scores, strict=True):
            parts.append(f'"{name}":{"null" if reason is not None else values[row]}')
        for name, signal in (signals or {}).items():
            value = None if reason is not None else signal(found, row)
            parts.append(f'"{name}":{_compact(value)}')
        if spans or reason is not None:
            parts.append(f'"spans":[{told.get(row, "")}]')
        if reason is not None:
            parts.append(f'"unscanned":{_quoted(reason)}')
        lines.append("{" + ",".join(parts) + "}\n")
    return "".join(lines).encode()


def _rows(found: Answers) -> dict[int, str]:
    """The spans of each row that has any, as JSON."""
    told: dict[int, str] = {}
    kinds = [f'{{"kind":{_quoted(kind)},"start":' for kind in found.kinds]
    for row, code, head, tail, sure in found.flat():
        span = f'{kinds[code]}{head},"end":{tail},"score":{sure}}}'
        told[row] = f"{told[row]},{span}" if row in told else span
    return told


def _head(ident: Id, place: int, file: str | None) -> str:
    if isinstance(ident, str):
        return f'"id":{_quoted(ident)}'
    if ident is not None:
        return f'"id":{_compact(ident)}'
    where = "" if file is None else f'"file":{_quoted(file)},'
    return f'"id":null,{where}"line":{place}'


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
