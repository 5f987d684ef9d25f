"""Tickets: a question, kept here, for its own caller to redeem once and soon.

A ticket is no permission. What it may read is decided when it is redeemed, by the policy of then.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pyarrow import flight

from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.principal import Principal

_PREFIX = b"halocline-"
_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Held:
    holder: tuple[str, str | None]
    asked: Descriptor
    expires: float


class Tickets:
    """Outstanding tickets, bounded for each subject. Safe for threads.

    Args:
        lifetime_s: how long a ticket may wait.
        per_subject: how many may wait; the oldest one makes room.
        clock: seconds, monotonic.
    """

    def __init__(self, lifetime_s: float, per_subject: int, clock: Callable[[], float]) -> None:
        self._lifetime_s = lifetime_s
        self._per_subject = per_subject
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, OrderedDict[bytes, _Held]] = {}

    def issue(self, principal: Principal, asked: Descriptor) -> bytes:
        """A new ticket for this caller, and for nobody else."""
        ticket = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES).encode()
        now = self._clock()
        held = _Held(_holder(principal), asked, now + self._lifetime_s)
        with self._lock:
            self._sweep(now)
            mine = self._held.setdefault(principal.subject, OrderedDict())
            mine[_digest(ticket)] = held
            while len(mine) > self._per_subject:
                mine.popitem(last=False)
        return ticket

    def redeem(self, ticket: bytes, principal: Principal) -> Descriptor:
        """The question behind a ticket, which ends with this.

        Raises:
            FlightUnauthorizedError: forged, used, expired or another's; one answer for all.
        """
        with self._lock:
            mine = self._held.get(principal.subject, OrderedDict())
            held = mine.get(_digest(ticket))
            if held and held.holder == _holder(principal):
                del mine[_digest(ticket)]
                if self._clock() < held.expires:
                    return held.asked
        raise flight.FlightUnauthorizedError("denied: ask for a new ticket")

    def __len__(self) -> int:
        with self._lock:
            return sum(len(mine) for mine in self._held.values())

    def _sweep(self, now: float) -> None:
        for subject in list(self._held):
            mine = self._held[subject]
            while mine and next(iter(mine.values())).expires <= now:
                mine.popitem(last=False)
            if not mine:
                del self._held[subject]


def _digest(ticket: bytes) -> bytes:
    return hashlib.sha256(ticket).digest()


def _holder(principal: Principal) -> tuple[str, str | None]:
    return principal.subject, principal.token_id
