"""A client of the guard server; needs pyarrow and nothing else.

    from halocline_governance.guard.client import connect

    with connect("grpc://127.0.0.1:8815", token) as lake:
        rows = lake.read("buy:curated.documents", columns=["source", "text"], limit=100)

What comes back is a `pyarrow.RecordBatchReader`: Polars, DuckDB and pandas take it as it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from pyarrow import flight

from halocline_governance.decision import Decision
from halocline_governance.errors import (
    Denied,
    HaloclineError,
    PolicyUnavailable,
    Refused,
    Unauthenticated,
)
from halocline_governance.guard import descriptor
from halocline_governance.guard.condition import Condition
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.loopback import is_loopback
from halocline_governance.principal import Purpose

# gRPC writes to standard error of what is raised anyway; whoever debugs it says so.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

# Without probing, gRPC's window stays small: what was sent before a read ended is little, however
# slowly it is read, and is none the slower for it.
_CHANNEL = [("grpc.http2.bdp_probe", 0)]
# A gRPC server refuses some calls with more than 8 KiB of headers, at random, and from Python it
# cannot be told otherwise.
_TOKEN_BYTES = 7 << 10
_URL = re.compile(r"grpc(?:\+tcp|(?P<tls>\+tls))?://(?P<host>[^/@?#\s]+):\d+/?")
_TOLD = re.compile(
    r"^(unauthenticated|malformed|denied|unavailable)(?: \(decision ([\w-]+)\))?(?:: (.*?))?"
    r"(?:\. Detail: |\. gRPC client debug context|$)",
    re.DOTALL,
)


def connect(
    url: str, token: str | Callable[[], str], tls_root: str | Path | bytes | None = None
) -> Client:
    """A client; no call is made yet.

    Args:
        url: `grpc+tls://HOST:PORT`; on this machine `grpc://HOST:PORT` will do.
        token: the caller's JWT, or what returns a fresh one for each call.
        tls_root: the certificate to trust, as a file or in PEM; the system's when left out.

    Raises:
        Refused: a URL of another form, clear text to another machine, where the token could be
            read on its way, or a certificate that cannot be read.
    """
    parts = _URL.fullmatch(url)
    if parts is None:
        raise Refused("a guard server's URL is grpc://HOST:PORT or grpc+tls://HOST:PORT")
    if parts["tls"] is None and not is_loopback(parts["host"]):
        raise Refused("a guard server on another machine is called by grpc+tls://HOST:PORT")
    root = tls_root
    if isinstance(root, str | Path):
        try:
            root = Path(root).read_bytes()
        except OSError as error:
            raise Refused(f"{tls_root} cannot be read: {error.strerror}") from None
    return Client(url, token if callable(token) else lambda: token, root)


class Client:
    """Reads as the token's holder. Safe to use from many threads."""

    def __init__(self, url: str, token: Callable[[], str], tls_root: bytes | None = None) -> None:
        self._token = token
        root: dict[str, Any] = {"tls_root_certs": tls_root} if tls_root else {}
        self._flight = flight.FlightClient(url, **root, generic_options=_CHANNEL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, and with it the reads that go on."""
        self._flight.close()

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: Iterable[Condition | Sequence[Any]] = (),
        limit: int | None = None,
        version: int | None = None,
        purpose: Purpose | str = Purpose.ANALYSIS,
    ) -> pa.RecordBatchReader:
        """The rows that the caller may read, as they come.

        Args:
            table: `schema.table`, or `compartment:schema.table`.
            columns: which columns; all that may be read when left out.
            where: conditions that all hold, each `(column, operator, value)`.
            limit: rows at most.
            version: a pinned version; name one compartment.
            purpose: why.

        Raises:
            Denied: nothing of it may be read; carries the decision's id.
            Refused: the question is malformed.
            Unauthenticated: the token does not verify.
            PolicyUnavailable: the server cannot decide, record, or be reached.
        """
        asked = descriptor.of(table, columns, where, version, purpose, limit)
        return self.ask(asked)

    def ask(self, asked: Descriptor) -> pa.RecordBatchReader:
        """`read`, of a descriptor."""
        with _told():
            command = flight.FlightDescriptor.for_command(asked.encode())
            options = self._options()  # one token for both: a ticket is its token's alone
            ticket = self._flight.get_flight_info(command, options).endpoints[0].ticket
            stream = self._flight.do_get(ticket, options)
            schema = stream.schema
        return pa.RecordBatchReader.from_batches(schema, _batches(stream))

    def list(self, purpose: Purpose | str = Purpose.ANALYSIS) -> list[dict[str, Any]]:
        """What the caller may read: `{table, compartment, version, columns}` each.

        Raises:
            As `read`.
        """
        with _told():
            found = self._flight.list_flights(options=self._options(purpose))
            return [json.loads(one.app_metadata) for one in found]

    def describe(self, table: str, purpose: Purpose | str = Purpose.ANALYSIS) -> pa.Schema:
        """The columns of a table that the caller may read, with the types they are read as.

        Raises:
            As `read`.
        """
        with _told():
            command = Descriptor(table, purpose=descriptor.purpose(purpose)).encode()
            asked = flight.FlightDescriptor.for_command(command)
            schema = self._flight.get_schema(asked, self._options()).schema
        told: dict[bytes, bytes] = schema.metadata or {}
        if failed := told.get(b"halocline.failed"):
            raise _error(failed.decode())
        return schema

    def _options(self, purpose: Purpose | str | None = None) -> flight.FlightCallOptions:
        token = self._token()
        if len(token) > _TOKEN_BYTES:
            raise Refused(
                f"the token has {len(token):,} bytes, and a guard server takes {_TOKEN_BYTES:,}:"
                " ask its issuer for one with fewer roles and claims"
            )
        headers = [(b"authorization", f"Bearer {token}".encode())]
        if purpose is not None:
            headers.append((b"x-halocline-purpose", descriptor.purpose(purpose).value.encode()))
        return flight.FlightCallOptions(headers=headers)


def _batches(stream: Any) -> Iterator[pa.RecordBatch]:
    try:
        with _told():
            for chunk in stream:
                yield chunk.data
    finally:
        stream.cancel()


@contextmanager
def _told() -> Generator[None]:
    """Turns what the server told into the platform's own errors."""
    try:
        yield
    except (flight.FlightError, pa.ArrowException, OSError) as error:
        raise _error(str(error)) from None


def _error(message: str) -> HaloclineError:
    told = _TOLD.match(message)
    if told is None:
        return PolicyUnavailable("the guard server cannot be reached, or broke off: try again")
    code, decision_id, text = told.groups()
    if code == "unauthenticated":
        return Unauthenticated(
            "the guard server does not accept this token, or its subject is disabled"
        )
    if code == "malformed":
        return Refused(text or "the guard server could not read the question")
    if code == "denied":
        return Denied("read", Decision(False, (), id=decision_id or ""))
    return PolicyUnavailable(f"the guard server is unavailable{': ' + text if text else ''}")
