"""Scans by a hyperscan database from any number of threads at once.

A scan without scratch space of its own takes the database's, and fails where another thread has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

Seen = Callable[[int, int, int, int, object], None]


def by_thread(database: Any) -> Callable[[bytes, Seen], None]:
    """(data, seen): scans the data with the scratch space of this thread."""
    import hyperscan

    module, local = cast(Any, hyperscan), threading.local()

    def scan(data: bytes, seen: Seen) -> None:
        if not hasattr(local, "scratch"):
            local.scratch = module.Scratch(database)
        database.scan(data, match_event_handler=seen, scratch=local.scratch)

    return scan
