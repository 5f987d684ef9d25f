"""What the attacker of mode 3 knows, and how it asks: the list of attacks on the server."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from bypass_evidence import Evidence
from bypass_names import TABLE
from pyarrow import flight

from halocline_governance.guard import flightsql

HERE = f"buy:{TABLE}"


SERVER: dict[int, Callable[[Target], Evidence]] = {}


@dataclass(frozen=True, slots=True)
class Target:
    """What the attacker knows: more than a user would."""

    url: str
    home: str
    pid: int
    uid: int
    token: str
    anothers_ticket: str
    revoked_ticket: str
    revoked_token: str
    public_key: str
    label_id: str
    hidden_label_id: str

    def options(self, token: str | None = None, **headers: str) -> flight.FlightCallOptions:
        pairs = [(b"authorization", f"Bearer {token or self.token}".encode())]
        pairs += [(name.encode(), value.encode()) for name, value in headers.items()]
        return flight.FlightCallOptions(headers=pairs, timeout=20)

    def ask(self, token: str | None = None, **asked: object) -> object:
        """A descriptor's rows, or what the error says."""
        return self.command(json.dumps({"table": HERE, **asked}).encode(), token)

    def sql(self, statement: str) -> object:
        return self.command(flightsql.pack("CommandStatementQuery", query=statement))

    def command(self, content: bytes, token: str | None = None) -> object:
        with flight.connect(self.url) as client:
            try:
                asked = flight.FlightDescriptor.for_command(content)
                info = client.get_flight_info(asked, self.options(token))
                rows = client.do_get(info.endpoints[0].ticket, self.options(token)).read_all()
                return rows.to_pylist()
            except pa.ArrowException as error:
                return f"{type(error).__name__}: {plain(error)}"

    def redeem(self, ticket: bytes, token: str | None = None) -> object:
        with flight.connect(self.url) as client:
            try:
                return (
                    client.do_get(flight.Ticket(ticket), self.options(token)).read_all().to_pylist()
                )
            except pa.ArrowException as error:
                return plain(error)

    def files(self) -> Path:
        return Path(self.home) / "lake" / "buy" / "curated" / "documents"


def plain(error: object) -> str:
    """What an error tells, without what differs from one call to the next."""
    told = str(error).split(". gRPC client debug context")[0].split(". Detail:")[0]
    return re.sub(r"decision [\w-]+", "decision", told)


def server(*numbers: int) -> Callable[[Any], Any]:
    def register(attack: Any) -> Any:
        for number in numbers:
            SERVER[number] = attack
        return attack

    return register


def differ(answers: Iterable[object], what: str) -> Evidence:
    found = list(answers)
    return Evidence(found, sign=what if len({str(answer) for answer in found}) > 1 else "")


def pages_of(folder: Path) -> list[Path]:
    return [folder / name for name in os.listdir(folder)]


def rows_of(answer: object) -> list[Any]:
    assert isinstance(answer, list), answer
    return cast("list[Any]", answer)


def act(target: Target, name: str, body: bytes) -> object:
    with flight.connect(target.url) as client:
        try:
            action = flight.Action(name, body)
            return [bytes(one.body) for one in client.do_action(action, target.options())]
        except pa.ArrowException as error:
            return plain(error)


def schema_of(target: Target, table: str) -> str:
    with flight.connect(target.url) as client:
        asked = flight.FlightDescriptor.for_command(json.dumps({"table": table}).encode())
        try:
            return plain(client.get_schema(asked, target.options()).schema)
        except pa.ArrowException as error:
            return plain(error)
