"""Holds a row of `serving.outputs` to what the journal was told of it.

A row and a record say the same where their values do. Rows are kept as hashes of those: a sketch,
which tells in what two differ, or a seal, which tells only whether they do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from halocline_governance.records import InferenceRecord

COLUMNS = tuple(one.name for one in fields(InferenceRecord))
"""What is read of each output: all of it, since the record commits to all of it."""

_TEXTS = ("prompt", "output", "released", "row")
NAMES = (*COLUMNS, *_TEXTS)
"""What a record may tell in clear, then what it commits to; `row` stands for every column that it
tells in neither way."""

MORE_THAN_ONE = b"more than one row"
"""The sketch of a request that has more than one row."""

# Bytes of one hash: who forges a row must find another one of the same, 2**96 tries.
_SIZE = 12
SEAL_BYTES = 16
_NOTHING = b""


def told(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the journal would have been told of a row with all `COLUMNS`; None of one that is no
    record of an output."""
    try:
        record = InferenceRecord(**{name: row[name] for name in COLUMNS})
        own = record.commitment()
        for name in ("prompt", "output"):
            named = row[f"{name}_sha256"]
            text = str(row[name]).encode("utf-8", "surrogatepass")
            if named and named != hashlib.sha256(text).hexdigest():
                own["commitments"][name] = "of another text"
    except (KeyError, TypeError, ValueError):
        return None
    return own


def sketch(row: Mapping[str, Any]) -> bytes:
    """Of a row with all `COLUMNS`; of one that is no record of an output, the same for all."""
    own = told(row)
    return _NOTHING if own is None else _sketch(own)


def differences(kept: bytes, record: Mapping[str, Any]) -> list[str]:
    """In what a row is not what was recorded: column names, or `row` where no other has a name.

    Args:
        kept: the row's sketch.
        record: the object of its `generate` or `abort` event.
    """
    if kept == MORE_THAN_ONE:
        return ["more than one row"]
    recorded = _sketch(record)
    if len(kept) != len(recorded):
        return ["row"]
    changed = [
        name
        for n, name in enumerate(NAMES)
        if kept[n * _SIZE : (n + 1) * _SIZE] != recorded[n * _SIZE : (n + 1) * _SIZE]
    ]
    return [*dict.fromkeys(name for name in changed if name != "row")] or changed


def seal(record: Mapping[str, Any] | None) -> bytes:
    """16 bytes of a record's object, or of what was `told` of a row: equal where those are. Of
    nothing, what no record has."""
    if record is None:
        return bytes(SEAL_BYTES)
    plain = json.dumps(_values(record), sort_keys=True).encode()
    return hashlib.blake2b(plain, digest_size=SEAL_BYTES).digest()


def _values(record: Mapping[str, Any]) -> Sequence[object]:
    found = record.get("commitments")
    commitments = cast("Mapping[str, Any]", found if isinstance(found, Mapping) else {})
    return [*map(record.get, COLUMNS), *map(commitments.get, _TEXTS)]


def _sketch(record: Mapping[str, Any]) -> bytes:
    return b"".join(map(_short, _values(record)))


def _short(value: object) -> bytes:
    plain = value if type(value) is str else json.dumps(value, sort_keys=True) + "\n"
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()
