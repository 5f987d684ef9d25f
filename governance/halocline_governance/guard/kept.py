"""What was worked out a moment ago, the most recently used of it."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Forgets what was used longest ago. Safe for threads; a forked child begins with nothing.

    Args:
        most: how many values are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._begin()

    def get(self, key: K) -> V | None:
        """The value of this key, if it is kept."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        if self._pid != os.getpid():
            self._begin()
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def _begin(self) -> None:
        # A fork may have found the lock held by a thread that the child does not have.
        self._lock = threading.Lock()
        self._values: OrderedDict[K, V] = OrderedDict()
        self._pid = os.getpid()
