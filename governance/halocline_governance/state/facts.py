"""What every question carries beside who asks and for what: open crossings and the history.

Read again whenever the epoch moved, and only then. Knows no policy.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from halocline_governance.state.crossings import Crossings
from halocline_governance.state.history import History
from halocline_governance.state.store import Store

_MAX_SUBJECTS = 4096


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a subject, at least as fresh as `epoch`."""

    epoch: int
    crossings: tuple[Mapping[str, Any], ...]
    history: tuple[str, ...]

    def open(self, now: int) -> tuple[Mapping[str, Any], ...]:
        """The crossings that are open at this second."""
        if not self.crossings:
            return ()
        return tuple(one for one in self.crossings if one["not_before"] <= now < one["expires"])


class Facts:
    """Asked on every call, from any thread; a forked child begins with what it inherits."""

    def __init__(self, store: Store, crossings: Crossings, history: History) -> None:
        self._store = store
        self._crossings = crossings
        self._history = history
        self._known: dict[str, Known] = {}

    def about(self, subject: str) -> Known:
        """What a question of this subject must carry.

        Raises:
            StateUnavailable: the database failed; who asks is denied.
        """
        # The epoch is read first: what is read after it is as fresh or fresher, and if fresher,
        # the epoch has moved and nobody takes this for the newest again.
        epoch = self._store.epoch()
        known = self._known.get(subject)
        if known is not None and known.epoch == epoch:
            return known
        known = Known(epoch, self._crossings.granted(subject), self._history.of(subject))
        if len(self._known) >= _MAX_SUBJECTS:
            self._known = {}
        self._known[subject] = known
        return known

    @contextmanager
    def touching(
        self, subject: str, known: Sequence[str], tenants: Sequence[str], decision_id: str
    ) -> Generator[bool]:
        """Append touches; they hold when the block ends without an error.

        Yields:
            False when the history has moved since it was `known`: nothing is appended, ask again.

        Raises:
            StateUnavailable: the database failed; nothing was appended.
        """
        try:
            with self._store.change() as connection:
                if not self._history.append(connection, subject, known, tenants, decision_id):
                    raise _Moved
                yield True
        except _Moved:
            # Undone, so that the epoch stays: nothing has changed.
            yield False


class _Moved(Exception):
    """The history is not what the decision was made from."""
