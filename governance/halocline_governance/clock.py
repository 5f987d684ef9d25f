"""The time by which grants end: tokens, crossings, what was remembered."""

from __future__ import annotations

import time
from collections.abc import Callable


class Onward:
    """Seconds since the epoch that never go back while this process lives: a clock that is set
    back must not make what has ended good again.

    Args:
        wall: seconds since the epoch; it may jump.
        steady: seconds of a clock that never jumps.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._began = wall() - steady()

    def __call__(self) -> float:
        return max(self._wall(), self._began + self._steady())
