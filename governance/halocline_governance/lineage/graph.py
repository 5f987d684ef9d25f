"""The lineage tables as a graph: nodes, and edges in the direction in which data flowed.

Derived from the five tables in `system`; holds ids, hashes and counts like them. A question at a
point in time sees what was on record by then. Models made from models are followed edge by edge
and each node once, so that neither a long line of models nor a cycle costs more than its edges.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from halocline_governance.lake import Location
from halocline_governance.lineage.commits import History
from halocline_governance.lineage.keyed import Row
from halocline_governance.lineage.store import Store

SCHEMA = """
CREATE TABLE tracked (tbl TEXT PRIMARY KEY, version INT, stamp TEXT, has_rows INT DEFAULT 1);
CREATE TABLE held (tbl TEXT, path TEXT, file INTEGER PRIMARY KEY);
CREATE TABLE node (id TEXT, ts TEXT, name TEXT, facts TEXT, file INT, PRIMARY KEY (id, file))
    WITHOUT ROWID;
CREATE INDEX node_file ON node (file);
CREATE TABLE edge (tail TEXT, head TEXT, kind TEXT, ts TEXT, weight REAL, num INT, file INT,
    PRIMARY KEY (tail, head, kind, file)) WITHOUT ROWID;
CREATE INDEX edge_head ON edge (head, tail);
CREATE INDEX edge_file ON edge (file);
CREATE TABLE dataset (id TEXT PRIMARY KEY, compartment TEXT, tbl TEXT, version INT, labels TEXT,
    ts TEXT, file INT) WITHOUT ROWID;
CREATE INDEX dataset_place ON dataset (compartment, tbl, version);
CREATE INDEX dataset_file ON dataset (file)
"""
DATASET = "lineage.dataset_version"
MIXTURE = "lineage.mixture"
RUN = "lineage.run_source"
MODEL = "lineage.model_edge"
DEPLOYMENT = "lineage.deployment"
TABLES = (DATASET, MIXTURE, RUN, MODEL, DEPLOYMENT)

READ, WEIGHED, MIXED, GAVE = "read", "weighed", "mixed", "gave"
INTO, DEPLOYED, ANSWERS = "into", "deployed", "answers"


def follow(store: Store, place: Location, table: str) -> int:
    """Bring the graph up to date with one table: files that are new are read, in one transaction.

    Returns:
        The version it is at.

    Raises:
        StorageUnavailable: the table cannot be read.
    """
    with place.reached():
        history = History(place)
        with store.change() as db:
            known = _known(db, table)
            if known is not None and history.is_at(*known):
                return known[0]
            version, files = history.files_now()
            held = dict(db.execute("SELECT path, file FROM held WHERE tbl=?", (table,)).fetchall())
            now = {file.path: file for file in files}
            _take_out(db, [number for path, number in held.items() if path not in now])
            for path in sorted(now.keys() - held.keys()):
                put = db.execute("INSERT INTO held (tbl, path) VALUES (?,?)", (table, path))
                assert put.lastrowid is not None
                add(db, table, history.rows(now[path]).to_pylist(), put.lastrowid)
            mark = (table, version, history.stamp(version))
            db.execute("INSERT OR REPLACE INTO tracked (tbl, version, stamp) VALUES (?,?,?)", mark)
    return version


def forget(store: Store, table: str) -> None:
    """Take all of one table out, when it is no more."""
    with store.change() as db:
        files = db.execute("SELECT file FROM held WHERE tbl=?", (table,)).fetchall()
        _take_out(db, [file for (file,) in files])
        db.execute("DELETE FROM tracked WHERE tbl=?", (table,))


def add(db: sqlite3.Connection, table: str, rows: Iterable[Row], file: int) -> None:
    """Put rows of one lineage table in, as those of one file."""
    nodes: list[tuple[str, str, str, str, int]] = []
    edges: list[tuple[str, str, str, str, float | None, int | None, int]] = []

    def node(id_: str, ts: str, name: str, facts: Mapping[str, Any]) -> None:
        nodes.append((id_, ts, name, json.dumps(facts), file))

    def edge(
        tail: str,
        head: str,
        kind: str,
        ts: str,
        weight: float | None = None,
        num: int | None = None,
    ) -> None:
        edges.append((tail, head, kind, ts, weight, num, file))

    for row in rows:
        if table == DATASET:
            _dataset(db, row, file)
            node(f"dataset:{row['dsv_id']}", row["ts"], row["dsv_id"], _facts_of_dataset(row))
        elif table == MIXTURE:
            node(f"mixture:{row['mix_sha']}", row["ts"], row["mix_sha"], {})
            for source in row["sources"]:
                tail = f"dataset:{source['dsv_id']}"
                edge(tail, f"mixture:{row['mix_sha']}", WEIGHED, row["ts"], source["weight"])
        elif table == RUN:
            run, mixture = f"run:{row['run_id']}", f"mixture:{row['mix_sha']}"
            node(run, row["ts"], row["run_id"], {"mix_sha": row["mix_sha"]})
            tail = f"dataset:{row['dsv_id']}"
            edge(tail, run, READ, row["ts"], row["weight"], row["num_consumed"])
            edge(mixture, run, MIXED, row["ts"])
        elif table == MODEL:
            model = model_id(row["model"], row["version"])
            facts = {"weights_sha256": row["weights_sha256"], "label_id": row["label_id"]}
            node(model, row["ts"], f"{row['model']} v{row['version']}", facts)
            edge(f"run:{row['run_id']}", model, GAVE, row["ts"])
            if row["parent_model"] is not None:
                parent = model_id(row["parent_model"], row["parent_version"])
                edge(parent, model, f"{INTO} {row['kind']}", row["ts"])
        else:
            at = f"deployment:{row['endpoint']}/{row['from_ts']}"
            ends = {"from": row["from_ts"], "to": row["to_ts"]}
            node(at, row["from_ts"], row["endpoint"], ends)
            node(f"endpoint:{row['endpoint']}", row["from_ts"], row["endpoint"], {})
            edge(model_id(row["model"], row["version"]), at, DEPLOYED, row["from_ts"])
            edge(at, f"endpoint:{row['endpoint']}", ANSWERS, row["from_ts"])
    _insert(db, nodes, edges)


def model_id(name: str, version: int) -> str:
    return f"model:{name}/{version}"


def _insert(db: sqlite3.Connection, nodes: list[Any], edges: list[Any]) -> None:
    # A run and a model have a row for each thing that went in: they were there from the first on.
    db.executemany(
        "INSERT INTO node VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET ts=min(ts, excluded.ts)",
        nodes,
    )
    db.executemany(
        "INSERT INTO edge VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET ts=min(ts, excluded.ts)",
        edges,
    )


def _dataset(db: sqlite3.Connection, row: Row, file: int) -> None:
    labels = json.dumps(sorted(row["label_ids"]))
    where = (row["compartment"], row["table"], row["version"])
    db.execute(
        "INSERT OR REPLACE INTO dataset VALUES (?,?,?,?,?,?,?)",
        (row["dsv_id"], *where, labels, row["ts"], file),
    )


def _facts_of_dataset(row: Row) -> dict[str, Any]:
    return {
        "table": f"{row['compartment']}:{row['table']}",
        "version": row["version"],
        "num_rows": row["num_rows"],
        "fingerprint": row["fingerprint"],
        "label_id": row["label_id"],
    }


def _known(db: sqlite3.Connection, table: str) -> tuple[int, str] | None:
    return db.execute("SELECT version, stamp FROM tracked WHERE tbl=?", (table,)).fetchone()


def _take_out(db: sqlite3.Connection, files: Iterable[int]) -> None:
    for file in files:
        for name in ("node", "edge", "dataset", "held"):
            db.execute(f"DELETE FROM {name} WHERE file=?", (file,))
