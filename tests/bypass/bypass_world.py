"""A lake with something to find: Ana's rows, hidden ones among them, and another side's."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from bypass_evidence import Evidence
from bypass_names import HIDDEN_PII, KEY, NUM_ALLOWED, NUM_HIDDEN, SECRET, TABLE
from deltalake import DeltaTable, write_deltalake

from halocline_governance import keys, tables
from halocline_governance.errors import HaloclineError
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard, Plan
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_HIDDEN_UID = 7_700_000_000_000_000
MINE = parse_compact("confidential sides=buy")
ABOVE = parse_compact("restricted sides=buy")
SELL = parse_compact("internal sides=sell")
ANA = Principal("ana", ("analyst",), MINE)
CAROL = Principal("carol", ("compliance",), parse_compact("restricted sides=buy,sell"))


@dataclass(frozen=True, slots=True)
class World:
    """The planted lake under `home`."""

    home: Path

    @property
    def lake(self) -> Lake:
        return Lake(self.home / "lake")

    def path(self, compartment: str = "buy") -> str:
        return str(self.lake.path(compartment, TABLE))


def plant(home: Path) -> World:
    """Allowed and hidden rows of one file in turns, the first and last one allowed; then a commit
    of one hidden row, and one that deletes it."""
    world = World(home)
    rows: list[dict[str, object]] = []
    for number in range(NUM_ALLOWED):
        rows.append(row(number, MINE, f"plain text {number}", 0))
        if number < NUM_HIDDEN:
            rows.append(hidden_row(number))
    for label in (MINE, ABOVE):
        world.lake.intern(label)
    write(world, MINE, rows)
    write(world, ABOVE, [hidden_row(NUM_HIDDEN)])
    DeltaTable(world.path()).delete(f"row_uid = {_HIDDEN_UID + NUM_HIDDEN}")
    sell = [{**hidden_row(90 + n), "label_id": SELL.label_id} for n in range(9)]
    world.lake.intern(SELL)
    write(world, SELL, sell)
    world.lake.intern(Label("public"))
    write(world, Label("public"), [row(500, Label("public"), "known to all", 0)])
    return world


def write(world: World, label: Label, rows: Sequence[dict[str, object]]) -> None:
    data = pa.Table.from_pylist(list(rows), schema=tables.table(TABLE).arrow())
    with world.lake.lease(label.compartment, TABLE) as place:
        configuration = {"delta.enableChangeDataFeed": "true"}
        write_deltalake(place.uri, data, mode="append", configuration=configuration)


def hidden_row(number: int) -> dict[str, object]:
    uid = _HIDDEN_UID + number
    return {**row(uid, ABOVE, f"{SECRET} {number}", HIDDEN_PII), "source": f"{SECRET}-source"}


def row(uid: int, label: Label, text: str, num_pii: int) -> dict[str, object]:
    return {
        "row_uid": uid,
        "label_id": label.label_id,
        "source": "mail",
        "licence": "MIT",
        "language": "en",
        "content_sha256": f"{uid:064x}",
        "subject_keys": [f"{KEY}-{uid}"],
        "num_pii": num_pii,
        "text": text,
        "recipe": "r",
        "run_id": "t",
    }


@dataclass(frozen=True, slots=True)
class Scene:
    """Modes 1 and 2: a process that holds Spark, the files and, in mode 2, the guard."""

    spark: SparkSession
    world: World
    gates: Gates
    guard: Guard
    scratch: Path
    made: list[int] = field(default_factory=list[int])

    def plan(self, **asked: Any) -> Plan:
        return self.guard.plan(ANA, Purpose.ANALYSIS, asked.pop("table", f"buy:{TABLE}"), **asked)

    def granted(self) -> Any:
        """Mode 2: Ana's rows from the guard."""
        return self.guard.frame(self.spark, self.plan())

    def raw(self) -> Any:
        return self.spark.read.format("delta").load(self.world.path())

    def mine(self) -> Any:
        """Mode 1: what a careful hand writes instead of the guard."""
        return self.raw().where(f"label_id IN ('{MINE.label_id}')").drop("subject_keys")

    def place(self) -> Path:
        """A new place for an attack's own files."""
        self.made.append(0)
        place = self.scratch / f"place-{len(self.made)}"
        place.mkdir()
        return place

    def copy(self) -> World:
        """The same lake again, for attacks that change it."""
        return plant(self.place())

    def guarding(self, world: World) -> Guard:
        return Guard(world.lake, self.gates)


@contextmanager
def opened(home: Path, spark: SparkSession) -> Generator[Scene]:
    signer = Signer(keys.ed25519(home / "keys" / "journal.key"))
    with Journal.open(home / "journal", signer) as journal:
        engine = open_engine("embedded", None, {"restricted_issuers": []})
        gates = Gates(engine, journal)
        world = plant(home)
        scratch = home / "attacker"
        scratch.mkdir()
        yield Scene(spark, world, gates, Guard(world.lake, gates), scratch)
        engine.close()


Attack = Callable[[Scene], Evidence]


def attempt(attack: Attack, scene: Scene) -> Evidence:
    """What it obtained; what a refusal says counts too.

    An attack that stumbles over itself has shown nothing: any other error is the test's own.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return attack(scene)
    except (HaloclineError, PySparkException, Py4JError) as error:
        return Evidence(f"{type(error).__name__}: {error}")
