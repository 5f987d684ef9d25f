"""Orders to erase: what must go and why, and how far each has come, as the journal tells it.

The journal is the only place where they stand. An order goes `requested -> approved -> begun ->
done`; it is approved by another person than asked for it, and begun as often as it was killed.
Until it is begun, any officer who may take part may end it: `withdrawn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from halocline_governance.errors import Refused
from halocline_governance.person import is_same_person
from halocline_governance.records import Kind

_MAX_REASON = 2000
_MAX_NAMES = 100
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,256}\Z")
_ID = re.compile(r"e-[0-9a-f]{10}\Z")

Placed = tuple[str, int, Mapping[str, Any]]
"""An event and where it stands: log, number, event."""


class What(StrEnum):
    """What an order names."""

    SUBJECT = "subject"
    SOURCE = "source"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Order:
    """What must go. It lies in the journal for good: neither name nor reason may say in clear who
    a person is.

    Args:
        id: `e-` and ten hex digits.
        what: the kind of the names.
        names: subject keys (pseudonyms), names of sources, or request ids.
        reason: why, in a sentence of one line.
        requester: who asks for it.

    Raises:
        Refused: names nothing, gives no reason, or a subject that is not a pseudonymous key.
    """

    id: str
    what: What
    names: tuple[str, ...]
    reason: str
    requester: str

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise Refused("the id of an order is e- and ten hex digits")
        if not 0 < len(self.names) <= _MAX_NAMES or not all(map(_NAME.match, self.names)):
            raise Refused(f"an order names 1 to {_MAX_NAMES} things, each of one line")
        if self.what is What.SUBJECT and not all(map(_SUBJECT_KEY.match, self.names)):
            raise Refused(
                "a subject is named by its key, kind:v1:letters; `halocline erase find` tells it"
                " from a name or an address, which must never stand in an order"
            )
        if not self.reason.strip() or len(self.reason) > _MAX_REASON:
            raise Refused(f"an order needs a reason, of at most {_MAX_REASON} characters")

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "what": self.what.value,
            "names": list(self.names),
            "reason": self.reason,
            "requester": self.requester,
        }


def check_words(order: Order) -> None:
    """What is asked for now is one line of text: it must not read as lines of a certificate.

    An order that is in a journal already may hold anything; `plain` shows it.

    Raises:
        Refused: the reason or a name holds a line feed or what cannot be printed.
    """
    if not all(text.isprintable() for text in (order.reason, *order.names)):
        raise Refused("an order's reason and names are one line of printable text each")


def plain(text: str) -> str:
    """One line, whatever stands in it: what cannot be printed is written as Python escapes it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


_SUBJECT_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}:v[0-9]{1,6}:[a-z2-7]{16}\Z")


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an order has come; `steps` are its events, in the order of time.

    Args:
        order: what must go.
        steps: every event that counts.
    """

    order: Order
    steps: tuple[Placed, ...]

    def of(self, step: str) -> list[Placed]:
        """The events of one step."""
        return [placed for placed in self.steps if placed[2]["object"]["step"] == step]

    @property
    def state(self) -> str:
        """`requested`, `approved`, `withdrawn`, `begun` or `done`."""
        names = {"done": "done", "begin": "begun", "withdraw": "withdrawn", "approve": "approved"}
        return next((name for step, name in names.items() if self.of(step)), "requested")

    @property
    def is_approved(self) -> bool:
        return bool(self.of("approve"))


def standings(placed: Iterable[Placed]) -> dict[str, Standing]:
    """Every order of a journal, by id. A step that nobody may have taken does not count: an
    approval by who asked, what comes without a request, or under another order's words."""
    steps = [one for one in placed if one[2]["kind"] == Kind.ERASE.value]
    steps.sort(key=lambda one: (str(one[2]["ts"]), str(one[2]["event_id"])))
    orders = {
        order.id: order
        for _, _, event in reversed(steps)
        if event["object"]["step"] == "request"
        and (order := _order(event["object"]["order"])).requester == event["subject"]
    }
    return {
        ident: Standing(order, tuple(one for one in steps if _counts(one[2], order)))
        for ident, order in reversed(orders.items())
    }


def _counts(event: Mapping[str, Any], order: Order) -> bool:
    told: Mapping[str, Any] = event["object"]
    if told["order"] != order.as_json():
        return False
    return told["step"] != "approve" or not is_same_person(event["subject"], order.requester)


def _order(held: Mapping[str, Any]) -> Order:
    names: Sequence[str] = held["names"]
    return Order(held["id"], What(held["what"]), tuple(names), held["reason"], held["requester"])
