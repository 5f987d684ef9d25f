"""Mode 3: a process of another OS user with a valid token of Ana's, against the guard server.

Run as a script: reads what it is told as JSON from standard input, writes what it obtained.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from pyarrow import flight

sys.path.insert(0, str(Path(__file__).parent))
from bypass_evidence import Evidence
from bypass_library import INJECTIONS, TRAVERSALS
from bypass_names import COLUMN_TRICKS, KEY, NUM_ALLOWED, TABLE

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


@server(1, 8, 29)
def files(target: Target) -> Evidence:
    import pyarrow.parquet as pq

    pages = [page for page in pages_of(target.files()) if page.suffix == ".parquet"]
    footers = [pq.read_metadata(page).row_group(0).column(0).statistics for page in pages]
    return Evidence([footers, [pq.ParquetFile(page).read(["text"]).to_pylist() for page in pages]])


def pages_of(folder: Path) -> list[Path]:
    return [folder / name for name in os.listdir(folder)]


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


@server(7, 37)
def errors_of_values(target: Target) -> Evidence:
    """The same question about a number that hidden rows hold, and about one that none does."""
    return differ(
        (
            (
                target.sql(f'SELECT row_uid FROM "{HERE}" WHERE 1 / (num_pii - {n}) > -9'),
                target.sql(f'SELECT row_uid FROM "{HERE}" WHERE num_pii = {n}'),
                target.sql(f'SELECT cast(text AS int) FROM "{HERE}" WHERE num_pii >= {n}'),
                target.ask(columns=["row_uid"], where=[["num_pii", "=", n]]),
                target.ask(columns=["row_uid"], where=[["num_pii", "=", n], ["text", "=", 1]]),
            )
            for n in ("777", "778")
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
    most = max(len(rows_of(target.ask(limit=n))) for n in (64, 65, 101, 10**9))
    found = [
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


def rows_of(answer: object) -> list[Any]:
    assert isinstance(answer, list), answer
    return cast("list[Any]", answer)


@server(12)
def old_version(target: Target) -> Evidence:
    found = [target.ask(version=n) for n in (0, 1, 2, 3, -1)]
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


def act(target: Target, name: str, body: bytes) -> object:
    with flight.connect(target.url) as client:
        try:
            action = flight.Action(name, body)
            return [bytes(one.body) for one in client.do_action(action, target.options())]
        except pa.ArrowException as error:
            return plain(error)


@server(17)
def anothers_ticket(target: Target) -> Evidence:
    return Evidence(target.redeem(bytes.fromhex(target.anothers_ticket)))


@server(18)
def anothers_cache(target: Target) -> Evidence:
    """Carol has just read the very same; the server has it all at hand."""
    return Evidence([target.ask(), target.ask(columns=["text"]), target.ask(table=TABLE)])


@server(20)
def code_over_the_wire(target: Target) -> Evidence:
    bomb = os.path.join(tempfile.gettempdir(), f"bypass-{os.getpid()}")

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return subprocess.call, (["touch", bomb],)

    packed = pickle.dumps(Bomb())
    found = [
        target.command(packed),
        target.redeem(packed),
        act(target, "CreatePreparedStatement", packed),
    ]
    return Evidence(found, sign="code was run" if os.path.exists(bomb) else "")


@server(23, 25)
def delta_rs(target: Target) -> Evidence:
    from deltalake import DeltaTable

    return Evidence(DeltaTable(str(target.files())).to_pyarrow_table()["text"].to_pylist())


@server(24)
def duckdb_glob(target: Target) -> Evidence:
    import duckdb

    asked = f"SELECT text FROM read_parquet('{target.files()}/*.parquet')"
    with duckdb.connect() as connection:
        return Evidence(connection.execute(asked).fetchall())


@server(26)
def source_without_catalog(target: Target) -> Evidence:
    names = (f"{target.files()}@v0", f"{HERE}@v0", f"file://{target.files()}", f"delta:{HERE}")
    return Evidence([target.ask(table=name) for name in names])


@server(27)
def around_the_view(target: Target) -> Evidence:
    sell = f'SELECT text FROM "sell:{TABLE}"'
    mine = f'SELECT text FROM "{HERE}"'
    asked = (
        f"{mine} UNION ALL {sell}",
        f"WITH x AS ({sell}) SELECT text FROM x",
        f"SELECT text FROM ({sell}) x",
        f"{mine} WHERE text IN ({sell})",
        f"{mine}; {sell}",
        f'SELECT a.text FROM "{HERE}" a JOIN "sell:{TABLE}" b ON true',
        f"{mine} INTERSECT {sell}",
        f'SELECT text FROM "{HERE}", "sell:{TABLE}"',
        f"{mine} WHERE EXISTS ({sell})",
        f"CREATE VIEW v AS {sell}",
        "VALUES (1)",
        f'TABLE "sell:{TABLE}"',
        f'SELECT text FROM ONLY "{HERE}" TABLESAMPLE SYSTEM (100)',
    )
    return Evidence([target.sql(statement) for statement in asked])


@server(28)
def old_time(target: Target) -> Evidence:
    return Evidence(
        [
            target.sql(f"SELECT text FROM \"{HERE}\" TIMESTAMP AS OF '2026-01-01'"),
            target.sql(f"SELECT text FROM \"{HERE}\" FOR SYSTEM_TIME AS OF '2026-01-01'"),
            target.ask(version="2026-01-01"),
            target.ask(version=0.0),
            target.ask(version=True),
            target.ask(timestamp="2026-01-01"),
        ]
    )


@server(30)
def edited_label(target: Target) -> Evidence:
    return forged(target, Path(target.home) / "lake/buy/_labels" / target.hidden_label_id)


@server(31)
def replaced_label(target: Target) -> Evidence:
    label = Path(target.home) / "lake/buy/_labels" / target.hidden_label_id
    try:
        label.unlink()
        label.symlink_to(label.with_name(target.label_id))
    except OSError as error:
        return Evidence([error.strerror, target.ask()])
    return Evidence(target.ask(), sign="a label could be replaced")


@server(32)
def unlabelled_rows(target: Target) -> Evidence:
    return forged(target, target.files() / "_delta_log" / f"{3:020d}.json")


def forged(target: Target, place: Path) -> Evidence:
    try:
        place.write_text("{}")
    except OSError as error:
        return Evidence([error.strerror, target.ask()])
    return Evidence(target.ask(), sign="the lake could be written")


@server(33)
def linked_compartment(target: Target) -> Evidence:
    try:
        (Path(target.home) / "lake" / "mine").symlink_to(Path(target.home) / "lake" / "sell")
    except OSError as error:
        return Evidence([error.strerror, target.ask(table=f"mine:{TABLE}")])
    return Evidence(sign="a compartment could be linked")


@server(34)
def path_traversal(target: Target) -> Evidence:
    found = [target.ask(table=name) for name in TRAVERSALS]
    return Evidence(found + [target.sql(f'SELECT text FROM "{name}"') for name in TRAVERSALS])


@server(35)
def column_tricks(target: Target) -> Evidence:
    found = [target.ask(columns=[name]) for name in COLUMN_TRICKS]
    found += [target.sql(f'SELECT {name} FROM "{HERE}"') for name in COLUMN_TRICKS]
    return Evidence(
        found + [target.sql(f'SELECT "{name}" FROM "{HERE}"') for name in COLUMN_TRICKS]
    )


@server(36)
def predicate_injection(target: Target) -> Evidence:
    found = [target.ask(where=[list(one)]) for one in INJECTIONS]
    for text in (
        "x'' OR 1=1 --",
        "x' OR 1=1 --",
        "x'; SELECT 1; --",
        "x' /* */ OR '1'='1",
        "\\' OR 1=1",
    ):
        found.append(target.sql(f"SELECT text FROM \"{HERE}\" WHERE source = '{text}'"))
    for tail in (
        "OR true",
        "OR 1=1",
        "AND NOT (label_id = 'x')",
        "IS NOT TRUE",
        "LIKE '%'",
        "::text = 'x'",
    ):
        found.append(target.sql(f"SELECT text FROM \"{HERE}\" WHERE source = 'x' {tail}"))
    return Evidence(found)


@server(40)
def revoked(target: Target) -> Evidence:
    """A ticket from before, and a token that is still in its time, of somebody disabled since."""
    late = target.redeem(bytes.fromhex(target.revoked_ticket), target.revoked_token)
    again = target.ask(token=target.revoked_token)
    got = any(isinstance(answer, list) for answer in (late, again))
    return Evidence(f"{late} {again}", sign="rows after the right to them ended" if got else "")


@server(41)
def forged_permission(target: Target) -> Evidence:
    asked = {"table": HERE, "label_ids": [target.hidden_label_id]}
    tickets = (
        b"",
        b"\0",
        os.urandom(40),
        json.dumps(asked).encode(),
        b"halocline-" + b"A" * 43,
        bytes.fromhex(target.anothers_ticket)[:-1],
        bytes.fromhex(target.revoked_ticket),
    )
    found = [target.redeem(ticket) for ticket in tickets]
    extras: tuple[dict[str, Any], ...] = (
        {"label_ids": [target.hidden_label_id]},
        {"clearance": {"sensitivity": "restricted"}},
        {"principal": {"subject": "carol"}},
        {"purpose": "audit"},
        {"purpose": "root"},
    )
    found += [target.ask(**more) for more in extras]
    return Evidence(found)


@server(42)
def forged_identity(target: Target) -> Evidence:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    claims = jwt.decode(target.token, options={"verify_signature": False})
    raised = {
        **claims,
        "roles": ["compliance"],
        "clearance": {"sensitivity": "restricted", "sides": ["buy", "sell"]},
    }
    mine = Ed25519PrivateKey.generate()
    head, _, tail = target.token.split(".")
    body = jwt.encode(raised, mine, algorithm="EdDSA").split(".")[1]
    tokens = [
        jwt.encode(raised, mine, algorithm="EdDSA"),
        jwt.encode(
            raised, mine, algorithm="EdDSA", headers={"jwk": {"kty": "OKP"}, "kid": "../key"}
        ),
        jwt.encode(raised, "", algorithm="none"),
        jwt.encode(raised, bytes.fromhex(target.public_key), algorithm="HS256"),
        f"{head}.{body}.{tail}",
        f"{head}.{body}.",
        "",
        "null",
        target.revoked_token + "x",
    ]
    found = [target.ask(token=token or " ") for token in tokens]
    return Evidence(
        found, sign="rows for a forged token" if any(isinstance(f, list) for f in found) else ""
    )


@server(44)
def scratch_of_server(target: Target) -> Evidence:
    """All that the server's user left where others may read."""
    found: list[object] = []
    for folder in ("/tmp", "/var/tmp", "/dev/shm", target.home):
        for place, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if not name.startswith("pytest-of")]
            for page in (Path(place) / name for name in names):
                try:
                    if page.is_file() and page.stat().st_uid == target.uid:
                        found.append(page.read_bytes()[: 1 << 20])
                except OSError:
                    continue
    return Evidence(found)


@server(45)
def process_of_server(target: Target) -> Evidence:
    found: list[object] = []
    for name in ("environ", "maps", "fd", "cwd", "stack", "io", "auxv", "map_files"):
        place = f"/proc/{target.pid}/{name}"
        try:
            found.append(
                os.listdir(place)
                if name in ("fd", "map_files")
                else os.readlink(place)
                if name == "cwd"
                else Path(place).read_bytes()
            )
        except OSError:
            continue
    for name in ("cmdline", "status"):
        found.append(Path(f"/proc/{target.pid}/{name}").read_bytes())
    return Evidence(found, sign="the server's own process" if len(found) > 2 else "")


@server(46)
def platform_files(target: Target) -> Evidence:
    home = Path(target.home)
    names = (
        "keys/identity.key",
        "keys/journal.key",
        "journal/log-0000/000000000000.seg",
        "state/governance.sqlite",
        "policy/firm.json",
        "lake",
    )
    read = [name for name in names if readable(home / name)]
    return Evidence(read, sign=f"files of the platform: {', '.join(read)}" if read else "")


def readable(place: Path) -> bool:
    try:
        return bool(os.listdir(place) if place.is_dir() else place.read_bytes())
    except OSError:
        return False


@server(47)
def memory_of_server(target: Target) -> Evidence:
    libc = ctypes.CDLL(None, use_errno=True)
    attached = libc.ptrace(16, target.pid, None, None) == 0
    if attached:
        libc.ptrace(17, target.pid, None, None)
    try:
        handle = os.open(f"/proc/{target.pid}/mem", os.O_RDONLY)
    except OSError:
        return Evidence(sign="ptrace" if attached else "")
    os.close(handle)
    return Evidence(sign="the server's memory")


@server(48)
def replaced_policy(target: Target) -> Evidence:
    import halocline_governance

    package = Path(halocline_governance.__file__).parent
    places = (
        package / "policies/read/read.rego",
        package / "policies/read",
        package / "guard/guard.py",
        Path(target.home) / "policy",
        Path(target.home),
    )
    writable = [place.name for place in places if os.access(place, os.W_OK)]
    return Evidence(sign=f"can write {', '.join(writable)}" if writable else "")


@server(49)
def condition_on_ungranted(target: Target) -> Evidence:
    wheres = (
        ["subject_keys", "not_null", None],
        ["subject_keys", "=", f"{KEY}-3"],
        ["SUBJECT_KEYS", "is_null", None],
    )
    found = [target.ask(columns=["row_uid"], where=[one]) for one in wheres]
    found += [target.ask(where=[one]) for one in wheres]
    found.append(target.sql(f'SELECT row_uid FROM "{HERE}" WHERE subject_keys IS NOT NULL'))
    answered = any(isinstance(answer, list) for answer in found)
    return Evidence(found, sign="a comparison with a column not granted" if answered else "")


@server(50)
def newest_version(target: Target) -> Evidence:
    """Versions 1 and 2 came of hidden rows only: is there a way to see that there are any?"""
    with flight.connect(target.url) as client:
        listed = [
            json.loads(one.app_metadata) for one in client.list_flights(options=target.options())
        ]
    told = [one.get("version") for one in listed if one["compartment"] == "buy"]
    assert told, "the attacker's own table is not listed: the attack proves nothing"
    probed = [n for n in range(5) if isinstance(target.ask(version=n), list)]
    return Evidence(sign="commits of hidden rows only" if told != [None] or probed else "")


@server(51)
def hidden_or_missing(target: Target) -> Evidence:
    """A table that is there but hidden, and one that is not there."""
    return differ(
        (
            [
                target.ask(table=f"{where}:{TABLE}"),
                schema_of(target, f"{where}:{TABLE}"),
                target.sql(f'SELECT text FROM "{where}:{TABLE}"'),
            ]
            for where in ("sell", "sella", "buy.acme")
        ),
        "whether a hidden table is there",
    )


def schema_of(target: Target, table: str) -> str:
    with flight.connect(target.url) as client:
        asked = flight.FlightDescriptor.for_command(json.dumps({"table": table}).encode())
        try:
            return plain(client.get_schema(asked, target.options()).schema)
        except pa.ArrowException as error:
            return plain(error)


def main() -> None:
    target = Target(**json.loads(sys.stdin.read()))
    found: dict[int, Any] = {}
    asked = [int(word) for word in sys.argv[1:]] or sorted(SERVER)
    for number, attack in ((number, SERVER[number]) for number in asked):
        try:
            got = attack(target)
        except (OSError, ImportError, pa.ArrowException) as error:
            got = Evidence(f"{type(error).__name__}: {plain(error)}")
        except Exception as error:  # noqa: BLE001 - Delta's and DuckDB's own
            got = Evidence(f"{type(error).__name__}: {plain(error)}")
        found[number] = {"text": str(got.text), "hidden": got.hidden, "sign": got.sign}
    json.dump({"uid": os.getuid(), "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
