"""Rows chosen in every compartment that can be read, and the dataset versions that held them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.errors import StorageUnavailable
from halocline_governance.lineage import selection
from halocline_governance.lineage.index import DOCUMENTS, Index
from halocline_governance.lineage.selection import SAME_ROWS, Life, Version
from halocline_governance.lineage.thing import Thing, epoch_us
from halocline_governance.lineage.trace import Node, Trace
from halocline_governance.lineage.view import View


@dataclass(slots=True)
class Chosen:
    """
    Args:
        lives: where the rows lived, by compartment.
        counts: by `compartment:table`, how many there were then and how many ids there ever were.
        hits: by dataset version, how many of the rows it holds.
        gaps: versions and compartments that cannot be read.
        lost: dataset versions of which not every row can be read any more.
    """

    lives: dict[str, list[Life]] = field(default_factory=dict[str, list[Life]])
    counts: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    hits: dict[str, int] = field(default_factory=dict[str, int])
    gaps: list[str] = field(default_factory=list[str])
    lost: set[str] = field(default_factory=set[str])

    @property
    def is_known(self) -> bool:
        """Whether there is or was any such row, or could have been where nobody can look."""
        return any(self.lives.values()) or bool(self.gaps)

    @property
    def starts(self) -> list[str]:
        return [f"dataset:{dsv_id}" for dsv_id in sorted(self.hits)]


def choose(index: Index, view: View, what: Thing) -> Chosen:
    """The rows of a row, a subject, a source or a licence."""
    chosen = Chosen()
    places, named = [*filter(view.seen.place, index.compartments())], set[tuple[str, str]]()
    told = view.db.execute("SELECT id, compartment, tbl FROM dataset")
    named.update((place, table) for id_, place, table in told if view.seen.node(f"dataset:{id_}"))
    concerned = {*filter(view.seen.place, (place for place, _ in named))}
    if what.kind == "row":
        place = what.row[0]
        is_one = view.seen.place(place) and (index.knows(place) or place in concerned)
        concerned = {place} if is_one else set[str]()
        places = [place for place in places if place in concerned]
    for compartment in places:
        names = {*DOCUMENTS, *(table for place, table in named if place == compartment)}
        if what.kind == "row":
            names = selection.kin(what.row[1])
        mine = [
            one
            for one in selection.versions(view.db, view.at, compartment)
            if view.seen.node(f"dataset:{one.dsv_id}")
        ]
        try:
            with index.rows(compartment, names) as db:
                _choose_in(db, view, what, compartment, mine, chosen)
        except StorageUnavailable as error:
            chosen.gaps.append(str(error))
    for place in sorted(concerned - set(places)):
        chosen.gaps.append(f"{place}: cannot be read from here")
    return chosen


def lead(trace: Trace, view: View, chosen: Chosen, limit: int) -> None:
    """From the trace's root to the rows, and on to the first `limit` dataset versions."""
    single = trace.root.kind == "row"
    for place, (now, ever) in sorted({} if single else chosen.counts.items()):
        rows = Node(f"rows:{place}", "rows", place, {"now": now, "ever": ever})
        trace.lead(trace.root, rows, "is in")
    for _, node in sorted(view.nodes(chosen.starts[:limit]).items()):
        num = chosen.hits[node.name]
        tail = trace.nodes.get(f"rows:{node.facts['table']}", trace.root)
        some = f"{num} rows"
        if node.name in chosen.lost:
            some = f"{num} rows that can still be read, of {node.facts['num_rows']} recorded,"
        trace.lead(tail, node, "in" if single else f"{some} in")
    trace.counts["dataset"] = len(chosen.hits)


def origin(trace: Trace, what: Thing, chosen: Chosen) -> None:
    """Back from one row: the raw row it was made from, and its source and licence."""
    compartment, table, uid = what.row
    held = chosen.lives.get(compartment, [])
    raw = "raw.documents"
    if table != raw and any(life.table == raw for life in held):
        name = f"{compartment}:{raw}/{uid}"
        trace.lead(trace.root, Node(f"row:{name}", "row", name), "made from")
    elif table in SAME_ROWS[raw] and table != raw and any(life.table == table for life in held):
        trace.gaps.append(f"row {what.name}: the raw row that it was made from is not there")
    for fact, value in sorted({(f, v) for life in held for f, v in _told(life)}):
        trace.lead(trace.root, Node(f"{fact}:{value}", fact, value), "came from")


def facts(what: Thing, chosen: Chosen) -> dict[str, Any]:
    """Of the root: how long the row lived in its table, and under which labels."""
    if what.kind != "row":
        return {}
    compartment, table, _ = what.row
    mine = [life for life in chosen.lives.get(compartment, []) if life.table == table]
    labels = sorted({life.label for life in mine})
    spans = [f"{a}.." if z >= selection.OPEN else f"{a}..{z - 1}" for a, z in _spans(mine)]
    told: dict[str, Any] = {"versions": " ".join(spans) or None}
    return {**told, "label_id": " ".join(labels) or None}


def _told(life: Life) -> list[tuple[str, str]]:
    both = (("source", life.source), ("licence", life.licence))
    return [(fact, value) for fact, value in both if value]


def _spans(lives: list[Life]) -> list[tuple[int, int]]:
    """Lives that follow on one another are one life: a file that was rewritten is no new row."""
    joined: list[tuple[int, int]] = []
    for from_v, to_v in sorted((life.from_v, life.to_v) for life in lives):
        if joined and from_v <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(to_v, joined[-1][1]))
        else:
            joined.append((from_v, to_v))
    return joined


def _choose_in(
    db: sqlite3.Connection,
    view: View,
    what: Thing,
    compartment: str,
    known: list[Version],
    chosen: Chosen,
) -> None:
    if what.kind == "row":  # what happened to its raw row did not happen to a curated row
        names = SAME_ROWS.get(what.row[1], (what.row[1],))
        known = [one for one in known if one.table in names]
    held = selection.lives(db, what, view.seen)
    gone = {one.dsv_id for one in selection.unseen(db, known)}
    hits = {
        hit.dsv_id: hit.num
        for hit in selection.hits(held, [one for one in known if one.dsv_id not in gone])
    }
    # One row that was found is found, whatever else of that version is lost.
    sure = hits if what.kind == "row" else {}
    lost = {one.dsv_id for one in selection.partly(db, known)} - sure.keys() | gone
    chosen.lives[compartment], chosen.lost = held, chosen.lost | lost
    chosen.hits |= hits
    counts = selection.counted(db, what, held, epoch_us(view.at))
    chosen.counts |= {f"{compartment}:{table}": num for table, num in counts.items()}
    chosen.gaps += sorted({selection.gap(one) for one in known if one.dsv_id in lost})
