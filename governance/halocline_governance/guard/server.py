"""The guard for people and tools: an Arrow Flight server that alone holds the lake's credentials.

Every call is authenticated. A ticket is a question; it is decided when it is redeemed, so what was
revoked meanwhile is not read. Knows no policy and opens no table: the guard does both.

A caller who stops reading keeps a thread and a slot until the connection ends. Slots are counted by
subject, so nobody but that caller is kept waiting.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import flight

from halocline_governance import tables
from halocline_governance.errors import Denied, HaloclineError, Refused
from halocline_governance.guard import descriptor, flightsql
from halocline_governance.guard.answer import Answer, listed
from halocline_governance.guard.descriptor import Descriptor
from halocline_governance.guard.guard import Guard
from halocline_governance.guard.server_caller import Caller, Door
from halocline_governance.guard.server_error import FAILED, Health, Malformed, closed
from halocline_governance.guard.server_stream import Slots, Stream, Sweep
from halocline_governance.guard.server_ticket import Tickets
from halocline_governance.loopback import is_loopback
from halocline_governance.principal import Principal

# gRPC writes to standard error of what callers are told anyway; whoever debugs it says so.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

_INFO_TICKET = "CommandGetSqlInfo"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server gives at most. Times in seconds, sizes in bytes."""

    streams: int = 64
    streams_per_subject: int = 16
    tickets_per_subject: int = 256
    ticket_s: float = 60.0
    stream_s: float = 3600.0
    piece_bytes: int = 1 << 20
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A TLS certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    @classmethod
    def read(cls, certificate: Path, key: Path) -> Identity:
        """From two files.

        Raises:
            Refused: one of them cannot be read.
        """
        try:
            return cls(certificate.read_bytes(), key.read_bytes())
        except OSError as error:
            raise Refused(f"the TLS files cannot be read: {error.strerror}") from None


class GuardServer(flight.FlightServerBase):
    """Serves from construction until `shutdown`. Port 0 takes a free one; see `url`.

    Args:
        guard: reads the lake.
        verify: who holds this token; raises `Unauthenticated` for nobody.
        address: host and port to listen at.
        identity: for TLS; without it only a loopback address is served.
        limits: what callers get at most.

    Raises:
        Refused: an address that others can reach, without TLS; or one that is taken.
    """

    def __init__(
        self,
        guard: Guard,
        verify: Callable[[str], Principal],
        address: tuple[str, int] = ("127.0.0.1", 0),
        *,
        identity: Identity | None = None,
        limits: Limits | None = None,
    ) -> None:
        host, port = address
        if identity is None and not is_loopback(host):
            raise Refused(f"{host} can be reached by others: give --tls-cert and --tls-key")
        self._guard = guard
        self._limits = limits or Limits()
        self._tickets = Tickets(
            self._limits.ticket_s, self._limits.tickets_per_subject, time.monotonic
        )
        self._slots = Slots(self._limits.streams, self._limits.streams_per_subject)
        self._health = Health()
        self._sweep = Sweep()
        self._stopping = False
        self._host = f"[{host}]" if ":" in host else host
        self._scheme = "grpc+tls" if identity else "grpc+tcp"
        pair = [(identity.certificate, identity.key)] if identity else None
        try:
            super().__init__(
                f"{self._scheme}://{self._host}:{port}",
                tls_certificates=pair,
                middleware={Door.NAME: Door(verify)},
            )
        except (pa.ArrowException, OSError):
            self._sweep.stop()
            raise Refused(f"cannot listen at {host}:{port}: is it taken?") from None

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"{self._scheme.replace('+tcp', '')}://{self._host}:{self.port}"

    @property
    def streams(self) -> int:
        """How many reads are going on."""
        return self._slots.taken

    def stop(self, timeout_s: float = 10.0) -> bool:
        """End what goes on with `unavailable`, then the server.

        Returns:
            Whether it ended in time. A caller who does not read what it asked for keeps it from
            ending; only the end of one of the two processes helps.
        """
        self._stopping = True
        self._sweep.stop()
        ending = threading.Thread(target=self.shutdown, daemon=True)
        ending.start()
        ending.join(timeout_s)
        return not ending.is_alive()

    def list_flights(self, context: flight.ServerCallContext, criteria: bytes) -> list[Any]:
        """What the caller may read, by compartment; nothing else is there."""
        with closed():
            if criteria:
                raise Refused("list takes no criteria; the purpose is a header")
            caller = _caller(context)
            with self._told():
                found = listed(self._guard, caller.principal, caller.purpose)
            return [_flight(one) for one in found]

    def get_flight_info(
        self, context: flight.ServerCallContext, asked: flight.FlightDescriptor
    ) -> flight.FlightInfo:
        """A ticket for a question. Nothing is decided yet, so nothing is told."""
        with closed():
            ticket = self._ticket(_caller(context), _command(asked))
            return flight.FlightInfo(None, asked, [flight.FlightEndpoint(ticket, [])])

    def get_schema(
        self, context: flight.ServerCallContext, asked: flight.FlightDescriptor
    ) -> flight.SchemaResult:
        """The columns that the caller may read of what is asked, and their types.

        Nothing is raised here: of this one call, pyarrow hands a server's traceback to the caller.
        A failure is a schema without columns that tells the code in its metadata.
        """
        try:
            with closed():
                caller = _caller(context)
                question, _ = _question(caller, _command(asked))
                return flight.SchemaResult(self._answer(caller, question).schema)
        except (flight.FlightError, Malformed) as error:
            return flight.SchemaResult(pa.schema([], {FAILED: str(error).encode()}))

    def do_get(
        self, context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.FlightDataStream:
        """The rows behind a ticket: decided now, recorded, and only then read."""
        with closed():
            caller, content = _caller(context), bytes(ticket.ticket)
            if flightsql.is_command(content):
                name, told = flightsql.unpack(content)
                if name == _INFO_TICKET:
                    return flight.RecordBatchStream(flightsql.info(told.info))
                if name != "TicketStatementQuery":
                    raise Refused("this is not a ticket")
                content = told.statement_handle
            stream, schema = self._stream(caller, self._tickets.redeem(content, caller.principal))
            return flight.GeneratorStream(schema, stream)

    def do_action(self, context: flight.ServerCallContext, action: flight.Action) -> list[bytes]:
        """Flight SQL's prepared statements. One is its text: preparing it checks the shape."""
        with closed():
            caller = _caller(context)
            if action.type not in _ACTIONS:
                raise Refused(f"there are these actions: {', '.join(_ACTIONS)}")
            name, told = flightsql.unpack(action.body.to_pybytes())
            if name == "ActionCreatePreparedStatementRequest":
                _parsed(caller, told.query)
                handle = told.query.encode()
                result = "ActionCreatePreparedStatementResult"
                return [flightsql.pack(result, prepared_statement_handle=handle)]
            return []

    def list_actions(self, context: flight.ServerCallContext) -> list[tuple[str, str]]:
        with closed():
            _caller(context)
            return list(_ACTIONS.items())

    def do_put(self, context: flight.ServerCallContext, *_: object) -> None:
        """Refused: nothing is written through the guard."""
        with closed():
            _caller(context)
            raise Refused("this server only reads")

    def do_exchange(self, context: flight.ServerCallContext, *_: object) -> None:
        """Refused, as `do_put`."""
        self.do_put(context)

    def _answer(self, caller: Caller, asked: Descriptor) -> Answer:
        with self._told():
            answer = Answer.of(self._guard, caller.principal, caller.purpose, asked)
        self._health.answered(grant.decision.id for grant in answer.plan.grants)
        return answer

    @contextmanager
    def _told(self) -> Generator[None]:
        """Ask the guard within: the log is told when it begins or ceases to answer."""
        try:
            yield
        except Denied as error:
            self._health.answered([error.decision.id])
            raise
        except HaloclineError as error:
            self._health.failed(error)
            raise

    def _ticket(self, caller: Caller, content: bytes) -> bytes:
        if flightsql.is_command(content) and flightsql.unpack(content)[0] == _INFO_TICKET:
            return content
        question, is_sql = _question(caller, content)
        tables.table(question.table.rpartition(":")[2])
        ticket = self._tickets.issue(caller.principal, question)
        return flightsql.pack("TicketStatementQuery", statement_handle=ticket) if is_sql else ticket

    def _stream(self, caller: Caller, asked: Descriptor) -> tuple[Stream, pa.Schema]:
        subject = caller.principal.subject
        self._slots.take(subject)
        try:
            answer = self._answer(caller, asked)
            watch = self._guard.watch(answer.plan, self._still(caller))
            reader = answer.reader(self._limits.rows, watch)

            def check() -> None:
                if self._stopping:
                    raise flight.FlightUnavailableError("unavailable: the server stops")
                with self._told():
                    watch.check()

            def done() -> None:
                self._sweep.leave(check)
                self._slots.give(subject)

            stream = Stream(reader, check, done, self._limits.piece_bytes)
            self._sweep.join(check)
        except BaseException:
            self._slots.give(subject)
            raise
        return stream, reader.schema

    def _still(self, caller: Caller) -> Callable[[], Principal]:
        ends = time.monotonic() + self._limits.stream_s

        def still() -> Principal:
            if time.monotonic() >= ends:
                raise flight.FlightTimedOutError("unavailable: the read took too long")
            return caller.again()

        return still


_ACTIONS: Mapping[str, str] = {
    "CreatePreparedStatement": "Check a statement's shape; the handle is the statement.",
    "ClosePreparedStatement": "Nothing is kept, so nothing is closed.",
}


def _caller(context: flight.ServerCallContext) -> Caller:
    caller = context.get_middleware(Door.NAME)
    if not isinstance(caller, Caller):
        raise flight.FlightUnauthenticatedError("unauthenticated")
    return caller


def _command(asked: flight.FlightDescriptor) -> bytes:
    if not asked.command:
        raise Refused("ask by a command: a descriptor's JSON, or a Flight SQL statement")
    return asked.command


def _question(caller: Caller, content: bytes) -> tuple[Descriptor, bool]:
    """What is asked, and whether in SQL."""
    if not flightsql.is_command(content):
        return descriptor.parse(content), False
    name, told = flightsql.unpack(content)
    if name == "CommandStatementQuery":
        return _parsed(caller, told.query), True
    if name == "CommandPreparedStatementQuery":
        return _parsed(caller, told.prepared_statement_handle.decode("utf-8", "replace")), True
    raise Refused("this server speaks Flight SQL's statement query and nothing else of it")


def _parsed(caller: Caller, statement: str) -> Descriptor:
    from halocline_governance.guard import sql

    return sql.parse(statement, caller.purpose)


def _flight(told: Mapping[str, Any]) -> flight.FlightInfo:
    path = flight.FlightDescriptor.for_path(told["compartment"], told["table"])
    return flight.FlightInfo(None, path, [], app_metadata=json.dumps(told).encode())
