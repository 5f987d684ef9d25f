"""What a caller of the guard server is told of a failure: one public code, a decision's id, and
for malformed input what to do next. Never a path, a value or a trace."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import flight

from halocline_governance.errors import (
    Denied,
    HaloclineError,
    JournalUnavailable,
    PolicyUnavailable,
    Refused,
    StateUnavailable,
    TableMissing,
)
from halocline_governance.records import uuid7

FAILED = b"halocline.failed"
"""In a schema's metadata: the error that could not be raised."""

_log = logging.getLogger(__name__)
_TRY_AGAIN = "unavailable: try again; if it lasts, tell whoever runs the guard"


class Malformed(pa.ArrowInvalid):
    """Reaches a caller as INVALID_ARGUMENT, for which Flight has no error of its own."""

    @property
    def __notes__(self) -> list[str]:  # pyright: ignore[reportIncompatibleVariableOverride]
        # pyarrow appends a traceback to what is no Flight error, paths and all, unless formatting
        # it fails: then it appends this class's name.
        raise RuntimeError


def public(error: HaloclineError) -> Exception:
    """The error as a caller may see it."""
    if error.code == "unauthenticated":
        return flight.FlightUnauthenticatedError("unauthenticated")
    if error.code == "unavailable":
        return flight.FlightUnavailableError(_TRY_AGAIN)
    if error.code == "malformed":
        known = isinstance(error, Refused | TableMissing)
        return Malformed(f"malformed: {error}" if known else "malformed")
    if isinstance(error, Denied) and error.decision.id:
        return flight.FlightUnauthorizedError(f"denied (decision {error.decision.id})")
    return flight.FlightUnauthorizedError("denied")


class Health:
    """Whether decisions are made and recorded. The log is told when that changes, in a line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._down_since: str | None = None

    def failed(self, error: HaloclineError) -> None:
        """A question was not answered, or asked in vain."""
        if not isinstance(error, PolicyUnavailable | StateUnavailable | JournalUnavailable):
            return
        with self._lock:
            was_up, self._down_since = self._down_since is None, self._down_since or uuid7()
        if was_up:
            _log.error("nothing is decided, so every read is denied: %s (docs/runbook.md)", error)

    def answered(self, decision_ids: Iterable[str]) -> None:
        """These decisions were given; what was decided before the trouble says nothing of it."""
        with self._lock:
            since = self._down_since
            # Ids sort by time.
            is_up = since is not None and any(ident > since for ident in decision_ids)
            if is_up:
                self._down_since = None
        if is_up:
            _log.warning("decisions are made again")


@contextmanager
def closed() -> Generator[None]:
    """Lets nothing but public errors out. A failure that nobody foresaw is `unavailable`, and the
    server's own log names its type."""
    try:
        yield
    except (flight.FlightError, Malformed):
        raise
    except HaloclineError as error:
        raise public(error) from None
    except Exception as error:  # noqa: BLE001 - a trace must not reach the caller
        _log.error("a call failed: %s", type(error).__name__)
        raise flight.FlightUnavailableError(_TRY_AGAIN) from None
