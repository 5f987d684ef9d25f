"""Non-interference: lakes that differ in hidden rows alone give the same answers, to the byte.

This bounds what counting and combining allowed answers can tell of hidden rows: nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bypass_names import HIDDEN_PII, SECRET, TABLE
from bypass_world import ABOVE, ANA, CAROL, MINE, SELL, World, hidden_row, row, write
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import HaloclineError
from halocline_governance.gates import Engine, Gates
from halocline_governance.guard import Condition, Guard
from halocline_governance.guard.answer import listed
from halocline_governance.guard.client import Client, connect
from halocline_governance.guard.server import GuardServer
from halocline_governance.identity import Issuer, Verifier
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse_compact
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Purpose

COLUMNS = ("row_uid", "label_id", "source", "num_pii", "text", "content_sha256", "subject_keys")
OPS = ("=", "!=", "<", "<=", ">", ">=", "in", "is_null", "not_null")


@dataclass(frozen=True, slots=True)
class Question:
    """What one may ask; some of it is nonsense."""

    table: str
    columns: tuple[str, ...] | None
    where: tuple[tuple[str, str, Any], ...]
    limit: int | None
    version: int | None


@contextmanager
def guarding(home: Path) -> Generator[Guard]:
    with Journal.open(home / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield Guard(World(home).lake, Gates(engine(), journal))


@cache
def engine() -> Engine:
    return open_engine("embedded", None, {"restricted_issuers": []})


def commits(rng: random.Random, home: Path, sizes: tuple[int, ...], most_hidden: int) -> None:
    """The same allowed rows in the same commits, with other hidden rows strewn among them, of other
    labels; and perhaps another side, which has the table or only a label."""
    world, uid = World(home), 0
    hidden_labels = [
        ABOVE,
        *(parse_compact(f"public sides=buy ndas=n{rng.random()}"[:40]) for _ in "ab"),
    ]
    for label in (MINE, *hidden_labels):
        world.lake.intern(label)
    for size in sizes:
        rows = [row(uid + n, MINE, f"plain text {(uid + n) % 97}", n % 5) for n in range(size)]
        uid += size
        for _ in range(rng.randint(1, most_hidden)):
            text = rng.choice([SECRET, "plain text 3", "x" * rng.randint(1, 5000)])
            hidden = {**hidden_row(rng.randrange(90)), "text": text}
            hidden["num_pii"] = rng.choice([0, 3, HIDDEN_PII])
            hidden["label_id"] = rng.choice(hidden_labels).label_id
            rows.insert(rng.randint(0, len(rows)), hidden)
        write(world, MINE, rows)
    if rng.random() < 0.5:
        world.lake.intern(SELL)
        if rng.random() < 0.5:
            write(world, SELL, [row(1, SELL, SECRET, 0)])


def question(rng: random.Random) -> Question:
    columns = tuple(rng.sample(COLUMNS[:6], rng.randint(1, 6))) if rng.random() < 0.7 else None
    if columns and rng.random() < 0.1:
        columns = (*columns, rng.choice(["subject_keys", "_metadata", "text"]))
    return Question(
        table=rng.choice([TABLE, f"buy:{TABLE}", f"buy:{TABLE}", f"sell:{TABLE}", "raw.documents"]),
        columns=columns,
        where=tuple(condition(rng) for _ in range(rng.choice([0, 0, 1, 1, 2]))),
        limit=rng.choice([None, None, 0, 1, 5, 64, 10**6]),
        version=rng.choice([None, None, None, 0, 1, 7]),
    )


def condition(rng: random.Random) -> tuple[str, str, Any]:
    column, op = rng.choice(COLUMNS), rng.choice(OPS)
    if op in ("is_null", "not_null"):
        return column, op, None
    numbers: list[Any] = [0, 3, HIDDEN_PII, 7_700_000_000_000_001, -1]
    texts: list[Any] = [SECRET, "plain text 3", ABOVE.label_id, MINE.label_id, "mail", ""]
    pool = numbers if column in ("row_uid", "num_pii") else texts
    if rng.random() < 0.1:
        pool = [*texts, *numbers]
    return column, op, rng.sample(pool, 2) if op == "in" else rng.choice(pool)


def told(read: Callable[[Any, Question], object], lake: Any, asked: Question) -> object:
    """The answer or the error, less the decision's id, which is new each time."""
    try:
        return read(lake, asked)
    except HaloclineError as error:
        return f"{type(error).__name__}: {re.sub('decision [^)]*', 'decision', str(error))}"


def streamed(reader: pa.RecordBatchReader) -> bytes:
    """Rows, schema, metadata and where the batches end."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def by_library(guard: Guard, asked: Question) -> object:
    plan = guard.plan(ANA, Purpose.ANALYSIS, asked.table, asked.columns, asked.version)
    where = [Condition(*one) for one in asked.where]
    named = {"row_uid", "label_id"} <= set(plan.columns)
    refs = [ref.dsv_id for ref in guard.refs(plan)] if named else []
    return streamed(guard.reader(plan, where, asked.limit)), str(plan.schema), refs


def by_server(client: Client, asked: Question) -> object:
    rows = client.read(asked.table, asked.columns, asked.where, asked.limit, asked.version)
    return streamed(rows)


@contextmanager
def twins(folder: Path, rng: random.Random, sizes: tuple[int, ...], most: int) -> Generator[Any]:
    homes = [folder / name for name in ("one", "other")]
    for home in homes:
        home.mkdir()
        commits(random.Random(rng.random()), home, sizes, most)
    with guarding(homes[0]) as one, guarding(homes[1]) as other:
        yield one, other


@pytest.fixture
def serve() -> Iterator[Callable[[Guard], Client]]:
    issuer = Issuer(Ed25519PrivateKey.generate())
    token = issuer.issue(ANA.subject, ANA.roles, ANA.clearance)
    servers: list[GuardServer] = []
    clients: list[Client] = []

    def serving(guard: Guard) -> Client:
        servers.append(GuardServer(guard, Verifier(issuer.key.public_key()).verify))
        clients.append(connect(servers[-1].url, token))
        return clients[-1]

    yield serving
    for client in clients:
        client.close()
    for server in servers:
        server.stop()


def test_hidden_rows_change_no_answer_of_the_library(
    tmp_path: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    answered = 0
    for turn in range(scale(2, 20)):
        folder = tmp_path / str(turn)
        folder.mkdir()
        with twins(folder, rng, (rng.randint(1, 90), rng.randint(1, 90)), 60) as (one, other):
            for _ in range(scale(60, 400)):
                asked = question(rng)
                answers = [told(by_library, guard, asked) for guard in (one, other)]
                assert answers[0] == answers[1], asked
                answered += not isinstance(answers[0], str)
            lists = [listed(guard, ANA, Purpose.ANALYSIS) for guard in (one, other)]
            assert lists[0] == lists[1]
            assert lists[0]
    assert answered > scale(12, 800)


def test_hidden_rows_change_no_answer_of_the_server(
    tmp_path: Path,
    rng: random.Random,
    scale: Callable[[int, int], int],
    serve: Callable[[Guard], Client],
) -> None:
    with twins(tmp_path, rng, (rng.randint(1, 90), rng.randint(1, 90)), 60) as guards:
        one, other = map(serve, guards)
        answered = 0
        for _ in range(scale(60, 2000)):
            asked = question(rng)
            answers = [told(by_server, client, asked) for client in (one, other)]
            assert answers[0] == answers[1], asked
            answered += not isinstance(answers[0], str)
        assert answered > scale(5, 200)
        assert one.list() == other.list() != []
        assert one.describe(TABLE) == other.describe(TABLE)


def test_whoever_may_see_them_gets_other_answers(tmp_path: Path, rng: random.Random) -> None:
    """The twins do differ: else nothing would be shown above."""
    with twins(tmp_path, rng, (50,), 60) as guards:
        one, other = (
            streamed(guard.reader(guard.plan(CAROL, Purpose.ANALYSIS, TABLE))) for guard in guards
        )
        assert one != other


def test_batches_end_where_they_would_without_hidden_rows(
    tmp_path: Path, rng: random.Random
) -> None:
    """More rows than a batch holds, and thousands of hidden ones among them."""
    with twins(tmp_path, rng, (9_000,), 2_000) as (one, other):
        asked = Question(f"buy:{TABLE}", ("row_uid",), (), None, None)
        assert by_library(one, asked) == by_library(other, asked)


def test_a_commit_of_hidden_rows_tells_nothing(tmp_path: Path, rng: random.Random) -> None:
    """Versions count it, so for analysis they are neither told nor pinned."""
    with twins(tmp_path, rng, (5,), 3) as (one, other):
        write(World(tmp_path / "other"), ABOVE, [hidden_row(1)])
        lists = [listed(guard, ANA, Purpose.ANALYSIS) for guard in (one, other)]
        assert lists[0] == lists[1] != []
        for version in (None, 0, 1, 2):
            asked = Question(f"buy:{TABLE}", ("row_uid", "text"), (), None, version)
            assert told(by_library, one, asked) == told(by_library, other, asked)
