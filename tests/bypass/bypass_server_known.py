"""Mode 3: the attacks of the catalogue, 1 to 20, on the guard server."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import tempfile
from typing import Any

import pyarrow as pa
from bypass_evidence import Evidence
from bypass_names import NUM_ALLOWED, TABLE
from bypass_target import (
    HERE,
    Target,
    act,
    differ,
    pages_of,
    plain,
    rows_of,
    server,
)
from pyarrow import flight

from halocline_governance.principal import Purpose


@server(1, 8, 29)
def files(target: Target) -> Evidence:
    import pyarrow.parquet as pq

    pages = [page for page in pages_of(target.files()) if page.suffix == ".parquet"]
    footers = [pq.read_metadata(page).row_group(0).column(0).statistics for page in pages]
    return Evidence([footers, [pq.ParquetFile(page).read(["text"]).to_pylist() for page in pages]])


@server(11)
def log(target: Target) -> Evidence:
    return Evidence([page.read_text() for page in pages_of(target.files() / "_delta_log")])


@server(2)
def sql_on_files(target: Target) -> Evidence:
    path = target.files()
    return Evidence(
        [target.sql(f'SELECT text FROM "{kind}{path}"') for kind in ("", "delta.", "parquet:")]
        + [target.sql(f"SELECT text FROM delta.`{path}`"), target.ask(table=str(path))]
    )


@server(3)
def declare_location(target: Target) -> Evidence:
    return Evidence(
        [
            target.sql(f"CREATE TABLE t USING delta LOCATION '{target.files()}'"),
            target.sql(f"CREATE TEMP VIEW v USING parquet OPTIONS (path '{target.files()}')"),
            target.sql("SELECT * FROM t"),
        ]
    )


@server(4)
def row_index(target: Target) -> Evidence:
    names = ("_metadata", "_metadata.row_index", "__index_level_0__", "__fragment_index", "rowid")
    return Evidence([target.ask(columns=["row_uid", name]) for name in names])


@server(5)
def explain(target: Target) -> Evidence:
    found = [target.sql(f'EXPLAIN {more}SELECT text FROM "{HERE}"') for more in ("", "ANALYZE ")]
    with flight.connect(target.url) as client:
        asked = flight.FlightDescriptor.for_command(json.dumps({"table": HERE}).encode())
        found.append(str(client.get_flight_info(asked, target.options())))
    seen = target.home in str(found) or target.label_id in str(found)
    return Evidence(found, sign="the filter's labels or the path" if seen else "")


@server(6, 19)
def functions(target: Target) -> Evidence:
    calls = (
        "upper(text)",
        "pg_read_file('/etc/hostname')",
        "getenv('PLANTED')",
        "java_method('java.lang.System', 'getenv', 'PLANTED')",
        "(SELECT text)",
    )
    return Evidence(
        [target.sql(f'SELECT {call} FROM "{HERE}"') for call in calls]
        + [target.sql(f'SELECT text FROM "{HERE}" WHERE {call} IS NULL') for call in calls]
        + [target.sql("CREATE FUNCTION spy AS 'pickle'"), target.sql(f"SELECT {calls[2]}")]
    )


_BY_NUMBER = f'SELECT row_uid FROM "{HERE}" WHERE num_pii = {{}}'


@server(7, 37)
def errors_of_values(target: Target) -> Evidence:
    """The same question about a number that hidden rows hold, and about one that none does."""
    plain_rows = (target.ask(where=[["num_pii", "=", 0]]), target.sql(_BY_NUMBER.format(0)))
    assert [len(rows_of(rows)) for rows in plain_rows] == [NUM_ALLOWED] * 2
    return differ(
        (
            (
                target.sql(f'SELECT row_uid FROM "{HERE}" WHERE 1 / (num_pii - {n}) > -9'),
                target.sql(_BY_NUMBER.format(n)),
                target.sql(f'SELECT cast(text AS int) FROM "{HERE}" WHERE num_pii >= {n}'),
                target.ask(columns=["row_uid"], where=[["num_pii", "=", n]]),
                target.ask(columns=["row_uid"], where=[["num_pii", "=", n], ["text", "=", 1]]),
            )
            for n in (777, 778)
        ),
        "another answer for a hidden value",
    )


@server(9, 39, 43)
def counts_beside_rows(target: Target) -> Evidence:
    """All that comes with a stream but its rows: sizes, counts, metadata, listings."""
    with flight.connect(target.url) as client:
        asked = flight.FlightDescriptor.for_command(json.dumps({"table": HERE}).encode())
        info = client.get_flight_info(asked, target.options())
        stream = client.do_get(info.endpoints[0].ticket, target.options())
        chunks = [(chunk.data.num_rows, chunk.app_metadata) for chunk in stream]
        listed = [
            (one.total_records, one.total_bytes, one.app_metadata)
            for one in client.list_flights(options=target.options())
        ]
    told = [info.total_records, info.total_bytes, info.app_metadata, stream.schema.metadata]
    hidden = sum(rows for rows, _ in chunks) - NUM_ALLOWED
    whole = [n for one in listed for n in one[:2]] + told[:2]
    return Evidence((told, listed, chunks), hidden=hidden or max(max(whole), 0) or None)


@server(10, 38)
def limits(target: Target) -> Evidence:
    rows = [rows_of(target.ask(limit=n)) for n in (64, 65, 101, 10**9)]
    most = max(map(len, rows))
    found: list[object] = [*rows]
    found += [
        target.sql(f'SELECT {asked} FROM "{HERE}"')
        for asked in ("count(*)", "max(row_uid)", "min(text)", "avg(num_pii)")
    ]
    for tail in (
        "OFFSET 64",
        "ORDER BY row_uid DESC",
        "LIMIT ALL",
        "LIMIT 9 PERCENT",
        "FOR UPDATE",
    ):
        found.append(target.sql(f'SELECT text FROM "{HERE}" {tail}'))
    return Evidence(found, hidden=most - NUM_ALLOWED or None)


@server(12)
def old_version(target: Target) -> Evidence:
    asked = [(purpose.value, n) for purpose in Purpose for n in (0, 1, 2, 3, -1)]
    found = [target.ask(version=n, purpose=purpose) for purpose, n in asked]
    return Evidence([*found, target.sql(f'RESTORE TABLE "{HERE}" TO VERSION AS OF 0')])


@server(13)
def change_feed(target: Target) -> Evidence:
    feed = target.files() / "_change_data"
    found: list[object] = [
        target.ask(columns=["text", "_change_type"]),
        target.ask(readChangeFeed=True),
        target.sql(f"SELECT * FROM table_changes('{HERE}', 0)"),
    ]
    try:
        found += [page.read_bytes() for page in pages_of(feed)]
    except OSError as error:
        found.append(error.strerror)
    return Evidence(found)


@server(14)
def write_statements(target: Target) -> Evidence:
    found = [
        target.sql(f'DELETE FROM "{HERE}" WHERE num_pii = 777'),
        target.sql(f'UPDATE "{HERE}" SET text = 1 WHERE num_pii = 777'),
        target.sql(f'MERGE INTO "{HERE}" USING x ON true WHEN MATCHED THEN DELETE'),
        target.sql(f'INSERT INTO "{HERE}" SELECT * FROM "{HERE}"'),
    ]
    rows = pa.table({"row_uid": [1]})
    with flight.connect(target.url) as client:
        try:
            where = flight.FlightDescriptor.for_command(json.dumps({"table": HERE}).encode())
            writer, told = client.do_put(where, rows.schema, options=target.options())
            writer.write_table(rows)
            writer.done_writing()
            found.append(told.read())
            writer.close()
        except pa.ArrowException as error:
            found.append(plain(error))
    return Evidence(found)


@server(15)
def scripts(target: Target) -> Evidence:
    script = f"cat {target.files()}/_delta_log/00000000000000000000.json"
    return Evidence(
        [
            target.sql(f"SELECT TRANSFORM (text) USING '{script}' FROM \"{HERE}\""),
            target.sql(f"COPY \"{HERE}\" TO PROGRAM '{script}'"),
            target.sql(f"COPY \"{HERE}\" TO 'out'"),
        ]
    )


@server(16)
def settings(target: Target) -> Evidence:
    found = [
        target.sql(f'{verb} "spark.sql.extensions"{to}')
        for verb, to in (("SET", " = ''"), ("RESET", ""))
    ]
    names = (
        "SetSessionOptions",
        "CancelFlightInfo",
        "BeginTransaction",
        "CreatePreparedSubstraitPlan",
    )
    found += [act(target, name, b"{}") for name in names]
    headers = ("x-halocline-purpose", "x-halocline-subject", "x-forwarded-user")
    for name in headers:
        with flight.connect(target.url) as client:
            try:
                asked = flight.FlightDescriptor.for_command(json.dumps({"table": HERE}).encode())
                info = client.get_flight_info(asked, target.options(**{name: "audit"}))
                got = client.do_get(info.endpoints[0].ticket, target.options(**{name: "audit"}))
                found.append(got.read_all().to_pylist())
            except pa.ArrowException as error:
                found.append(plain(error))
    return Evidence(found)


@server(17)
def anothers_ticket(target: Target) -> Evidence:
    return Evidence(target.redeem(bytes.fromhex(target.anothers_ticket)))


@server(18)
def anothers_cache(target: Target) -> Evidence:
    """Carol has just read the very same; the server has it all at hand."""
    return Evidence([target.ask(), target.ask(columns=["text"]), target.ask(table=TABLE)])


@server(20)
def code_over_the_wire(target: Target) -> Evidence:
    folder = tempfile.mkdtemp(dir="/tmp")  # where the server's user may write too
    os.chmod(folder, 0o777)
    bomb = os.path.join(folder, "went-off")

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return subprocess.call, (["touch", bomb],)

    packed = pickle.dumps(Bomb())
    pickle.loads(packed)
    assert os.path.exists(bomb), "the bomb does not go off: the attack proves nothing"
    os.unlink(bomb)
    found = [
        target.command(packed),
        target.redeem(packed),
        act(target, "CreatePreparedStatement", packed),
    ]
    went_off = os.path.exists(bomb)
    shutil.rmtree(folder)
    return Evidence(found, sign="code was run" if went_off else "")
