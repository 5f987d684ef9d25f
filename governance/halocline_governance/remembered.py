"""Decisions that were made a moment ago, for whoever asks exactly the same again.

Only what allows is remembered, and never for longer than a minute or than its own `until`. Knows
nothing of gates: what makes a question the same is the key's business.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from halocline_governance.decision import Decision

LIFETIME_S = 60.0
MAX_ENTRIES = 10_000
_MAX_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True)
class _Entry:
    decision: Decision
    # As text: nobody who is handed a decision can change what the next one gets.
    obligations: str
    ends: float
    until: float | None


class Remembered:
    """A bounded store that forgets what was used longest ago. Safe for threads; a forked child
    begins with an empty one.

    Args:
        clock: seconds since the epoch, for `until`. The lifetime is by a clock that cannot jump.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        steady: Callable[[], float] = time.monotonic,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._max_entries = max_entries
        self._begin()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Decision | None:
        """The decision of this very question, unless its time is over."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            late = entry.until is not None and self._clock() >= entry.until
            if late or self._steady() >= entry.ends:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
        made = entry.decision
        return Decision(
            made.allow, made.reasons, json.loads(entry.obligations), made.revision, made.id
        )

    def put(self, key: Hashable, decision: Decision, until: float | None, began: float) -> None:
        """Remember a decision that allows.

        Args:
            until: when it ends at the latest, in seconds since the epoch.
            began: `steady()` before it was asked for; its lifetime runs from there.
        """
        if not decision.allow:
            return
        obligations = json.dumps(dict(decision.obligations), ensure_ascii=False)
        if len(obligations) > _MAX_CHARACTERS:
            return
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            self._entries[key] = _Entry(decision, obligations, began + LIFETIME_S, until)
            self._entries.move_to_end(key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

    def now(self) -> float:
        """The steady clock."""
        return self._steady()

    def _begin(self) -> None:
        # A fork may have found the lock held by a thread that the child does not have.
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._pid = os.getpid()
