"""What a log's own records say: of the heads of other logs, and of a change of key.

Only these records are parsed when a journal is verified; and those that no signed head covers,
which anybody could have written, are held to their whole form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from halocline_governance import strict_json
from halocline_governance.errors import Refused
from halocline_governance.journal import canonical
from halocline_governance.journal.evidence import is_log
from halocline_governance.journal.note import Endorsement
from halocline_governance.records import Kind

_OWN_KIND = b'"kind":"journal.'  # in canonical JSON nothing but a member `kind` reads so
# What a process writes before it signs its first head: behind a head over a record of the end, or
# over none, nothing else stands.
OPENING = (Kind.OPENED, Kind.KEY)
NOBODY = "no process of this journal wrote it"
_MEMBERS = {"event", "head", "prev", "seq"}
_TEXTS = ("event_id", "kind", "purpose", "subject", "ts")
_ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Head:
    """A log's signed head, as another log's record names it."""

    log: str
    size: int
    root: str

    def as_json(self) -> dict[str, Any]:
        return {"log": self.log, "size": self.size, "root": self.root}


def may_be_own(payload: bytes) -> bool:
    """Whether a record may be one of the journal's own; never false for one that is."""
    return _OWN_KIND in payload


def is_whole(payload: bytes) -> bool:
    """Whether a record is in canonical form, and it and its event have the members they must have
    and no more."""
    try:
        content = strict_json.loads(payload)
        event = content["event"]
        return (
            content.keys() == _MEMBERS
            and event.keys() == {*_TEXTS, "object"}
            and all(isinstance(event[name], str) for name in _TEXTS)
            and isinstance(event["object"], dict)
            and canonical.encode(content) == payload
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def kind(payload: bytes) -> str:
    """The kind of a whole record, if it is one of the journal's own; else empty."""
    found = strict_json.loads(payload)["event"]["kind"] if may_be_own(payload) else ""
    return found if found.startswith("journal.") else ""


def own(log: str, payload: bytes) -> list[Head] | Endorsement:
    """What a record says, which is nothing for most kinds.

    Raises:
        Refused: it is one of the journal's own and not in its form, or of another log.
    """
    try:
        whole = strict_json.loads(payload)
        kind, content = whole["event"].get("kind"), whole["event"].get("object")
        num_uncovered = whole["seq"] - whole["head"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("the record is not a journal record") from None
    if kind == Kind.KEY:
        return Endorsement.parse(content)
    if kind not in (Kind.OPENED, Kind.SIBLINGS, Kind.CLOSED):
        return []
    if kind == Kind.OPENED and isinstance(content, dict):
        found: dict[str, Any] = {**content}
        adopted = found.pop("adopted", None)
        if type(adopted) is not int or adopted != num_uncovered:
            raise Refused("it does not say how many records before it no head covered")
        content = found
    match content:
        case {"log": str(name), "siblings": [*siblings]} if len(content) == 2:
            if name != log:
                raise Refused(f"the record belongs to {name}")
            return [_head(item) for item in siblings]
        case _:
            raise Refused("the record does not name its log and siblings")


def _head(item: Any) -> Head:
    match item:
        case {"log": str(log), "size": int(size), "root": str(root)} if (
            len(item) == 3 and is_log(log) and _ROOT.fullmatch(root) and type(size) is int
        ):
            if size >= 0:
                return Head(log, size, root)
        case _:
            pass
    raise Refused("a sibling that is named has no log, size and root")
