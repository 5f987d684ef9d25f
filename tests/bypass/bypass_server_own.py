"""Mode 3: our own attacks, from 23 on, on the guard server."""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
from typing import Any

from bypass_evidence import Evidence
from bypass_names import COLUMN_TRICKS, INJECTIONS, KEY, TABLE, TRAVERSALS
from bypass_target import (
    HERE,
    Target,
    differ,
    schema_of,
    server,
)
from pyarrow import flight


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


PLATFORM_FILES = (
    "keys/identity.key",
    "keys/journal.key",
    "journal/log-0000/000000000000.seg",
    "state/governance.sqlite",
    "policy/firm.json",
    "lake",
)


@server(46)
def platform_files(target: Target) -> Evidence:
    home = Path(target.home)
    read = [name for name in PLATFORM_FILES if readable(home / name)]
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
        os.waitpid(target.pid, 0)  # let go before it has stopped, it would stay stopped
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
