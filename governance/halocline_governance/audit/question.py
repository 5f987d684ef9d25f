"""What somebody looks for in the journal: a test of one event, and bytes that it cannot be without.

Records are canonical JSON (RFC 8785), where a string has one spelling. So a record that lacks the
bytes of what is looked for is no answer, and need not be parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import rfc8785

from halocline_governance.errors import Refused
from halocline_governance.gates import Gate
from halocline_governance.records import Kind

# By which members an event names a thing, wherever in its object they stand.
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "model": ("model", "parent_model"),
    "request": ("request", "request_id"),
    "run": ("run", "run_id"),
    "dataset": ("dataset", "dsv_id"),
    "table": ("table",),
}
_DAY = len("2026-11-21")


@dataclass(frozen=True, slots=True)
class Question:
    """Every part that is given must hold; none given, and every event is an answer.

    Args:
        gate: of a decision; so are `allowed` and `reason`.
        allowed: whether the decision allowed; what is no decision is no answer then.
        reason: part of one of the reasons of a denial, or of a read that was ended.
        model: named anywhere in the event's object, as are request, run, dataset and table; a table
            with its compartment (`buy:curated.documents`) or without.
        start: no earlier than this, as the journal writes times (`instant`).
        end: earlier than this.
        text: part of any string in the event.
    """

    kind: str | None = None
    subject: str | None = None
    purpose: str | None = None
    gate: str | None = None
    allowed: bool | None = None
    reason: str | None = None
    model: str | None = None
    request: str | None = None
    run: str | None = None
    dataset: str | None = None
    table: str | None = None
    start: str | None = None
    end: str | None = None
    text: str | None = None

    def check(self) -> None:
        """That there can be an answer: what is mistyped must not read as "nothing happened".

        Raises:
            Refused: no such kind or gate, which are closed lists, or a period that ends before it
                begins.
        """
        for name, value, known in (("kind", self.kind, Kind), ("gate", self.gate, Gate)):
            if value is not None and value not in [one.value for one in known]:
                there = ", ".join(sorted(one.value for one in known))
                raise Refused(f"there is no {name} of that name; there are: {there}")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise Refused("--from must be before --to")

    def needles(self) -> tuple[bytes, ...]:
        """Bytes that every record of an answer holds, the most telling first.

        Raises:
            Refused: what is looked for is no Unicode text, which no record holds.
        """
        found = [
            _spelled(f'"{name}":', value)
            for name in ("kind", "subject", "purpose", "gate")
            if (value := getattr(self, name)) is not None
        ]
        if self.allowed is not None:
            found.append(b'"allow":' + (b"true" if self.allowed else b"false"))
        for part in (self.reason, self.text):
            if part:
                found.append(_spelled("", part)[1:-1])
        found += [_spelled("", value)[1:] for _, value in self._named()]
        return tuple(sorted(found, key=len, reverse=True))

    def is_in_period(self, ts: str) -> bool:
        """Whether an event of this time can be an answer."""
        return (self.start is None or self.start <= ts) and (self.end is None or ts < self.end)

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether this event is an answer."""
        what: Mapping[str, Any] = event["object"]
        return (
            self.is_in_period(event["ts"])
            and self.kind in (None, event["kind"])
            and self.subject in (None, event["subject"])
            and self.purpose in (None, event["purpose"])
            and self._decided(what)
            and all(_is_named(what, _MEMBERS[name], value) for name, value in self._named())
            and (not self.text or any(self.text in told for told in _strings(event)))
        )

    def _decided(self, what: Mapping[str, Any]) -> bool:
        answer = _mapping(what.get("answer"))
        if self.gate is not None and what.get("gate") != self.gate:
            return False
        if self.allowed is not None and answer.get("allow") is not self.allowed:
            return False
        if not self.reason:
            return True
        told = [*_strings(answer.get("reasons")), *_strings(_mapping(what.get("ended")))]
        return any(self.reason in one for one in told)

    def _named(self) -> list[tuple[str, str]]:
        values = [(name, getattr(self, name)) for name in _MEMBERS]
        return [(name, value) for name, value in values if value is not None]


def instant(text: str, *, ends: bool = False) -> str:
    """A time as the journal writes it: a day (with `ends`, the end of it) or a time with its zone.

    Raises:
        Refused: neither.
    """
    try:
        when = datetime.fromisoformat(text)
        if len(text) == _DAY:
            when = when.replace(tzinfo=UTC) + timedelta(days=1 if ends else 0)
        if when.tzinfo is None:
            raise Refused("a time needs its zone: 2026-11-21T18:00:00Z")
        told = when.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise Refused("give a day, 2026-11-21, or a time with zone, 2026-11-21T18:00Z") from None
    return told.replace("+00:00", "Z")


def _spelled(before: str, value: str) -> bytes:
    try:
        return before.encode() + rfc8785.dumps(value)
    except ValueError:
        raise Refused("what is looked for is no Unicode text, so no record holds it") from None


def _is_named(what: object, members: tuple[str, ...], value: str) -> bool:
    for member, named in _members(what):
        if member not in members:
            continue
        for one in cast("list[object]", named) if isinstance(named, list) else [named]:
            name: object = _mapping(one).get("name", one)
            if isinstance(name, str) and (name == value or name.endswith(f":{value}")):
                return True
    return False


def _members(value: object) -> Iterator[tuple[str, object]]:
    """Every member at every depth."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            inner = cast("Mapping[str, object]", one)
            yield from inner.items()
            waiting += inner.values()
        elif isinstance(one, list):
            waiting += cast("list[object]", one)


def _strings(value: object) -> Iterator[str]:
    """Every string that is a value, at every depth."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += cast("Mapping[str, object]", one).values()
        elif isinstance(one, list):
            waiting += cast("list[object]", one)


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
