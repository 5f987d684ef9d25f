"""Tables as others may leave them: each gives exactly the oracle's rows, or none and an error that
says so."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, WriterProperties, write_deltalake

from halocline_governance import tables
from halocline_governance.errors import Denied, StorageUnavailable
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.guard.scan import BATCH_ROWS
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.principal import Principal, Purpose

TABLE = "curation.signals"
LOW, HIGH = parse_compact("internal sides=buy"), parse_compact("restricted sides=buy")
SOLD = parse_compact("internal sides=sell")
READER = Principal("ana", ("analyst",), parse_compact("confidential sides=buy"))
SCHEMA = tables.table(TABLE).arrow()


class Place:
    """One table, written by hand."""

    def __init__(self, home: Path, engine: Any, journal: Journal) -> None:
        self.lake = Lake(home / "lake")
        self.guard = Guard(self.lake, Gates(engine, journal))
        self.path = self.lake.path("buy", TABLE)
        self.ids = {label: self.lake.intern(label, "buy") for label in (LOW, HIGH)}

    def rows(self, uids: Any, label: Label = LOW) -> pa.Table:
        blank = {"rule": "r", "recipe": "", "run_id": "", "spans": None, "value": None}
        one = {**blank, "label_id": self.ids.get(label, label.label_id)}
        return pa.Table.from_pylist([{**one, "row_uid": uid} for uid in uids], schema=SCHEMA)

    def put(self, data: pa.Table, **how: Any) -> None:
        options: dict[str, Any] = {"mode": "append", **how}
        write_deltalake(self.path, data, **options)

    def both(self, files: int = 4) -> None:
        """Rows 0 to 3 to be read, 100 to 103 not."""
        for number in range(files):
            self.put(self.rows([number]))
            self.put(self.rows([100 + number], HIGH))

    @property
    def table(self) -> DeltaTable:
        return DeltaTable(self.path)

    @property
    def file(self) -> Path:
        return next(self.path.glob("*.parquet"))

    def log(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change every action of the first commit."""
        commit = self.path / "_delta_log" / f"{0:020d}.json"
        actions = [json.loads(line) for line in commit.read_text().splitlines()]
        for action in actions:
            change(action)
        commit.write_text("\n".join(map(json.dumps, actions)))

    def rewrite(self, data: pa.Table, **how: Any) -> None:
        """The same file with other bytes, and no statistics in the log."""
        pq.write_table(data, self.file, **how)
        self.point(self.file.name, self.file.stat().st_size)

    def point(self, path: str, size: int) -> None:
        def change(action: dict[str, Any]) -> None:
            if "add" in action:
                action["add"] |= {"path": path, "size": size}
                action["add"].pop("stats", None)

        self.log(change)

    def read(self) -> list[int]:
        plan = self.guard.plan(READER, Purpose.ANALYSIS, f"buy:{TABLE}", ["row_uid", "label_id"])
        read = self.guard.table(plan)
        assert set(read["label_id"].to_pylist()) <= {self.ids[LOW]}
        return read["row_uid"].to_pylist()


@pytest.fixture
def place(tmp_path: Path, embedded: Any) -> Iterator[Place]:
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield Place(tmp_path, embedded, journal)


# --- Read as they are


def compacted(place: Place) -> None:
    place.both()
    place.table.optimize.compact()


def z_ordered(place: Place) -> None:
    place.both()
    place.table.optimize.z_order(["row_uid", "label_id"])


def vacuumed(place: Place) -> None:
    place.both()
    place.table.create_checkpoint()
    place.table.optimize.compact()
    place.table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    place.table.create_checkpoint()
    place.table.cleanup_metadata()


def deleted(place: Place) -> None:
    place.both(5)
    place.table.delete("row_uid = 4 OR row_uid = 104")


def partitioned(place: Place) -> None:
    mixed = pa.concat_tables([place.rows(range(4)), place.rows(range(100, 104), HIGH)])
    place.put(mixed, partition_by=["rule"])


def partitioned_by_label(place: Place) -> None:
    mixed = pa.concat_tables([place.rows(range(4)), place.rows(range(100, 104), HIGH)])
    place.put(mixed, partition_by=["label_id"])


def evolved(place: Place) -> None:
    place.put(place.rows([0, 1]))
    place.put(place.rows([100], HIGH))
    wider = place.rows([2, 3]).append_column("row_uid_2", pa.array([7, 8]))
    place.put(wider, schema_mode="merge")


def narrowed(place: Place) -> None:
    mixed = pa.concat_tables([place.rows(range(4)), place.rows([100], HIGH)])
    place.put(mixed.drop(["value", "spans"]), mode="overwrite", schema_mode="overwrite")


def groups_of_one(place: Place) -> None:
    both = [place.rows([n]) if n < 4 else place.rows([100 + n], HIGH) for n in (0, 9, 1, 8, 2, 3)]
    place.put(pa.concat_tables(both), writer_properties=WriterProperties(max_row_group_size=1))


def as_dictionary(place: Place) -> None:
    mixed = pa.concat_tables([place.rows(range(4)), place.rows(range(100, 104), HIGH)])
    place.put(mixed)
    index = SCHEMA.get_field_index("label_id")
    encoded = mixed["label_id"].combine_chunks().dictionary_encode()
    place.rewrite(mixed.set_column(index, "label_id", encoded))


def without_statistics(place: Place) -> None:
    mixed = pa.concat_tables([place.rows(range(100, 104), HIGH), place.rows(range(4))])
    place.put(mixed)
    place.rewrite(mixed, write_statistics=False, use_dictionary=False)


def unknown_feature_unused(place: Place) -> None:
    place.both()
    features = ["timestampNtz"]
    place.log(protocol(features))


def protocol(features: list[str]) -> Callable[[dict[str, Any]], None]:
    told = {"minReaderVersion": 3, "minWriterVersion": 7}

    def change(action: dict[str, Any]) -> None:
        if "protocol" in action:
            action["protocol"] = {**told, "readerFeatures": features, "writerFeatures": features}

    return change


@pytest.mark.parametrize(
    "make",
    [
        compacted,
        z_ordered,
        vacuumed,
        deleted,
        partitioned,
        partitioned_by_label,
        evolved,
        narrowed,
        groups_of_one,
        as_dictionary,
        without_statistics,
        unknown_feature_unused,
    ],
    ids=lambda make: make.__name__,
)
def test_exactly_the_readable_rows_come(place: Place, make: Callable[[Place], None]) -> None:
    make(place)
    assert sorted(place.read()) == [0, 1, 2, 3]


def test_one_large_row_group_comes_in_even_batches(
    place: Place, scale: Callable[[int, int], int]
) -> None:
    count = scale(200_000, 1_000_000)
    ids = pa.array([place.ids[LOW], place.ids[HIGH]], pa.string())
    labels = ids.take(pa.array([uid % 2 for uid in range(count)], pa.int32()))
    columns = {
        "row_uid": pa.array(range(count), pa.int64()),
        "label_id": labels,
        **{name: pa.array([""] * count, pa.string()) for name in ("rule", "recipe", "run_id")},
    }
    arrays = [
        columns[field.name] if field.name in columns else pa.nulls(count, field.type)
        for field in SCHEMA
    ]
    place.put(
        pa.Table.from_arrays(arrays, schema=SCHEMA),
        writer_properties=WriterProperties(max_row_group_size=count),
    )
    assert pq.ParquetFile(place.file).num_row_groups == 1
    plan = place.guard.plan(READER, Purpose.ANALYSIS, f"buy:{TABLE}", ["row_uid"])
    sizes, seen = list[int](), list[int]()
    for batch in place.guard.batches(plan):
        sizes.append(batch.num_rows)
        seen += batch["row_uid"].to_pylist()
    assert seen == list(range(0, count, 2))
    assert set(sizes[:-1]) == {BATCH_ROWS}


# --- Not read at all


def no_label_column(place: Place) -> None:
    place.put(place.rows([0]).drop(["label_id"]))


def label_renamed(place: Place) -> None:
    names = ["LABEL_ID" if name == "label_id" else name for name in SCHEMA.names]
    place.put(place.rows([0]).rename_columns(names))


def label_retyped(place: Place) -> None:
    index = SCHEMA.get_field_index("label_id")
    place.put(place.rows([0]).set_column(index, "label_id", pa.array([7])))


def label_swapped_by_mapping(place: Place) -> None:
    """`label_id` reads a column that its writer filled freely, under column mapping."""
    place.put(place.rows([0], HIGH))
    other = {"label_id": "rule", "rule": "label_id"}

    def change(action: dict[str, Any]) -> None:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 2, "minWriterVersion": 5}
        if "metaData" in action:
            told = action["metaData"]
            told["configuration"]["delta.columnMapping.mode"] = "name"
            schema = json.loads(told["schemaString"])
            for number, field in enumerate(schema["fields"], start=1):
                name = other.get(field["name"], field["name"])
                field["metadata"] = {
                    "delta.columnMapping.id": number,
                    "delta.columnMapping.physicalName": name,
                }
            told["schemaString"] = json.dumps(schema)

    place.log(change)


def deletion_vector(place: Place) -> None:
    place.put(place.rows([0, 1]))
    place.log(protocol(["deletionVectors"]))
    vector = {
        "storageType": "i",
        "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
        "sizeInBytes": 40,
        "cardinality": 1,
    }

    def change(action: dict[str, Any]) -> None:
        if "add" in action:
            action["add"]["deletionVector"] = vector

    place.log(change)


def feature(name: str) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        place.put(place.rows([0]))
        place.log(protocol([name]))

    make.__name__ = f"feature_{name}"
    return make


def foreign(how: Callable[[Path, Path], str]) -> Callable[[Place], None]:
    """The log names a file elsewhere, whose rows hold a label that may be read."""

    def make(place: Place) -> None:
        place.put(place.rows([0]))
        elsewhere = place.lake.root.parent / "elsewhere.parquet"
        pq.write_table(place.rows([666]), elsewhere)
        place.point(how(elsewhere, place.path), elsewhere.stat().st_size)

    return make


def climbing(elsewhere: Path, table: Path) -> str:
    return os.path.relpath(elsewhere, table)


def file_gone(place: Place) -> None:
    place.put(place.rows([0]))
    place.file.unlink()


def file_cut(place: Place) -> None:
    place.put(place.rows([0]))
    place.file.write_bytes(place.file.read_bytes()[:-20])


def commit_damaged(place: Place) -> None:
    place.put(place.rows([0]))
    (place.path / "_delta_log" / f"{0:020d}.json").write_text("{")


UNREADABLE: dict[str, Callable[[Place], None]] = {
    "no label column": no_label_column,
    "label column renamed": label_renamed,
    "label column retyped": label_retyped,
    "label column swapped": label_swapped_by_mapping,
    "deletion vector": deletion_vector,
    "column mapping": feature("columnMapping"),
    "type widening": feature("typeWidening"),
    "an unheard-of feature": feature("nonsense"),
    "absolute path": foreign(lambda file, _: str(file)),
    "file://": foreign(lambda file, _: f"file://{file}"),
    "..": foreign(climbing),
    "%2e%2e": foreign(lambda file, table: climbing(file, table).replace("..", "%2e%2e")),
    "s3://": foreign(lambda _file, _: "s3://bucket/elsewhere.parquet"),
    "file gone": file_gone,
    "file cut": file_cut,
    "commit damaged": commit_damaged,
}


@pytest.mark.parametrize("make", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_rightly_is_not_read(
    place: Place, make: Callable[[Place], None]
) -> None:
    make(place)
    with pytest.raises((StorageUnavailable, Denied)) as caught:
        place.read()
    if isinstance(caught.value, StorageUnavailable):
        assert "is not what the guard can read" in str(caught.value)


def test_a_version_whose_files_were_vacuumed_is_not_read_in_part(place: Place) -> None:
    vacuumed(place)
    service = Principal("svc:eval", ("service",), READER.clearance)
    plan = place.guard.plan(service, Purpose.EVALUATION, f"buy:{TABLE}", ["row_uid"], version=6)
    with pytest.raises(StorageUnavailable):
        place.guard.table(plan)


def test_a_linked_file_of_another_compartment_gives_none_of_its_rows(place: Place) -> None:
    """Who can link could write as well; labels that lie elsewhere are still not known here."""
    sold = place.lake.path("sell", TABLE)
    place.lake.intern(SOLD)
    write_deltalake(sold, place.rows([7], SOLD))
    theirs = next(sold.glob("*.parquet"))
    place.put(place.rows([0]))
    place.file.unlink()
    link = place.path / "linked.parquet"
    link.symlink_to(theirs)
    place.point(link.name, theirs.stat().st_size)
    assert place.read() == []
