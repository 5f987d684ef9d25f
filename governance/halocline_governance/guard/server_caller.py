"""Who calls the guard server, and why: read from each call's headers, before anything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from pyarrow import flight

from halocline_governance.errors import Refused
from halocline_governance.guard.descriptor import purpose
from halocline_governance.guard.server_error import closed
from halocline_governance.identity import bearer
from halocline_governance.principal import Principal, Purpose

PURPOSE_HEADER = "x-halocline-purpose"


class Caller(flight.ServerMiddleware):
    """A verified caller. `again` verifies anew, for reads that go on for long."""

    def __init__(self, verify: Callable[[str], Principal], token: str, purpose: Purpose) -> None:
        self._verify = verify
        self._token = token
        self.principal = verify(token)
        self.purpose = purpose

    def again(self) -> Principal:
        """Who it is now: the directory may have widened or narrowed it.

        Raises:
            Unauthenticated: the token has expired, or its holder was disabled.
        """
        return self._verify(self._token)

    # The transport's own hooks; there is nothing to do at either.
    def sending_headers(self) -> None: ...

    def call_completed(self, exception: BaseException | None) -> None: ...


class Door(flight.ServerMiddlewareFactory):
    """Lets nobody in without a token, whatever is called."""

    NAME = "caller"

    def __init__(self, verify: Callable[[str], Principal]) -> None:
        self._verify = verify

    def start_call(
        self, info: flight.CallInfo, headers: Mapping[str, Sequence[str | bytes]]
    ) -> Caller:
        """Who calls.

        Raises:
            FlightUnauthenticatedError: no token, two of them, or one that does not verify.
        """
        with closed():
            token = bearer(_values(headers, "authorization"))
            named = _values(headers, PURPOSE_HEADER)
            if len(named) > 1:
                raise Refused(f"{PURPOSE_HEADER} can be given once")
            why = purpose(named[0]) if named else Purpose.ANALYSIS
            return Caller(self._verify, token, why)


def _values(headers: Mapping[str, Sequence[str | bytes]], name: str) -> list[str]:
    found = [value for key, values in headers.items() if key.lower() == name for value in values]
    if any(isinstance(value, bytes) for value in found):
        raise Refused(f"{name} is text")
    return cast("list[str]", found)
