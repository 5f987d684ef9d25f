"""What of lineage somebody may see: things whose label their clearance dominates.

Answers are worked out whole and cut here, in one place; how much was left out is told as a number.
What a run or a mixture was made of is its label, an endpoint is seen with a model it answered with,
and rows by their compartment. What nobody knows the label of is seen by who may see everything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain

from halocline_governance.errors import MalformedLabel, Refused, StorageUnavailable
from halocline_governance.label import PUBLIC, Label, join, parse
from halocline_governance.lineage import outputs
from halocline_governance.lineage.checks import Checked, Flag
from halocline_governance.lineage.checks_told import Told
from halocline_governance.lineage.impact import Impact
from halocline_governance.lineage.lineage import (
    DATASET,
    DEPLOYMENT,
    MIXTURE,
    MODEL,
    RUN,
    Lineage,
)
from halocline_governance.lineage.outputs import Count
from halocline_governance.lineage.trace import Node, Trace

EVERY = 1_000_000
_COUNTED = ("dataset", "mixture", "run", "model", "deployment", "endpoint")
_NAMING = ("dataset", "mixture", "run", "endpoint", "deployment", "model")
_WORD = re.compile(r"[^\s,;()]+")
_PLACE = re.compile(r"[a-z0-9][a-z0-9.-]*(?=:)")
_MODEL = re.compile(r"(\S+) v(\d+)")


class Sight:
    """
    Args:
        clearance: of who asks.
        lineage: whose things have labels.
        hear: what the journal tells, of runs and models that lineage may have lost; asked for once,
            when it is needed.
        labels: every label there is, by id.
        compartments: the labels that lie in each.
    """

    def __init__(
        self,
        clearance: Label,
        lineage: Lineage,
        hear: Callable[[], Told],
        labels: Mapping[str, Label],
        compartments: Mapping[str, Iterable[Label]],
    ) -> None:
        self._hear = hear
        self._heard: Told | None = None
        self._clearance, self._lineage, self._labels = clearance, lineage, labels
        self._places = {name: _compartment(name, those) for name, those in compartments.items()}
        everything = join(chain(labels.values(), self._places.values()))
        self.is_whole = everything <= clearance
        self._seen_labels = {id_ for id_, label in labels.items() if label <= clearance}
        self._needs: dict[str, list[Label]] = defaultdict(list)
        if not self.is_whole:
            self._learn(self.heard)

    @property
    def heard(self) -> Told:
        """What the journal tells."""
        if self._heard is None:
            self._heard = self._hear()
        return self._heard

    def sees(self, id_: str, label_ids: str | None = None) -> bool:
        """Whether a thing may be shown, which has these labels if it tells them itself."""
        if self.is_whole:
            return True
        kind, _, name = id_.partition(":")
        if kind in ("rows", "row") and not self.reads(name.partition(":")[0]):
            return False
        if label_ids is not None:
            return all(one in self._seen_labels for one in label_ids.split())
        if kind in ("rows", "row", "source", "licence", "subject"):
            return True
        known = self._needs.get(id_, [])
        # An endpoint is there for whoever sees one of its models.
        some = any if kind == "endpoint" else all
        return bool(known) and some(label <= self._clearance for label in known)

    def reads(self, compartment: str) -> bool:
        """Whether rows of this compartment may be listed and counted."""
        return self._places.get(compartment, _compartment(compartment, ())) <= self._clearance

    def may_tell(self, text: str) -> bool:
        """Whether a sentence names nothing that may not be seen."""
        if self.is_whole:
            return True
        words = {word.rstrip(":.") for word in _WORD.findall(text)}
        for word in words:
            place = _PLACE.match(word)
            if place and place[0] in self._places and not self.reads(place[0]):
                return False
            if word in self._places and not self.reads(word):
                return False
            known = [id_ for kind in _NAMING if (id_ := f"{kind}:{word}") in self._needs]
            if word in self._needs:
                known.append(word)
            if not all(map(self.sees, known)):
                return False
            versions = [id_ for id_ in self._needs if id_.startswith(f"model:{word}/")]
            if versions and not any(map(self.sees, versions)):
                return False
        models = [f"model:{name}/{version}" for name, version in _MODEL.findall(text)]
        return all(self.sees(id_) for id_ in models if id_ in self._needs)

    def trace(self, asked: str, at: str | None, direction: str, limit: int) -> tuple[Trace, int]:
        """`lineage.trace`, and how many things are left out of it.

        Raises:
            Refused: there is no such thing, or it is not for this clearance.
        """
        if self.is_whole:
            return self._lineage.trace(asked, at, direction, limit), 0
        whole = self._lineage.trace(asked, at, direction, EVERY)
        self._require(whole.root)
        there = {id_ for id_, node in whole.nodes.items() if self._shows(node)}
        edges = [edge for edge in whole.edges if edge.tail in there and edge.head in there]
        found, num = Trace(whole.root), defaultdict[str, int](int)
        for id_ in sorted(there - {whole.root.id}):
            node = whole.nodes[id_]
            num[node.kind] += 1
            if num[node.kind] <= limit:
                found.nodes[id_] = node
        for edge in edges:
            if edge.tail in found.nodes and edge.head in found.nodes:
                found.lead(found.nodes[edge.tail], found.nodes[edge.head], edge.kind)
        found.counts = {kind: n for kind, n in sorted(num.items()) if kind in _COUNTED}
        found.gaps = [gap for gap in whole.gaps if self.may_tell(gap)]
        if "outputs" in whole.nodes:
            models = [id_.partition(":")[2] for id_ in there if id_.startswith("model:")]
            is_endpoint = whole.root.kind == "endpoint"
            count = self._served(whole.root.name, at) if is_endpoint else self._count(models, at)
            outputs.tell(found, count)
        hidden = whole.nodes.keys() - there - {"outputs"}
        return found, len(hidden) + len({*whole.gaps}) - len({*found.gaps})

    def impact(self, asked: str, at: str | None = None) -> tuple[Impact, int]:
        """`lineage.impact`, and how many things are left out of it.

        Raises:
            Refused: there is no such thing, or it is not for this clearance.
        """
        whole = self._lineage.impact(asked, at)
        if self.is_whole:
            return whole, 0
        self._require(self._lineage.trace(asked, at, "back", 1).root)
        models = [m for m in whole.models if self.sees(f"model:{m}")]
        descendants = [m for m in whole.descendants if self.sees(f"model:{m}")]
        own = [asked.partition(":")[2]] if asked.startswith("model:") else []
        found = replace(
            whole,
            rows={p: n for p, n in whole.rows.items() if self.sees(f"rows:{p}")},
            datasets={d: n for d, n in whole.datasets.items() if self.sees(f"dataset:{d}")},
            mixtures=[m for m in whole.mixtures if self.sees(f"mixture:{m}")],
            runs={r: n for r, n in whole.runs.items() if self.sees(f"run:{r}")},
            models=models,
            descendants=descendants,
            endpoints_now=[e for e in whole.endpoints_now if self._answers(*e)],
            endpoints_before=[e for e in whole.endpoints_before if self._answers(*e[:2])],
            outputs=self._count([*own, *models, *descendants], at),
            gaps=[gap for gap in whole.gaps if self.may_tell(gap)],
        )
        return found, _size(whole) - _size(found)

    def flags(self, flags: Iterable[Flag]) -> tuple[list[Flag], int]:
        """Those flags that may be shown, and how many are left out."""
        told = list(flags)
        shown = [f for f in told if self.sees(f.about) and self.may_tell(f.what)]
        return shown, len(told) - len(shown)

    def texts(self, texts: Iterable[str]) -> tuple[list[str], int]:
        """The same of sentences."""
        told = list(texts)
        shown = [text for text in told if self.may_tell(text)]
        return shown, len(told) - len(shown)

    def checked(self, found: Checked) -> tuple[Checked, int]:
        """What the checks found, and how many of their findings are left out."""
        flags, num_flags = self.flags(found.flags)
        unread, num_unread = self.texts(found.unread)
        going = tuple(run for run in found.unfinished if self.sees(f"run:{run}"))
        left = replace(found, flags=tuple(flags), unread=tuple(unread), unfinished=going)
        return left, num_flags + num_unread + len(found.unfinished) - len(going)

    def _learn(self, heard: Told) -> None:
        """The labels of everything, from lineage's tables and the journal's own words."""
        lineage, needs = self._lineage, self._needs
        for row in lineage.rows(DATASET):
            place = self._places.get(row["compartment"], _compartment(row["compartment"], ()))
            needs[f"dataset:{row['dsv_id']}"] += [self._label(row["label_id"]), place]
        for row in lineage.rows(MIXTURE):
            for source in row["sources"]:
                needs[f"mixture:{row['mix_sha']}"] += needs.get(f"dataset:{source['dsv_id']}", [])
        for row in lineage.rows(RUN):
            needs[f"run:{row['run_id']}"] += needs.get(f"dataset:{row['dsv_id']}", [])
        for run_id, records in heard.begun.items():
            needs[f"run:{run_id}"] += [self._said(one.what.get("label")) for one in records]
        for row in lineage.rows(MODEL):
            needs[f"model:{row['model']}/{row['version']}"].append(self._label(row["label_id"]))
        for model, records in heard.registered.items():
            needs[f"model:{model}"] += [self._said(one.what.get("label")) for one in records]
        for row in lineage.rows(DEPLOYMENT):
            model = needs.get(f"model:{row['model']}/{row['version']}", [])
            needs[f"deployment:{row['endpoint']}/{row['from_ts']}"] += model
            needs[f"endpoint:{row['endpoint']}"].append(join(model) if model else _HIGHEST)

    def _label(self, label_id: str) -> Label:
        return self._labels.get(label_id, _HIGHEST)

    def _said(self, value: object) -> Label:
        try:
            return parse(value)
        except MalformedLabel:
            return _HIGHEST

    def _shows(self, node: Node) -> bool:
        if node.id == "outputs":
            return False  # counted anew, of what is seen
        labels = node.facts.get("label_id") if node.kind in ("row", "output") else None
        return self.sees(node.id, None if labels is None else str(labels))

    def _answers(self, endpoint: str, since: str) -> bool:
        return self.sees(f"deployment:{endpoint}/{since}")

    def _require(self, root: Node) -> None:
        if not self._shows(root):
            raise Refused(f"{root.id} is not on record, or not for your clearance")

    def _served(self, endpoint: str, at: str | None) -> Count:
        """What an endpoint answered with models that may be seen."""
        count = Count()
        for row in self._lineage.rows(DEPLOYMENT):
            if row["endpoint"] == endpoint and self._answers(endpoint, row["from_ts"]):
                model = f"{row['model']}/{row['version']}"
                count.merge(self._count([model], row["to_ts"] or at, row["from_ts"]))
        return count

    def _count(self, models: list[str], until: str | None, since: str | None = None) -> Count:
        """Outputs of these models that may be seen."""
        if not models:
            return Count()
        try:
            count = self._lineage.outputs(models, since=since, until=until)
        except StorageUnavailable:
            return Count()  # it is a gap already
        return count.within(self._seen_labels)


def _compartment(name: str, labels: Iterable[Label]) -> Label:
    """What must be cleared to be told of a compartment's rows: its side and tenant; of one that
    belongs to several, all that lies there."""
    if name.startswith("x."):
        return join(labels)
    side, _, tenant = name.partition(".")
    return PUBLIC if side == "public" else Label("public", (side,), (tenant,) if tenant else ())


def _size(found: Impact) -> int:
    lists = (found.rows, found.datasets, found.mixtures, found.runs, found.models, found.gaps,
             found.descendants, found.endpoints_now, found.endpoints_before)  # fmt: skip
    return sum(map(len, lists))


# No one is cleared for it: the name of a side that no firm has.
_HIGHEST = Label("restricted", ("unknown-to-everybody",))
