"""What a caller of the guard server is told of a failure: one public code, a decision's id, and
for malformed input what to do next. Never a path, a value or a trace."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager

from pyarrow import flight

from halocline_governance.errors import Denied, HaloclineError, Refused, TableMissing

FAILED = b"halocline.failed"
"""In a schema's metadata: the error that could not be raised."""

_log = logging.getLogger(__name__)
_BY_CODE: dict[str, type[flight.FlightError]] = {
    "unauthenticated": flight.FlightUnauthenticatedError,
    "denied": flight.FlightUnauthorizedError,
    "unavailable": flight.FlightUnavailableError,
    "malformed": flight.FlightServerError,
}


def public(error: HaloclineError) -> flight.FlightError:
    """The error as a caller may see it."""
    told = error.code if error.code in _BY_CODE else "denied"
    if isinstance(error, Denied) and error.decision.id:
        told = f"{told} (decision {error.decision.id})"
    elif isinstance(error, Refused | TableMissing):
        told = f"{told}: {error}"
    return _BY_CODE.get(error.code, flight.FlightUnauthorizedError)(told)


@contextmanager
def closed() -> Generator[None]:
    """Lets nothing but public errors out. A failure that nobody foresaw is `unavailable`, and the
    server's own log names its type."""
    try:
        yield
    except flight.FlightError:
        raise
    except HaloclineError as error:
        raise public(error) from None
    except Exception as error:  # noqa: BLE001 - a trace must not reach the caller
        _log.error("a call failed: %s", type(error).__name__)
        raise flight.FlightUnavailableError("unavailable") from None
