"""What other policies would have decided: the journal's questions, asked of two sets of policies.

Streams: only what changes is kept. Knows no journal; it is given events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.policy.archive import load
from halocline_governance.policy.bundle import Bundle, collect
from halocline_governance.policy.embedded import Embedded

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded question that the new policies answer in another way."""

    id: str
    when: str
    gate: str
    subject: str
    purpose: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "ts": self.when,
            "gate": self.gate,
            "subject": self.subject,
            "purpose": self.purpose,
            "before": dict(self.before),
            "after": dict(self.after),
        }


@dataclass(slots=True)
class Difference:
    """What would change. Newly allowed comes first: only that can do harm."""

    old: str
    new: str
    num_asked: int = 0
    allowed: list[Change] = field(default_factory=list[Change])
    denied: list[Change] = field(default_factory=list[Change])
    obliged: list[Change] = field(default_factory=list[Change])
    retold: list[Change] = field(default_factory=list[Change])

    def as_json(self) -> dict[str, Any]:
        parts = {
            "newly_allowed": self.allowed,
            "newly_denied": self.denied,
            "changed_obligations": self.obliged,
            "changed_reasons": self.retold,
        }
        return {
            "old": self.old,
            "new": self.new,
            "asked": self.num_asked,
            "counts": {name: len(changes) for name, changes in parts.items()},
            **{name: [change.as_json() for change in changes] for name, changes in parts.items()},
        }


def policies(
    named: str,
    current: Callable[[], Bundle],
    firm: Mapping[str, Any],
    key: EllipticCurvePublicKey | None,
) -> Bundle:
    """What a name on the command line stands for.

    Args:
        named: `current`, a folder of policies, or a bundle file.
        current: the policies that decide here.
        firm: the firm's facts, for a folder, which has none of its own.
        key: who must have signed a bundle file; None to compare without belief.

    Raises:
        Refused: none of these.
        Unverified: the bundle file is not what the key's holder signed.
    """
    if named == "current":
        return current()
    path = Path(named)
    if path.is_dir():
        return collect(firm, path)
    if path.is_file():
        return load(path, key).bundle
    raise Refused(f"{named}: name a folder of policies, a bundle file, or `current`")


def questions(events: Iterable[Event], since: str = "", gate: str | None = None) -> Iterator[Event]:
    """The decisions among the events, from `since` on, of one gate or of all.

    Raises:
        Refused: `since` is no date or time, which would leave out what it was meant to check.
    """
    since = _instant(since) if since else ""
    for event in events:
        if event["kind"] != "decision" or event["ts"] < since:
            continue
        if gate in (None, event["object"]["gate"]):
            yield event


def replay(events: Iterable[Event], old: Bundle, new: Bundle) -> Difference:
    """Ask each question of both."""
    found = Difference(old.revision, new.revision)
    before_engine, after_engine = Embedded(old), Embedded(new)
    try:
        for event in events:
            found.num_asked += 1
            gate, asked = event["object"]["gate"], event["object"]["input"]
            before, after = _answer(before_engine, gate, asked), _answer(after_engine, gate, asked)
            if before == after:
                continue
            change = Change(
                str(event["object"]["answer"].get("id") or event["event_id"]),
                event["ts"],
                gate,
                event["subject"],
                event["purpose"],
                before,
                after,
            )
            _kind(found, before, after).append(change)
    finally:
        before_engine.close()
        after_engine.close()
    return found


def _kind(found: Difference, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    if before["allow"] != after["allow"]:
        return found.allowed if after["allow"] else found.denied
    return found.obliged if after["allow"] else found.retold


def _answer(engine: Embedded, gate: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        decision = engine.decide(gate, asked)
    except PolicyUnavailable:
        decision = Decision(allow=False, reasons=("unavailable",))
    answer = decision.as_json()
    return {key: answer[key] for key in ("allow", "reasons", "obligations")}


def _instant(text: str) -> str:
    """A date or time as the journal spells it; without a zone it is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            "--since takes a date or time, such as 2026-11-01 or 2026-11-01T08:00Z"
        ) from None
    when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
