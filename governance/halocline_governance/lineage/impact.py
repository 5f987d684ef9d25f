"""What changes if something must go: rows, dataset versions, runs, models, endpoints, outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.lineage.chosen import Chosen
from halocline_governance.lineage.graph import GAVE, READ
from halocline_governance.lineage.outputs import Count
from halocline_governance.lineage.view import View
from halocline_governance.lineage.walk import Reached


@dataclass(frozen=True, slots=True)
class Impact:
    """Every list is whole; `as_json` bounds them and says how many there are.

    Args:
        thing: what was asked about, `kind:name`.
        rows: by `compartment:table`, how many there are now and how many ids there ever were.
        datasets: by id, how many of their rows are concerned, as far as they can be read.
        recorded: by id, how many rows those have of which not every one can be read any more.
        runs: by id, how many sequences they consumed of these dataset versions.
        models: that came out of those runs.
        descendants: models made from those.
        endpoints_now: (endpoint, since) that answer with one of the models.
        endpoints_before: (endpoint, from, to) that did.
        outputs: that the models were asked for, by how they ended.
        gaps: what could not be told.
    """

    thing: str
    at: str | None = None
    rows: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    datasets: Mapping[str, int] = field(default_factory=dict[str, int])
    recorded: Mapping[str, int] = field(default_factory=dict[str, int])
    mixtures: Sequence[str] = ()
    runs: Mapping[str, int] = field(default_factory=dict[str, int])
    models: Sequence[str] = ()
    descendants: Sequence[str] = ()
    endpoints_now: Sequence[tuple[str, str]] = ()
    endpoints_before: Sequence[tuple[str, str, str]] = ()
    outputs: Count = field(default_factory=Count)
    gaps: Sequence[str] = ()

    def as_json(self, limit: int = 100) -> dict[str, Any]:
        """Sorted throughout; no list longer than `limit`, every `num` exact."""
        now = [{"endpoint": name, "since": since} for name, since in self.endpoints_now]
        before = [{"endpoint": e, "from": a, "to": z} for e, a, z in self.endpoints_before]
        datasets = [
            {"dsv_id": id_, "rows": num}
            | ({"recorded": self.recorded[id_]} if id_ in self.recorded else {})
            for id_, num in sorted(self.datasets.items())
        ]
        runs = [{"run_id": id_, "sequences": num} for id_, num in sorted(self.runs.items())]
        return {
            "thing": self.thing,
            "at": self.at,
            "rows": {
                place: {"now": there, "ever": ever}
                for place, (there, ever) in sorted(self.rows.items())
            },
            "datasets": _some(datasets, limit),
            "mixtures": _some(self.mixtures, limit),
            "runs": _some(runs, limit),
            "models": _some(self.models, limit),
            "descendants": _some(self.descendants, limit),
            "endpoints_now": _some(now, limit),
            "endpoints_before": _some(before, limit),
            "outputs": self.outputs.as_json(),
            "gaps": list(self.gaps),
        }

    def lines(self, limit: int = 20) -> list[str]:
        """The same for a terminal."""
        told = [f"if {self.thing} must go:"]
        for place, (there, ever) in sorted(self.rows.items()):
            told.append(f"  rows of {place}: {there} now, {ever} ever")
        told += _told("dataset versions", [f"{d} ({self._rows(d)})" for d in self.datasets], limit)
        told += _told("mixtures", self.mixtures, limit)
        told += _told("runs", [f"{run} ({n} sequences)" for run, n in self.runs.items()], limit)
        told += _told("models", self.models, limit)
        told += _told("models made from those", self.descendants, limit)
        now = [f"{name} since {since}" for name, since in self.endpoints_now]
        before = [f"{name}, {since} to {to}" for name, since, to in self.endpoints_before]
        told += _told("endpoints now", now, limit) + _told("endpoints before", before, limit)
        out = self.outputs.as_json()
        ends = self.outputs.told()
        span = f" ({ends}), {out['first']} to {out['last']}" if out["num"] else ""
        told.append(f"  outputs: {out['num']}{span}")
        told += [f"    {num} of label_id={label}" for label, num in out["labels"].items()]
        return [*told, *(f"! {gap}" for gap in self.gaps)]

    def _rows(self, dsv_id: str) -> str:
        num, recorded = self.datasets[dsv_id], self.recorded.get(dsv_id)
        if recorded is None:
            return f"{num} rows"
        return f"{num} rows that can still be read, of {recorded} recorded"


def impact(
    view: View, thing: str, chosen: Chosen, found: Reached, answered: Count, at: str | None
) -> Impact:
    """Of what was chosen and reached; `found` lies ahead of it."""
    models = set(found.of("model")) - {thing}
    direct, consumed = _taken(view, found)
    direct &= models
    deployed = view.nodes(found.of("deployment")).values()
    spans = sorted((node.name, str(node.facts["from"]), node.facts["to"]) for node in deployed)
    return Impact(
        thing=thing,
        at=at,
        rows=chosen.counts,
        datasets=dict(sorted(chosen.hits.items())),
        recorded=_recorded(view, chosen),
        mixtures=_names(found.of("mixture")),
        runs={name: consumed[f"run:{name}"] for name in _names(found.of("run"))},
        models=_names(direct),
        descendants=_names(models - direct),
        endpoints_now=[(name, since) for name, since, to in spans if to in _OPEN],
        endpoints_before=[(name, since, str(to)) for name, since, to in spans if to not in _OPEN],
        outputs=answered,
        gaps=sorted(set(chosen.gaps)),
    )


def _recorded(view: View, chosen: Chosen) -> dict[str, int]:
    lost = view.nodes(f"dataset:{dsv_id}" for dsv_id in sorted(chosen.lost & chosen.hits.keys()))
    return {node.name: int(node.facts["num_rows"]) for node in lost.values()}


def _taken(view: View, found: Reached) -> tuple[set[str], Counter[str]]:
    """The models that came out of the runs on the way, and by run the sequences it consumed of the
    dataset versions on the way."""
    runs, datasets = found.of("run"), found.of("dataset")
    consumed, ahead = Counter[str](), view.edges([*runs, *datasets], True)
    read = [e for id_ in datasets for e in ahead[id_].edges if e.kind == READ]
    for edge in filter(view.is_on_record, read):
        consumed[edge.far] += edge.num or 0
    gave = [e for id_ in runs for e in ahead[id_].edges if e.kind == GAVE]
    return {edge.far for edge in filter(view.is_on_record, gave)}, consumed


_OPEN = (None, "now")


def _names(ids: Iterable[str]) -> list[str]:
    return sorted(id_.partition(":")[2] for id_ in ids)


def _some(whole: Sequence[Any], limit: int) -> dict[str, Any]:
    return {"num": len(whole), "first": list(whole[:limit])}


def _told(name: str, whole: Sequence[str], limit: int) -> list[str]:
    more = [f"    ... and {len(whole) - limit} more"] if len(whole) > limit else []
    return [f"  {name}: {len(whole)}", *(f"    {one}" for one in whole[:limit]), *more]
