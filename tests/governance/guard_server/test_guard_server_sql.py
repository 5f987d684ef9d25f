"""SQL asks what a descriptor asks, or nothing: a shape, its twin, and all that is not the shape."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
import pytest
from pyarrow import flight

from halocline_governance.errors import Refused
from halocline_governance.guard import flightsql, sql
from halocline_governance.guard.condition import Condition
from halocline_governance.guard.descriptor import Descriptor, parse

DOCUMENTS = "curated.documents"
BUY = "confidential sides=buy"
COLUMNS = ("row_uid", "source", "licence", "language", "num_pii", "text")


def literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def written(asked: Descriptor, rng: random.Random) -> str:
    """A descriptor as SQL, in one of the ways that mean the same."""

    def name(plain: str) -> str:
        return rng.choice([plain, f'"{plain}"', plain.upper()])

    def condition(one: Condition) -> str:
        column = name(one.column)
        if one.op == "is_null":
            text = f"{column} IS NULL"
        elif one.op == "not_null":
            text = rng.choice([f"{column} IS NOT NULL", f"NOT {column} IS NULL"])
        elif one.op == "in":
            text = f"{column} IN ({', '.join(map(literal, one.value))})"
        else:
            op = rng.choice(["<>", "!="]) if one.op == "!=" else one.op
            text = f"{column} {op} {literal(one.value)}"
        return rng.choice([text, f"({text})"])

    compartment, _, logical = asked.table.rpartition(":")
    table = f'"{asked.table}"' if compartment else rng.choice([logical, f'"{logical}"'])
    columns = "*" if asked.columns is None else ", ".join(map(name, asked.columns))
    text = f"SELECT {columns} FROM {table}"
    if asked.where:
        text += " WHERE " + " AND ".join(map(condition, asked.where))
    if asked.limit is not None:
        text += f" LIMIT {asked.limit}"
    return text + rng.choice(["", ";", "\n"])


def random_question(rng: random.Random) -> Descriptor:
    texts = ["", "it's", "a\\nb", 'quo"te', "-- no comment", "/* nor this */", "ünï", "%;", "NULL"]

    def condition() -> Condition:
        column = rng.choice(COLUMNS)
        number = column in ("row_uid", "num_pii")

        def value() -> object:
            return rng.randint(-(2**40), 2**40) if number else rng.choice(texts)

        op = rng.choice(["=", "!=", "<", "<=", ">", ">=", "in", "is_null", "not_null"])
        if op == "in":
            return Condition(column, op, [value() for _ in range(rng.randint(1, 5))])
        return Condition(column, op, None if op.endswith("null") else value())

    return Descriptor(
        table=rng.choice(["", "buy:", "sell.acme:"]) + DOCUMENTS,
        columns=rng.choice([None, tuple(rng.sample(COLUMNS, rng.randint(1, 4)))]),
        where=tuple(condition() for _ in range(rng.randint(0, 5))),
        limit=rng.choice([None, 0, 1, 10**9]),
    )


def test_sql_is_the_descriptor_written_otherwise(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    for _ in range(scale(500, 100_000)):
        asked = random_question(rng)
        assert parse(asked.encode()) == asked
        assert sql.parse(written(asked, rng)) == asked


@pytest.mark.parametrize(
    "statement",
    [
        "",
        ";",
        "SELECT",
        "SELECT 1",
        "SELECT text",
        "SELECT text FROM a.b, c.d",
        "SELECT text FROM a.b JOIN c.d ON true",
        "SELECT text FROM a.b CROSS JOIN c.d",
        "SELECT text FROM (SELECT text FROM a.b) x",
        "SELECT text FROM a.b WHERE text IN (SELECT text FROM c.d)",
        "SELECT text FROM a.b WHERE EXISTS (SELECT 1 FROM c.d)",
        "SELECT text FROM a.b WHERE text = (SELECT 'x')",
        "SELECT text FROM a.b UNION SELECT text FROM c.d",
        "WITH x AS (SELECT 1) SELECT text FROM a.b",
        "SELECT lower(text) FROM a.b",
        "SELECT count(*) FROM a.b",
        "SELECT text || 'x' FROM a.b",
        "SELECT num_pii + 1 FROM a.b",
        "SELECT text AS t FROM a.b",
        "SELECT b.text FROM a.b",
        "SELECT *, text FROM a.b",
        "SELECT text, text FROM a.b",
        "SELECT DISTINCT text FROM a.b",
        "SELECT ALL text INTO x FROM a.b",
        "SELECT text FROM a.b AS x",
        "SELECT text FROM a.b TABLESAMPLE SYSTEM (10)",
        "SELECT text FROM ONLY a.b",
        "SELECT text FROM a.b.c",
        "SELECT text FROM read_parquet('/etc/passwd')",
        "SELECT text FROM a.b ORDER BY text",
        "SELECT text FROM a.b GROUP BY text",
        "SELECT text FROM a.b WHERE text = 'a' HAVING true",
        "SELECT text FROM a.b LIMIT 1 OFFSET 1",
        "SELECT text FROM a.b LIMIT -1",
        "SELECT text FROM a.b LIMIT 1.5",
        "SELECT text FROM a.b LIMIT 1 + 1",
        "SELECT text FROM a.b LIMIT ALL",
        "SELECT text FROM a.b FETCH FIRST 1 ROW ONLY",
        "SELECT text FROM a.b FOR UPDATE",
        "SELECT text FROM a.b WHERE text = 'a' OR text = 'b'",
        "SELECT text FROM a.b WHERE NOT text = 'a'",
        "SELECT text FROM a.b WHERE NOT NOT text IS NULL",
        "SELECT text FROM a.b WHERE text NOT IN ('a')",
        "SELECT text FROM a.b WHERE text LIKE 'a%'",
        "SELECT text FROM a.b WHERE text ~ 'a'",
        "SELECT text FROM a.b WHERE num_pii BETWEEN 1 AND 2",
        "SELECT text FROM a.b WHERE num_pii = 1 + 1",
        "SELECT text FROM a.b WHERE num_pii = num_pii",
        "SELECT text FROM a.b WHERE 1 = 1",
        "SELECT text FROM a.b WHERE true",
        "SELECT text FROM a.b WHERE text",
        "SELECT text FROM a.b WHERE text = NULL",
        "SELECT text FROM a.b WHERE text = E'a'",
        "SELECT text FROM a.b WHERE text = x'41'",
        "SELECT text FROM a.b WHERE text = 'a' 'b'",
        "SELECT text FROM a.b WHERE text = 'a'::text",
        "SELECT text FROM a.b WHERE text = $1",
        "SELECT text FROM a.b WHERE text = ?",
        "SELECT text FROM a.b WHERE text IS TRUE",
        "SELECT text FROM a.b WHERE text IS DISTINCT FROM 'a'",
        "SELECT text FROM a.b WHERE text IN ()",
        "SELECT text FROM a.b; SELECT text FROM c.d",
        "SELECT text FROM a.b; DROP TABLE a.b",
        "SELECT /*+ NO_FILTER */ text FROM a.b",
        "SELECT text FROM a.b -- all of it",
        "DELETE FROM a.b",
        "INSERT INTO a.b SELECT text FROM c.d",
        "EXPLAIN SELECT text FROM a.b",
        "DESCRIBE a.b",
        "SET x = 1",
        "VALUES (1)",
        "TABLE a.b",
        "(SELECT text FROM a.b)",
        "SELECT text FROM a.b WHERE " + "(" * 5000 + "text = 'a'" + ")" * 5000,
        "SELECT text FROM a.b WHERE " + "NOT " * 5000 + "text IS NULL",
        "SELECT text FROM a.b WHERE num_pii = " + "- " * 5000 + "1",
        "SELECT text FROM a.b WHERE " + " AND ".join(["num_pii = 1"] * 65),
        "SELECT text FROM a.b WHERE text = '" + "x" * 300_000 + "'",
        "SELECT text FROM a.b WHERE text = '",
        "\x00",
        "SELECT text FROM a.b WHERE num_pii = 1" + "e999" * 50,
    ],
)
def test_any_other_statement_is_refused(statement: str) -> None:
    with pytest.raises(Refused):
        sql.parse(statement)


def test_random_text_is_refused_or_of_the_shape(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    words = ["SELECT", "text", ",", "*", "FROM", "a.b", "WHERE", "=", "'x'", "1", "AND", "OR", "("]
    words += [")", "IN", "IS", "NOT", "NULL", "LIMIT", "-", ";", "UNION", "lower", "AS", "."]
    for _ in range(scale(2_000, 100_000)):
        statement = " ".join(rng.choices(words, k=rng.randint(1, 14)))
        try:
            asked = sql.parse("SELECT text FROM a.b " + statement)
        except Refused:
            continue
        assert asked.table == "a.b"
        assert asked.columns == ("text",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"{'table': 'a.b'}",
        b'{"table": "a.b"} x',
        b'{"table": "a.b", "table": "c.d"}',
        b'{"table": "a.b", "tables": "c.d"}',
        b'{"table": ""}',
        b'{"table": 1}',
        b'{"table": "a.b", "columns": []}',
        b'{"table": "a.b", "columns": "text"}',
        b'{"table": "a.b", "columns": ["text", "text"]}',
        b'{"table": "a.b", "columns": [1]}',
        b'{"table": "a.b", "where": {}}',
        b'{"table": "a.b", "where": [["text"]]}',
        b'{"table": "a.b", "where": [["text", "like", "a"]]}',
        b'{"table": "a.b", "where": [["text", "=", {"a": 1}]]}',
        b'{"table": "a.b", "where": [[["text"], "=", "a"]]}',
        b'{"table": "a.b", "where": [["value", "=", NaN]]}',
        b'{"table": "a.b", "where": [["value", "=", -Infinity]]}',
        b'{"table": "a.b", "version": true}',
        b'{"table": "a.b", "version": -1}',
        b'{"table": "a.b", "version": "1"}',
        b'{"table": "a.b", "limit": 1.0}',
        b'{"table": "a.b", "limit": 9223372036854775808}',
        b'{"table": "a.b", "limit": ' + b"9" * 5000 + b"}",
        b'{"table": "a.b", "purpose": "fun"}',
        b'{"table": "a.b", "purpose": []}',
        b'{"table": "' + b"x" * 300 + b'"}',
        b'{"table": "a.b", "where": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"table": "a.b"}' + b" " * (256 * 1024),
        b'\xff\xfe{"table": "a.b"}',
        b'{"table": "\xff"}',
    ],
)
def test_a_descriptor_is_read_strictly(content: bytes) -> None:
    with pytest.raises(Refused):
        parse(content)


@pytest.fixture
def database(house: Any) -> Any:
    house.documents("public", 3)
    house.documents(BUY, 4, start=10)
    house.documents("restricted sides=sell", 5, start=20)
    options = {
        adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer "
        + house.token(BUY),
    }
    with adbc.connect(house.server.url, db_kwargs=options, autocommit=True) as connected:
        yield connected


def test_adbc_reads_what_its_token_may(database: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute('SELECT row_uid, text FROM "buy:curated.documents" WHERE num_pii >= 0')
        assert cursor.fetch_arrow_table().to_pylist() == [
            {"row_uid": 12, "text": "text 12"},
            {"row_uid": 13, "text": "text 13"},
        ]
        cursor.execute("SELECT row_uid FROM curated.documents LIMIT 100")
        assert {uid for (uid,) in cursor.fetchall()} == {0, 1, 2, 10, 11, 12, 13}
        for statement in (
            "SELECT count(*) FROM curated.documents",
            'SELECT text FROM "sell:curated.documents"',
            "SELECT nothing FROM curated.documents",
            "DELETE FROM curated.documents",
        ):
            with pytest.raises(adbc.Error, match=r"malformed|denied \(decision"):
                cursor.execute(statement).fetchall()
    assert database.adbc_get_info()["vendor_name"] == "halocline"


def test_the_purpose_is_a_header(house: Any) -> None:
    house.documents(BUY, 4)
    options = {
        adbc_driver_flightsql.DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer "
        + house.token(BUY),
    }
    header = adbc_driver_flightsql.DatabaseOptions.RPC_CALL_HEADER_PREFIX.value
    for purpose, expected in (("training", "denied"), ("fun", "malformed")):
        told = {**options, header + "x-halocline-purpose": purpose}
        with (
            adbc.connect(house.server.url, db_kwargs=told, autocommit=True) as connected,
            connected.cursor() as cursor,
            pytest.raises(adbc.Error, match=expected),
        ):
            cursor.execute("SELECT text FROM curated.documents").fetchall()


def test_other_messages_of_flight_sql_are_refused(house: Any) -> None:
    options = flight.FlightCallOptions(
        headers=[(b"authorization", b"Bearer " + house.token(BUY).encode())]
    )
    name = b"type.googleapis.com/arrow.flight.protocol.sql.CommandGetTables"
    others = [
        b"\x0a" + bytes([len(name)]) + name,
        flightsql.pack("TicketStatementQuery", statement_handle=b"x"),
        b"\x0a\x00",
        b"\x0a" + b"\xff" * 100,
    ]
    with flight.FlightClient(house.server.url) as client:
        for content in others:
            with pytest.raises(pa.ArrowInvalid, match="malformed"):
                client.get_flight_info(flight.FlightDescriptor.for_command(content), options)
        forged = flightsql.pack("TicketStatementQuery", statement_handle=b"halocline-x")
        with pytest.raises(flight.FlightError, match="denied"):
            client.do_get(flight.Ticket(forged), options).read_all()
