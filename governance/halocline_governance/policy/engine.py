"""What every policy engine is, and what may be asked of one.

An engine answers with a well-formed `Decision` or raises `PolicyUnavailable`; it never guesses.
Knows no policy and no transport.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast

from halocline_governance.decision import Decision, from_result
from halocline_governance.errors import PolicyUnavailable
from halocline_governance.gates import Gate
from halocline_governance.records import uuid7

MAX_QUESTION_BYTES = 4 * 1024 * 1024
_MAX_NUMBER = 2**53
_MAX_DEPTH = 64


class Engine(Protocol):
    """A policy engine, safe to use from many threads."""

    @property
    def name(self) -> str:
        """Which engine it is, to be said aloud."""
        ...

    @property
    def revision(self) -> str:
        """The policies and data that answer."""
        ...

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        """The gate's decision.

        Raises:
            PolicyUnavailable: no well-formed answer of this revision in time.
        """
        ...

    def close(self) -> None:
        """Free what the engine holds. It answers nothing afterwards."""
        ...


def question(gate: str, asked: Mapping[str, Any]) -> str:
    """The input as JSON text, which both engines read alike.

    Raises:
        PolicyUnavailable: no such gate, or an input that is not JSON, too long, or holds a number
            that readers of JSON do not agree on.
    """
    if gate not in list(Gate):
        raise PolicyUnavailable("no such gate; see halocline_governance.gates")
    try:
        _check_numbers(asked)
        text = json.dumps(asked, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        message = f"{gate} gate: the input is not JSON ({type(error).__name__})"
        raise PolicyUnavailable(message) from None
    if size > MAX_QUESTION_BYTES:
        raise PolicyUnavailable(f"{gate} gate: the input is longer than {MAX_QUESTION_BYTES} bytes")
    return text


def answer(result: object, revision: str) -> Decision:
    """A policy's raw result as a decision with an id of its own.

    Raises:
        PolicyUnavailable: the result is undefined or of another shape.
    """
    return from_result(result, revision=revision, decision_id=uuid7())


def _check_numbers(value: object, depth: int = 0) -> None:
    """Keys must be text, and numbers of a size that every reader of JSON takes exactly; nesting
    must be of a depth that no reader stumbles at."""
    if depth > _MAX_DEPTH:
        raise ValueError
    if isinstance(value, int | float) and not abs(value) <= _MAX_NUMBER:
        raise ValueError
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[object, object]", value).items():
            if not isinstance(key, str):
                raise TypeError
            _check_numbers(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            _check_numbers(item, depth + 1)
