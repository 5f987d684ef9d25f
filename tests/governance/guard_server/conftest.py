"""A real guard server on a lake of its own: OPA, journal, Delta tables, tokens, loopback."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Unauthenticated
from halocline_governance.gates import Facts, Gates
from halocline_governance.guard import Guard
from halocline_governance.guard.client import Client, connect
from halocline_governance.guard.server import GuardServer, Identity, Limits
from halocline_governance.identity import Issuer, Verifier
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal

DOCUMENTS = "curated.documents"
SIGNALS = "curation.signals"


@dataclass
class House:
    """One lake behind one guard server, and all that the two were told."""

    home: Path
    lake: Lake
    journal: Journal
    gates: Gates
    server: GuardServer
    issuer: Issuer
    stack: ExitStack
    disabled: set[str] = field(default_factory=set[str])
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def put(self, table: str, label: str, rows: list[dict[str, Any]]) -> None:
        """Rows of one label, written the way trusted writers write them."""
        told = parse_compact(label)
        where = told.compartment
        whole = [{**row, "label_id": self.lake.intern(told, where)} for row in rows]
        data = pa.Table.from_pylist(whole, schema=tables.table(table).arrow())
        with self.lake.lease(where, table) as place:
            write_deltalake(place.uri, data, mode="append")
        kept = self.rows.setdefault(table, [])
        kept += [{**row, "compartment": where, "label": told} for row in whole]

    def documents(self, label: str, count: int, start: int = 0, text: str = "text") -> None:
        self.put(DOCUMENTS, label, [document(n, text) for n in range(start, start + count)])

    def token(
        self,
        clearance: str,
        subject: str = "ana",
        roles: tuple[str, ...] = ("analyst",),
        lifetime_s: int = 3600,
    ) -> str:
        return self.issuer.issue(subject, roles, parse_compact(clearance), lifetime_s)

    def client(self, token: str) -> Client:
        """Closed at the end of the test."""
        return self.stack.enter_context(connect(self.server.url, token))

    def settled(self, streams: int = 0) -> bool:
        """Whether within some seconds no more than these streams are left."""
        for _ in range(100):
            if self.server.streams <= streams:
                return True
            time.sleep(0.05)
        return False


OpenHouse = Callable[..., House]


def document(number: int, text: str = "text") -> dict[str, Any]:
    return {
        "row_uid": number,
        "source": f"source-{number % 4}",
        "licence": ("MIT", "CC-BY-4.0")[number % 2],
        "language": ("en", "de", "fr")[number % 3],
        "content_sha256": f"{number:064x}",
        "subject_keys": [],
        "num_pii": number % 5 - 2,
        "text": f"{text} {number}",
        "recipe": "r",
        "run_id": "t",
    }


def signal(number: int) -> dict[str, Any]:
    return {
        "row_uid": number,
        "rule": f"rule-{number % 3}",
        "value": None if number % 4 == 0 else math.sqrt(number % 10),
        "spans": None,
        "recipe": "r",
        "run_id": "t",
    }


@pytest.fixture(scope="session")
def open_house(served: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """`open_house(engine=, limits=, identity=, clock=, facts=)`: all end with the session."""
    stack = ExitStack()
    numbers = itertools.count()

    def opened(
        engine: Engine | None = None,
        limits: Limits | None = None,
        identity: Identity | None = None,
        clock: Callable[[], float] = time.time,
        facts: Facts | None = None,
    ) -> House:
        home = tmp_path_factory.mktemp(f"house{next(numbers)}")
        journal = stack.enter_context(
            Journal.open(home / "journal", Signer(Ed25519PrivateKey.generate()))
        )
        key = Ed25519PrivateKey.generate()
        verifier = Verifier(key.public_key(), clock=clock)
        disabled = set[str]()

        def verify(token: str) -> Principal:
            principal = verifier.verify(token)
            if principal.subject in disabled:
                raise Unauthenticated("disabled")
            return principal

        lake = Lake(home / "lake")
        gates = Gates(engine or served, journal, facts=facts)
        guard = Guard(lake, gates, b"k" * 32)
        server = GuardServer(guard, verify, identity=identity, limits=limits)
        clients = ExitStack()
        stack.callback(server.stop)
        stack.push(clients)
        return House(home, lake, journal, gates, server, Issuer(key), clients, disabled)

    with stack:
        yield opened


@pytest.fixture
def house(open_house: OpenHouse) -> Iterator[House]:
    """An empty house of the test's own."""
    opened = open_house()
    with opened.stack:
        yield opened
    assert opened.server.stop()
