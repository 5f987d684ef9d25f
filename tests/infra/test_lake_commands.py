"""`halocline lake` as a person uses it: in this process, and through a guard server."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyarrow import csv, parquet

from halocline_governance import tables
from halocline_governance.errors import Refused
from halocline_governance.guard.condition import Condition
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake
from halocline_infra.commands import lake_output
from halocline_infra.commands.lake_where import conditions
from tests.infra.command import run as command

DOCUMENTS = "curated.documents"
COMMAND = Path(sys.prefix) / "bin" / "halocline"
Run = Callable[..., subprocess.CompletedProcess[bytes]]


def document(number: int, label_id: str) -> dict[str, object]:
    plain: dict[str, object] = {
        "source": "s",
        "licence": "MIT",
        "language": "en",
        "subject_keys": [],
    }
    more = {"content_sha256": f"{number:064x}", "recipe": "r", "run_id": "t"}
    text = f"text {number}"
    return {
        **plain,
        **more,
        "row_uid": number,
        "label_id": label_id,
        "subject_keys": [],
        "num_pii": number % 3,
        "text": text,
    }


def environment(home: Path, **more: str) -> dict[str, str]:
    plain = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    return {
        **plain,
        "HALOCLINE_HOME": str(home / "var"),
        "HALOCLINE_POLICY": "embedded",
        "PYTHONWARNINGS": "default",
        **more,
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    lake = Lake(made / "var" / "lake")
    for label, first in {
        "public": 0,
        "confidential sides=buy": 10,
        "public sides=sell": 20,
    }.items():
        told = parse_compact(label)
        rows = [document(n, lake.intern(told)) for n in range(first, first + 5)]
        data = pa.Table.from_pylist(rows, schema=tables.table(DOCUMENTS).arrow())
        with lake.lease(told.compartment, DOCUMENTS) as place:
            write_deltalake(place.uri, data)
    facts = made / "var" / "policy" / "firm.json"
    facts.parent.mkdir()
    facts.write_text('{"restricted_issuers": []}')
    return made


@pytest.fixture(scope="module")
def token(home: Path) -> Path:
    label = "confidential sides=buy"
    words = ["token", "issue", "--sub", "ana", "--role", "analyst", "--label", label]
    done = command(words, environment(home))
    assert done.returncode == 0, done.stderr
    file = home / "ana.jwt"
    file.write_bytes(done.stdout)
    return file


@pytest.fixture(scope="module")
def server(home: Path, token: Path) -> Iterator[str]:
    """`halocline lake serve`, and its URL."""
    with subprocess.Popen(
        [COMMAND, "lake", "serve", "--port", "0"],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        line = child.stdout.readline()
        assert line.startswith("guard at grpc://127.0.0.1:"), child.communicate(timeout=10)
        yield line.removeprefix("guard at ").strip()
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
        assert child.returncode == 0
        assert "Traceback" not in errors


@pytest.fixture(params=["library", "server"])
def lake(request: pytest.FixtureRequest, home: Path, token: Path) -> Run:
    """`halocline lake ...` as ana, by both ways in turn."""
    more: dict[str, str] = {}
    if request.param == "server":
        # Through the server nothing of the home is needed: an empty one will do.
        more = {
            "HALOCLINE_GUARD": request.getfixturevalue("server"),
            "HALOCLINE_HOME": str(home / "none"),
        }

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return command(["lake", *arguments, "--token", token], environment(home, **more))

    return run


@pytest.mark.slow
def test_both_ways_give_the_same(lake: Run) -> None:
    found = json.loads(lake("list", "--json").stdout)
    assert [(one["table"], one["compartment"]) for one in found] == [
        (DOCUMENTS, "buy"),
        (DOCUMENTS, "public"),
    ]
    columns = json.loads(lake("describe", DOCUMENTS, "--json").stdout)
    assert {"name": "text", "type": "string", "null": False} in columns
    rows = [json.loads(line) for line in lake("read", DOCUMENTS).stdout.splitlines()]
    assert {row["row_uid"] for row in rows} == {*range(5), *range(10, 15)}
    asked = ("--columns", "text,row_uid", "--where", "num_pii = 2", "--where", "row_uid>4")
    arrow = lake("read", DOCUMENTS, "--format", "arrow", *asked).stdout
    with pa.ipc.open_stream(arrow) as stream:
        assert stream.read_all().to_pylist() == [
            {"text": "text 11", "row_uid": 11},
            {"text": "text 14", "row_uid": 14},
        ]
    assert len(lake("read", DOCUMENTS, "--limit", "3").stdout.splitlines()) == 3
    assert len(json.loads(lake("sample", DOCUMENTS, "-n", "2", "--json").stdout)) == 2


@pytest.mark.slow
def test_both_ways_refuse_the_same(lake: Run) -> None:
    listed = lake("list").stdout.decode()
    assert DOCUMENTS in listed
    assert "row_uid" not in listed
    told = lake("read", DOCUMENTS, "--purpose", "training").stderr.decode()
    assert re.search(r"to explain: halocline policy explain [0-9a-f-]{36}$", told, re.MULTILINE)
    for arguments, told in (
        (("read", f"sell:{DOCUMENTS}"), b"denied (decision"),
        (("read", "no.table"), b"no table"),
        (("read", DOCUMENTS, "--columns", "nothing"), b"no column"),
        (("read", DOCUMENTS, "--where", "nothing = 1"), b"no column"),
        (("read", DOCUMENTS, "--where", "num_pii = x"), b"is a int"),
        (("read", DOCUMENTS, "--purpose", "training"), b"denied"),
    ):
        done = lake(*arguments)
        assert done.returncode == 1, arguments
        assert told in done.stderr
        assert done.stdout == b""
        assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_an_export_is_whole_or_not_there(lake: Run, tmp_path: Path) -> None:
    plain = ("--columns", "row_uid,text")
    for suffix in ("parquet", "arrow", "csv", "jsonl"):
        file = tmp_path / f"mine.{suffix}"
        done = lake("export", DOCUMENTS, "--to", str(file), *plain)
        assert done.returncode == 0, done.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert uids(file) == {*range(5), *range(10, 15)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mine.arrow",
        "mine.csv",
        "mine.jsonl",
        "mine.parquet",
    ]
    for target, more in (("x.txt", ()), ("no/x.csv", ()), ("x.csv", ("--purpose", "training"))):
        assert lake("export", DOCUMENTS, "--to", str(tmp_path / target), *more).returncode == 1
    assert len(list(tmp_path.iterdir())) == 4


def uids(file: Path) -> set[int]:
    if file.suffix == ".jsonl":
        return {json.loads(line)["row_uid"] for line in file.read_text().splitlines()}
    if file.suffix == ".csv":
        table: Any = csv.read_csv(file)
    elif file.suffix == ".arrow":
        table = pa.ipc.open_file(file.read_bytes()).read_all()
    else:
        table = parquet.read_table(file)
    return set(table["row_uid"].to_pylist())


def readers(cut: bytes) -> dict[str, Callable[[], object]]:
    """The ways in which people read what a pipe gave."""

    def in_duckdb() -> object:
        return duckdb.from_arrow(pa.ipc.open_stream(cut)).fetchall()

    return {
        "pyarrow": lambda: pa.ipc.open_stream(cut).read_all(),
        "by batches": lambda: list(pa.ipc.open_stream(cut)),
        "pandas": lambda: pa.ipc.open_stream(cut).read_pandas(),
        "polars": lambda: polars.read_ipc_stream(cut),
        "polars over pyarrow": lambda: polars.from_arrow(pa.ipc.open_stream(cut)),
        "duckdb": in_duckdb,
    }


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["server", "command"])
@pytest.mark.parametrize("form", ["arrow", "json"])
def test_a_pipe_that_is_cut_short_cannot_be_read_as_the_whole(
    tmp_path: Path, token: Path, home: Path, form: str, killed: str
) -> None:
    lake = Lake(tmp_path / "var" / "lake")
    # More bytes than a connection and a pipe hold while nobody reads.
    text, label_id = "long " * 2000, lake.intern(parse_compact("public"))
    rows = [{**document(number, label_id), "text": text} for number in range(8000)]
    with lake.lease("public", DOCUMENTS) as place:
        write_deltalake(
            place.uri, pa.Table.from_pylist(rows, schema=tables.table(DOCUMENTS).arrow())
        )
    for name in ("policy", "keys"):
        shutil.copytree(home / "var" / name, tmp_path / "var" / name, dirs_exist_ok=True)
    serve = [COMMAND, "lake", "serve", "--port", "0"]
    read = [COMMAND, "lake", "read", DOCUMENTS, "--format", form, "--token", str(token)]
    with subprocess.Popen(serve, env=environment(tmp_path), stdout=subprocess.PIPE) as server:
        assert server.stdout
        guard = server.stdout.readline().decode().removeprefix("guard at ").strip()
        more = {"HALOCLINE_GUARD": guard}
        env = environment(tmp_path, **more)
        with subprocess.Popen(read, env=env, stdout=subprocess.PIPE) as command:
            assert command.stdout
            begun = command.stdout.read(1 << 20)
            (server if killed == "server" else command).kill()
            cut = begun + command.stdout.read()
        server.kill()
    assert command.returncode != 0
    assert len(cut) < sum(len(text) for _ in rows)
    if form == "json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(cut.splitlines()[-1])
        return
    taken: list[str] = []
    for name, reads in readers(cut).items():
        with suppress(OSError, pa.ArrowInvalid, duckdb.Error, polars.exceptions.ComputeError):
            reads()
            taken.append(name)
    assert not taken, "took a part for the whole"


@pytest.mark.parametrize("form", lake_output.PIPED)
def test_no_point_at_which_a_read_fails_ends_the_rows(form: str) -> None:
    schema = pa.schema([("number", pa.int64()), ("text", pa.string())])
    batch = pa.record_batch({"number": [1, 2], "text": ["a", None]}, schema=schema)

    def written(count: int, error: Exception | None) -> bytes:
        def batches() -> Iterator[pa.RecordBatch]:
            yield from [batch] * count
            if error is not None:
                raise error

        file = io.BytesIO()
        with suppress(RuntimeError):
            rows = pa.RecordBatchReader.from_batches(schema, batches())
            lake_output.to_pipe(form, rows, file, shown=False)
        return file.getvalue()

    def num_rows(told: bytes) -> int:
        if form == "arrow":
            return pa.ipc.open_stream(told).read_all().num_rows
        return len([json.loads(line) for line in told.splitlines()])

    for count in range(4):
        assert num_rows(written(count, None)) == 2 * count
        # Of lines, nothing at all is the one cut that only the exit status tells.
        if count or form == "arrow":
            with pytest.raises((OSError, pa.ArrowInvalid, json.JSONDecodeError)):
                num_rows(written(count, RuntimeError("cut")))


_EXPORTS_FOREVER = """
import sys, time
from pathlib import Path
import pyarrow as pa
from halocline_infra.commands import lake_output

def batches():
    yield pa.record_batch({"number": [1]})
    print("begun", flush=True)
    time.sleep(600)

schema = pa.schema([("number", pa.int64())])
lake_output.export(pa.RecordBatchReader.from_batches(schema, batches()), Path(sys.argv[1]))
"""


def test_drafts_of_killed_exports_go_and_those_of_others_stay(tmp_path: Path) -> None:
    target, kept = tmp_path / "mine.csv", tmp_path / ".mine.csv.notes"
    kept.touch()

    def drafts() -> set[Path]:
        return {*tmp_path.iterdir()} - {target, kept}

    def export() -> None:
        one = pa.record_batch({"number": [1]})
        rows = pa.RecordBatchReader.from_batches(one.schema, iter([one]))
        assert lake_output.export(rows, target) == 1

    begin = [sys.executable, "-c", _EXPORTS_FOREVER, target]
    with subprocess.Popen(begin, stdout=subprocess.PIPE) as exporting:
        assert exporting.stdout
        assert exporting.stdout.readline() == b"begun\n"
        alive = drafts()
        assert len(alive) == 1
        export()
        assert drafts() == alive
        exporting.kill()
    assert drafts() == alive
    export()
    assert not drafts()
    assert kept.exists()


def test_a_server_for_others_needs_tls(home: Path) -> None:
    for arguments, told in (
        (("--host", "0.0.0.0"), b"--tls-cert"),
        (("--tls-cert", "x.pem"), b"together"),
        (("--tls-cert", "x.pem", "--tls-key", "y.pem"), b"cannot be read"),
    ):
        done = subprocess.run(
            [COMMAND, "lake", "serve", "--port", "0", *arguments],
            env=environment(home),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert told in done.stderr


def test_conditions_are_typed_by_their_column() -> None:
    def one(written: str) -> Condition:
        return conditions(DOCUMENTS, [written])[0]

    assert one("num_pii>=0") == Condition("num_pii", ">=", 0)
    assert one("text = 7") == Condition("text", "=", "7")
    assert one("text = a = b") == Condition("text", "=", "a = b")
    assert one("num_pii in 1, 2") == Condition("num_pii", "in", [1, 2])
    assert one('language in ["a,b"]') == Condition("language", "in", ["a,b"])
    assert one("text not_null") == Condition("text", "not_null")
    for bad in ("", "text", "text index", "text_is_null", "text like x", "text is_null x", "a = 1"):
        with pytest.raises(Refused):
            one(bad)
