"""Random questions through the server, against the rows themselves."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from typing import Any

import pytest

from halocline_governance.errors import Denied, Refused
from halocline_governance.guard.client import Client, connect
from halocline_governance.guard.condition import Condition
from halocline_governance.guard.server import Limits
from halocline_governance.label import Label, parse_compact

DOCUMENTS, SIGNALS = "curated.documents", "curation.signals"
RESTRICTED = {"initech"}
LABELS = [
    "public",
    "internal sides=buy",
    "confidential sides=buy",
    "restricted sides=buy ndas=n1",
    "confidential sides=sell issuers=initech",
    "restricted sides=sell issuers=free",
    "confidential sides=buy tenants=acme",
]
CLEARANCES = [
    "public",
    "internal sides=buy",
    "confidential sides=buy",
    "restricted sides=buy,sell ndas=n1 issuers=initech",
    "restricted sides=sell",
    "confidential sides=buy tenants=acme",
]
COLUMNS = {
    DOCUMENTS: ["row_uid", "label_id", "source", "language", "num_pii", "text"],
    SIGNALS: ["row_uid", "label_id", "rule", "value", "run_id"],
}
HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda have, members: have in members,
}


def may_see(label: Label, clearance: Label) -> bool:
    """The architecture's sentence on access."""
    levels = ["public", "internal", "confidential", "restricted"]
    return (
        levels.index(label.sensitivity) <= levels.index(clearance.sensitivity)
        and set(label.sides) <= set(clearance.sides)
        and set(label.tenants) <= set(clearance.tenants)
        and set(label.ndas) <= set(clearance.ndas)
        and set(label.issuers) & RESTRICTED <= set(clearance.issuers)
    )


def holds(row: dict[str, Any], one: Condition) -> bool:
    have = row[one.column]
    if one.op in ("is_null", "not_null"):
        return (have is None) == (one.op == "is_null")
    return have is not None and HOLDS[one.op](have, one.value)


def random_condition(rng: random.Random, table: str, rows: list[dict[str, Any]]) -> Condition:
    column = rng.choice(COLUMNS[table])

    def value() -> Any:
        found = rng.choice(rows)[column]
        return 1.5 if found is None else found

    op = rng.choice([*HOLDS, "is_null", "not_null"])
    if op == "in":
        return Condition(column, op, [value() for _ in range(rng.randint(1, 4))])
    return Condition(column, op, None if op.endswith("null") else value())


@pytest.fixture(scope="module")
def world(open_house: Any) -> Any:
    house = open_house(limits=Limits(piece_bytes=2_000))
    for number, label in enumerate(LABELS):
        house.documents(label, 60, start=1000 * number)
        rows = [make_signal(1000 * number + n) for n in range(60)]
        house.put(SIGNALS, label, rows)
    return house


def make_signal(number: int) -> dict[str, Any]:
    value = None if number % 4 == 0 else (number % 10) / 4
    plain = {"rule": f"rule-{number % 3}", "spans": None, "recipe": "r", "run_id": "t"}
    return {**plain, "row_uid": number, "value": value}


def test_random_questions_against_the_rows(
    world: Any, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    callers: list[tuple[Client, Label]] = []
    with world.stack:
        for number, one in enumerate(CLEARANCES):
            client = world.stack.enter_context(
                connect(world.server.url, lambda n=number, c=one: world.token(c, f"p{n}"))
            )
            callers.append((client, parse_compact(one)))
        for _ in range(scale(250, 100_000)):
            check(world, rng, *rng.choice(callers))
    assert world.settled()


def check(world: Any, rng: random.Random, client: Client, clearance: Label) -> None:
    table = rng.choice([DOCUMENTS, SIGNALS])
    everything = world.rows[table]
    where = [random_condition(rng, table, everything) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    columns = rng.choice([None, rng.sample(COLUMNS[table], rng.randint(1, 4))])
    compartment = rng.choice([None, None, "public", "buy", "sell", "buy.acme", "nowhere"])
    limit = rng.choice([None, None, 0, 1, 10, 10**6])
    readable = [
        row
        for row in everything
        if may_see(row["label"], clearance) and compartment in (None, row["compartment"])
    ]
    name = table if compartment is None else f"{compartment}:{table}"
    asked: dict[str, Any] = {"columns": columns, "where": where, "limit": limit}
    if not readable:
        with pytest.raises(Denied):
            client.read(name, **asked).read_all()
        return
    found = client.read(name, **asked).read_all()
    expected = [row for row in readable if all(holds(row, one) for one in where)]
    shown = columns or found.schema.names
    assert found.schema.names == shown
    assert found.num_rows == min(len(expected), len(expected) if limit is None else limit)
    left = [key(row, shown) for row in expected]
    for row in found.to_pylist():
        left.remove(key(row, shown))


def key(row: dict[str, Any], names: list[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_the_server_can_bound_the_rows_of_every_read(open_house: Any) -> None:
    house = open_house(limits=Limits(rows=5))
    with house.stack:
        house.documents("public", 20)
        client = house.client(house.token("public"))
        assert client.read(DOCUMENTS).read_all().num_rows == 5
        assert client.read(DOCUMENTS, limit=3).read_all().num_rows == 3
        assert client.read(DOCUMENTS, limit=10).read_all().num_rows == 5
        with pytest.raises(Refused):
            client.read(DOCUMENTS, limit=-1)
