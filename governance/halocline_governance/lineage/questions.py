"""The questions lineage answers, from the indexes, exactly, both ways, at a point in time.

Whoever may ask is decided by the caller's gate. What cannot be told is a gap in the answer; what
never was is refused.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from halocline_governance.errors import Refused, StorageUnavailable
from halocline_governance.lake import Lake
from halocline_governance.lineage import chosen, dataset, outputs, selection, thing, walk
from halocline_governance.lineage.chosen import Chosen
from halocline_governance.lineage.dataset import DatasetRows
from halocline_governance.lineage.impact import Impact, impact
from halocline_governance.lineage.index import OUTPUTS, Index, pinned
from halocline_governance.lineage.outputs import Asked, Count
from halocline_governance.lineage.seen import WHOLE, Seen
from halocline_governance.lineage.selection import Version
from halocline_governance.lineage.thing import Thing
from halocline_governance.lineage.trace import Node, Trace
from halocline_governance.lineage.view import ALL_TIME, Memory, View
from halocline_governance.lineage.walk import Reached
from halocline_governance.records import row_uid

LIMIT = 100
DIRECTIONS = ("back", "forward", "both")


class Questions:
    """
    Args:
        lake: whose rows are asked about.
        index: its indexes.
        pins: versions of the lineage tables to answer from instead of the newest.
        seen: what may be seen; every answer is what it would be if there were nothing else.
    """

    def __init__(
        self,
        lake: Lake,
        index: Index,
        pins: Mapping[str, int] | None = None,
        seen: Seen = WHOLE,
    ) -> None:
        self._lake, self._index, self._pins, self._seen = lake, index, pins, seen
        self._memory = Memory()

    def trace(
        self, asked: str, at: str | None = None, direction: str = "both", limit: int = LIMIT
    ) -> Trace:
        """What a thing was made of, what it reached, or both; no more than `limit` of a kind are
        listed, all are counted.

        Args:
            asked: `kind:name`, as `thing.KINDS` has them.
            at: RFC 3339; None is now.
            direction: `back`, `forward` or `both`.

        Raises:
            Refused: there is no such thing, or that names none.
        """
        what, then = thing.parse(asked), thing.moment(at)
        if direction not in DIRECTIONS:
            raise Refused(f"a direction is one of {', '.join(DIRECTIONS)}")
        with self._view(then) as view:
            if what.kind == "output":
                return self._of_output(view, what, direction, limit)
            if what.kind in thing.OF_GRAPH:
                return self._of_node(view, what, direction, limit)
            return self._of_rows(view, what, self._chosen(view, what), direction, limit)

    def trace_output(self, output: Mapping[str, Any], limit: int = LIMIT) -> Trace:
        """Back from one row of `serving.outputs`."""
        with self._view() as view:
            return _behind_output(view, output, limit)

    def trace_row(self, asked: str, limit: int = LIMIT) -> Trace:
        """Forward from one row, which need not be there."""
        with self._view() as view:
            what = thing.parse(asked)
            found = chosen.choose(self._index, view, what)
            return self._of_rows(view, what, found, "forward", limit)

    def reached(
        self, asked: str, kind: str, forward: bool = True, at: str | None = None
    ) -> Iterator[str]:
        """The name of every thing of one kind that this one reached, or was made of, by name.

        Raises:
            Refused: there is no such thing.
        """
        what, then = thing.parse(asked), thing.moment(at)
        with self._view(then) as view:
            found = walk.reach(view, self._starts(view, what, forward), forward, 0)
        yield from sorted(id_.partition(":")[2] for id_ in found.of(kind) if id_ != what.id)

    def impact(self, asked: str, at: str | None = None) -> Impact:
        """What changes if this must go, whatever it is: an output goes as the row it is, what
        answers with models goes with what it answered.

        Raises:
            Refused: there is no such thing.
        """
        what, then = thing.parse(asked), thing.moment(at)
        with self._view(then) as view:
            if what.kind in thing.OF_GRAPH:
                node = _require(view, what)
                whole = {what.name: int(node.facts["num_rows"])} if what.kind == "dataset" else {}
                rows, starts = Chosen(hits=whole), [what.id]
            elif what.kind == "output":
                rows = self._row_of(view, what)
                starts = rows.starts
            else:
                rows = self._chosen(view, what)
                starts = rows.starts
            if what.kind == "endpoint":
                starts += view.edges([what.id], False)[what.id].fars
            found = walk.reach(view, starts, True, 0)
            answered = self._count(view, found, rows.gaps, what)
            return impact(view, what.id, rows, found, answered, at)

    def dataset_rows(self, dsv_ids: Iterable[str]) -> list[DatasetRows]:
        """The rows of recorded dataset versions, in this order: exact counts, the first 1,000, the
        rest as each is iterated over.

        Raises:
            Refused: one is not on record.
            StorageUnavailable: its compartment cannot be read.
        """
        with self._view() as view:
            nodes = [_require(view, Thing("dataset", dsv_id)) for dsv_id in dsv_ids]
            versions = [selection.version(view.db, node.name) for node in nodes]
        return [
            self._rows_of(version, int(node.facts["num_rows"]))
            for node, version in zip(nodes, versions, strict=True)
        ]

    def prepare(self) -> None:
        """Work out what every recorded dataset version holds that can be read, so that whoever asks
        first waits as little as whoever asks again."""
        with self._view() as view:
            known = [dsv_id for (dsv_id,) in view.db.execute("SELECT id FROM dataset ORDER BY id")]
        for dsv_id in known:
            with suppress(StorageUnavailable):
                self.dataset_rows([dsv_id])

    def rows(self, asked: str, at: str | None = None) -> Iterator[tuple[str, int, bool]]:
        """(`compartment:table`, row_uid, whether it is there at that moment) of every row of a
        source, a licence or a subject that there ever was until then, each once in its table.

        Raises:
            Refused: it is none of those, or there is none.
            StorageUnavailable: a compartment cannot be read any more.
        """
        what, then = thing.parse(asked), thing.moment(at)
        if what.kind not in thing.OF_ROWS:
            raise Refused(f"rows are listed of {', '.join(thing.OF_ROWS)}")
        with self._view(then) as view:
            places = self._chosen(view, what).lives
        for compartment, lives in sorted(places.items()):
            with self._index.stream(compartment, {life.table for life in lives}) as db:
                held = selection.lives(db, what, self._seen)
                for table, uid, there in selection.listed(db, what, held, thing.epoch_us(then)):
                    yield f"{compartment}:{table}", uid, there

    def outputs(
        self,
        models: Sequence[str] | None = None,
        endpoint: str = "",
        since: str | None = None,
        until: str | None = None,
    ) -> Count:
        """How many outputs these models (`NAME/VERSION`; None is any) answered in an interval, its
        ends included.

        Raises:
            StorageUnavailable: a compartment cannot be read, so that no number would be exact.
        """
        count, asked = Count(), _asked(models, endpoint, since, until)
        for compartment in self._answering():
            with self._index.rows(compartment, [OUTPUTS]) as db:
                count.merge(outputs.count(db, asked, self._seen))
        return count

    def list_outputs(
        self,
        models: Sequence[str] | None = None,
        endpoint: str = "",
        since: str | None = None,
        until: str | None = None,
    ) -> Iterator[tuple[str, str]]:
        """(time, request_id) of the same, the oldest first, read as they are taken."""
        asked = _asked(models, endpoint, since, until)
        streams = [self._listed(compartment, asked) for compartment in self._answering()]
        for us, request_id in heapq.merge(*streams):
            yield thing.rfc3339(us), request_id

    @contextmanager
    def _view(self, at: str = ALL_TIME) -> Generator[View]:
        if self._pins is not None:
            with pinned(self._lake, self._pins) as db:
                yield View(db, at, None, self._seen)
            return
        with self._index.graph() as db:
            self._memory = self._memory.at(db)
            yield View(db, at, self._memory, self._seen)

    def _answering(self) -> Iterator[str]:
        """The compartments whose outputs may be counted."""
        return filter(self._seen.place, self._index.answering())

    def _of_rows(self, view: View, what: Thing, rows: Chosen, direction: str, limit: int) -> Trace:
        trace = Trace(Node(what.id, what.kind, what.name, chosen.facts(what, rows)))
        trace.gaps += rows.gaps
        if what.kind == "row" and direction != "forward":
            chosen.origin(trace, what, rows)
        if direction != "back":
            found = walk.reach(view, rows.starts, True, limit)
            chosen.lead(trace, view, rows, limit)
            walk.tell(trace, view, found)
            self._answered(trace, view, found, what)
        return trace

    def _of_node(self, view: View, what: Thing, direction: str, limit: int) -> Trace:
        trace = Trace(_require(view, what))
        if direction != "forward":
            walk.tell(trace, view, walk.reach(view, [what.id], False, limit))
        if direction != "back":
            found = walk.reach(view, [what.id], True, limit)
            walk.tell(trace, view, found)
            self._answered(trace, view, found, what)
        return trace

    def _chosen(self, view: View, what: Thing) -> Chosen:
        found = chosen.choose(self._index, view, what)
        if not found.is_known:
            raise Refused(_NOT_THERE[what.kind])
        return found

    def _starts(self, view: View, what: Thing, forward: bool) -> list[str]:
        if what.kind == "output" and forward:
            return self._row_of(view, what).starts
        if what.kind == "output":
            _, output = self._output(what, view.at)
            asked = f"model:{output['model']}/{output['model_version']}"
            return [asked] if self._seen.node(asked) else []
        if what.kind in thing.OF_GRAPH:
            return [_require(view, what).id]
        return self._chosen(view, what).starts

    def _of_output(self, view: View, what: Thing, direction: str, limit: int) -> Trace:
        """Back to its model, forward as the row it is."""
        _, output = self._output(what, view.at)
        trace = _behind_output(view, output, limit if direction != "forward" else None)
        if direction != "back":
            rows = self._row_of(view, what)
            found = walk.reach(view, rows.starts, True, limit)
            trace.gaps += rows.gaps
            chosen.lead(trace, view, rows, limit)
            walk.tell(trace, view, found)
            self._answered(trace, view, found, what)
        return trace

    def _output(self, what: Thing, then: str) -> tuple[str, Mapping[str, Any]]:
        """The compartment in which it lies, and its facts."""
        for compartment in self._answering():
            with self._index.rows(compartment, [OUTPUTS]) as db:
                found = outputs.find(db, what.name)
            if found is None or not self._seen.label(found["label_id"]):
                continue
            if found["ts"] > then:
                raise Refused(f"{what.id} was asked for later than {then}, on {found['ts']}")
            return compartment, found
        raise Refused(_NOT_THERE["output"])

    def _row_of(self, view: View, what: Thing) -> Chosen:
        """An output as a row of its table."""
        compartment, _ = self._output(what, view.at)
        uid = row_uid(OUTPUTS, what.name)
        return self._chosen(view, Thing("row", f"{compartment}:{OUTPUTS}/{uid}"))

    def _answered(self, trace: Trace, view: View, found: Reached, what: Thing) -> None:
        """Every output of the models that were reached, as one node."""
        outputs.tell(trace, self._count(view, found, trace.gaps, what))

    def _count(
        self, view: View, found: Reached, gaps: list[str], what: Thing | None = None
    ) -> Count:
        to_us = outputs.LAST_US if view.at == ALL_TIME else thing.epoch_us(view.at)
        if what is not None and what.kind in thing.ANSWERING:
            asked = list(_served(view, what, to_us))
        else:
            models = outputs.models(found.of("model"))
            asked = [Asked(models, to_us=to_us)] if models else []
        count = Count()
        for compartment in self._answering() if asked else ():
            try:
                with self._index.rows(compartment, [OUTPUTS]) as db:
                    for one in asked:
                        count.merge(outputs.count(db, one, self._seen))
            except StorageUnavailable as error:
                gaps.append(str(error))
        return count

    def _rows_of(self, version: Version, num_recorded: int) -> DatasetRows:
        place, tables = version.compartment, [version.table]
        with self._index.rows(place, tables) as db:
            held = dataset.kept(db, version)
        if held is None:
            with self._index.change(place, tables) as db:
                held = dataset.keep(db, version)
        return dataset.rows(version, num_recorded, held, lambda: self._index.stream(place, tables))

    def _listed(self, compartment: str, asked: Asked) -> Iterator[tuple[int, str]]:
        with self._index.stream(compartment, [OUTPUTS]) as db:
            yield from outputs.listed(db, asked, self._seen)


def _served(view: View, what: Thing, to_us: int) -> Iterator[Asked]:
    """What an endpoint answered, by its deployments: an output names its model and not the name it
    was deployed at."""
    deployments = [what.id]
    if what.kind == "endpoint":
        deployments = [edge.far for edge in view.edges(deployments, False)[what.id].edges]
    behind = view.edges(deployments, False)
    for id_, node in view.nodes(deployments).items():
        models = outputs.models(edge.far for edge in behind[id_].edges)
        ends = node.facts["to"]
        last = to_us if ends in (None, "now") else min(to_us, thing.epoch_us(str(ends)) - 1)
        yield Asked(models, from_us=thing.epoch_us(str(node.facts["from"])), to_us=last)


def _behind_output(view: View, output: Mapping[str, Any], limit: int | None) -> Trace:
    """Nothing but the output itself where there is no limit."""
    request_id = str(output["request_id"])
    facts = {"label_id": output["label_id"], "outcome": output["outcome"], "ts": output["ts"]}
    trace = Trace(Node(f"output:{request_id}", "output", request_id, facts))
    if limit is None:
        return trace
    name, version = str(output["model"]), int(output["model_version"])
    id_ = f"model:{name}/{version}"
    model = view.node(id_)
    if not view.seen.node(id_):
        trace.gaps.append(walk.cut(f"output {request_id}"))
        return trace
    if model is not None and model.facts["weights_sha256"] != output["weights_sha256"]:
        trace.gaps.append(f"{name} v{version}: the output names other weights than the registry")
    word = outputs.word(str(output["outcome"]))
    trace.lead(trace.root, model or Node(id_, "model", f"{name} v{version}"), word)
    found = walk.reach(view, [id_], False, limit)
    walk.tell(trace, view, found)
    trace.counts["model"] = trace.counts.get("model", 0) + 1
    return trace


def _require(view: View, what: Thing) -> Node:
    node = view.node(what.id)
    if node is not None:
        return node
    like = view.db.execute(
        "SELECT DISTINCT id FROM node WHERE id>=? AND id<? ORDER BY id",
        (f"{what.kind}:", f"{what.kind};"),
    )
    seen = (id_ for (id_,) in like if id_ != what.id and view.seen.node(id_))
    near = difflib.get_close_matches(what.id, islice(seen, 5000), 3, 0.8)
    then = "" if view.at == ALL_TIME else f" by {view.at}"
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise Refused(f"{what.id} is not on record{then}{hint}")


def _asked(
    models: Sequence[str] | None, endpoint: str, since: str | None, until: str | None
) -> Asked:
    from_us = outputs.FIRST_US if since is None else thing.epoch_us(thing.moment(since))
    to_us = outputs.LAST_US if until is None else thing.epoch_us(thing.moment(until))
    return Asked(None if models is None else tuple(models), endpoint, from_us, to_us)


_NOT_THERE = {
    "output": "no output with this id can be read here; its id is the answer's x-request-id",
    "row": "no such row is in this table or in a version of it that can still be read; a curated"
    " row keeps the id of its raw row",
    "subject": "no row has this subject key in what can be read here; keys are pseudonyms",
    "source": "no row is of this source in what can be read here; it is named as at its ingest",
    "licence": "no row has this licence in what can be read here; it is named as at its ingest",
}
