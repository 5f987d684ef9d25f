"""Walks the lineage graph: back from an output, forward from a row.

Works on rows that are already read; only `forward` opens governed tables, and reads ids alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from halocline_governance.errors import StorageUnavailable
from halocline_governance.lake import Lake
from halocline_governance.lineage.keyed import Row
from halocline_governance.lineage.trace import Node, Trace

# Rows keep their id on the way from the first table to the second.
_SAME_ROWS = {"raw.documents": ("raw.documents", "curated.documents")}


@dataclass(frozen=True, slots=True)
class Graph:
    """The lineage tables as read at one moment."""

    datasets: Mapping[str, Row]
    mixtures: Mapping[str, Row]
    runs: Sequence[Row]
    models: Sequence[Row]
    deployments: Sequence[Row]


def back(graph: Graph, request_id: str, output: Mapping[str, Any]) -> Trace:
    """Output, model (and the models it was made from), run, mixture, dataset versions."""
    root = Node(
        f"output:{request_id}",
        "output",
        request_id,
        {"label_id": output["label_id"], "outcome": output["outcome"], "ts": output["ts"]},
    )
    trace = Trace(root)
    name, version = str(output["model"]), int(output["model_version"])
    model = _model(graph, name, version)
    recorded = model.facts.get("weights_sha256")
    if recorded is not None and recorded != output["weights_sha256"]:
        trace.gaps.append(f"{name} v{version}: the output names other weights than the registry")
    trace.lead(root, model, "answered by")
    _made_from(graph, trace, model, (name, version))
    return trace


def forward(graph: Graph, lake: Lake, row: tuple[str, str, int]) -> Trace:
    """Row, dataset versions that hold it, runs, models, models made from those, endpoints."""
    compartment, table, row_uid = row
    place = f"{compartment}:{table}"
    trace = Trace(Node(f"row:{place}/{row_uid}", "row", f"{place}/{row_uid}"))
    for dataset in _holding(graph, lake, trace, row):
        node = _dataset(dataset)
        trace.lead(trace.root, node, "in")
        for run in graph.runs:
            if run["dsv_id"] == dataset["dsv_id"] and run["weight"] > 0:
                at = _run(run["run_id"], run["mix_sha"])
                trace.lead(node, at, "read by")
                _used_for(graph, trace, at, run["run_id"])
    return trace


def _made_from(graph: Graph, trace: Trace, model: Node, key: tuple[str, int]) -> None:
    edges = [edge for edge in graph.models if (edge["model"], edge["version"]) == key]
    if not edges:
        trace.gaps.append(f"{model.name}: no run is on record for this version")
    for edge in edges:
        if edge["parent_model"] is not None:
            parent = (edge["parent_model"], edge["parent_version"])
            node = _model(graph, *parent)
            if trace.lead(model, node, f"made from ({edge['kind']})"):
                _made_from(graph, trace, node, parent)
        _run_sources(graph, trace, model, edge["run_id"])


def _run_sources(graph: Graph, trace: Trace, model: Node, run_id: str) -> None:
    sources = [run for run in graph.runs if run["run_id"] == run_id]
    if not sources:
        trace.gaps.append(f"run {run_id}: no dataset version is on record")
        return
    at = _run(run_id, sources[0]["mix_sha"])
    if not trace.lead(model, at, "came out of"):
        return
    mix_sha = sources[0]["mix_sha"]
    mixture = Node(f"mixture:{mix_sha}", "mixture", mix_sha)
    if mix_sha in graph.mixtures:
        trace.lead(at, mixture, "mixed by")
    else:
        trace.gaps.append(f"mixture {mix_sha}: not on record")
    for source in sources:
        dataset = graph.datasets.get(source["dsv_id"])
        if dataset is None:
            trace.gaps.append(f"dataset version {source['dsv_id']}: not on record")
            continue
        share = f"read (weight {source['weight']:g}, {source['num_consumed']} sequences)"
        trace.lead(at, _dataset(dataset), share)


def _used_for(graph: Graph, trace: Trace, run: Node, run_id: str) -> None:
    for edge in graph.models:
        if edge["run_id"] == run_id:
            node = _model(graph, edge["model"], edge["version"])
            if trace.lead(run, node, "gave"):
                _descendants(graph, trace, node, (edge["model"], edge["version"]))


def _descendants(graph: Graph, trace: Trace, model: Node, key: tuple[str, int]) -> None:
    for row in graph.deployments:
        if (row["model"], row["version"]) == key:
            span = {"from": row["from_ts"], "to": row["to_ts"] or "now"}
            id_ = f"deployment:{row['endpoint']}/{row['from_ts']}"
            trace.lead(model, Node(id_, "deployment", row["endpoint"], span), "deployed at")
    for edge in graph.models:
        if (edge["parent_model"], edge["parent_version"]) == key:
            child = (edge["model"], edge["version"])
            node = _model(graph, *child)
            if trace.lead(model, node, f"went into ({edge['kind']})"):
                _descendants(graph, trace, node, child)


def _holding(graph: Graph, lake: Lake, trace: Trace, row: tuple[str, str, int]) -> Iterator[Row]:
    """The dataset versions that hold a row; a version that cannot be read is a gap."""
    from deltalake.exceptions import DeltaError
    from pyarrow.lib import ArrowException

    compartment, table, row_uid = row
    labels: dict[tuple[str, int], set[str]] = {}
    for dsv_id in sorted(graph.datasets):
        dataset = graph.datasets[dsv_id]
        name = dataset["table"]
        if dataset["compartment"] != compartment or name not in _SAME_ROWS.get(table, (table,)):
            continue
        at = (name, dataset["version"])
        try:
            if at not in labels:
                labels[at] = _labels_of_row(lake, compartment, at, row_uid)
        except (DeltaError, ArrowException, OSError, StorageUnavailable):
            trace.gaps.append(f"{compartment}:{name} version {at[1]} cannot be read any more")
            continue
        if labels[at] & set(dataset["label_ids"]):
            yield dataset


def _labels_of_row(lake: Lake, compartment: str, at: tuple[str, int], row_uid: int) -> set[str]:
    import pyarrow.compute as pc

    table, version = at
    place = lake.location(compartment, table)
    with place.reached():
        held: Any = place.delta(version).to_pyarrow_dataset()
        found = held.to_table(columns=["label_id"], filter=pc.field("row_uid") == row_uid)
    return set(found["label_id"].to_pylist())


def _model(graph: Graph, name: str, version: int) -> Node:
    facts: dict[str, Any] = {}
    for edge in graph.models:
        if (edge["model"], edge["version"]) == (name, version):
            facts = {"weights_sha256": edge["weights_sha256"], "label_id": edge["label_id"]}
    return Node(f"model:{name}/{version}", "model", f"{name} v{version}", facts)


def _run(run_id: str, mix_sha: str) -> Node:
    return Node(f"run:{run_id}", "run", run_id, {"mix_sha": mix_sha})


def _dataset(row: Row) -> Node:
    facts = {
        "table": f"{row['compartment']}:{row['table']}",
        "version": row["version"],
        "num_rows": row["num_rows"],
        "fingerprint": row["fingerprint"],
        "label_id": row["label_id"],
    }
    return Node(f"dataset:{row['dsv_id']}", "dataset", row["dsv_id"], facts)
