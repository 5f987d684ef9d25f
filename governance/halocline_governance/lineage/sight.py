"""What of lineage somebody may see: things whose label their clearance dominates.

Questions are asked of what is seen alone (`asks`), so that nothing hidden changes an answer. What a
run or a mixture was made of is its label, an endpoint is seen with a model it answered with, a row
by its label. What nobody knows the label of is seen by who may see everything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain

from halocline_governance.errors import MalformedLabel, Refused
from halocline_governance.label import AXES, PUBLIC, Label, join, parse
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
from halocline_governance.lineage.questions import Questions
from halocline_governance.lineage.seen import WHOLE, Seen

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
        self.clearance, self._lineage, self._labels = clearance, lineage, labels
        self._places = {name: _compartment(name, those) for name, those in compartments.items()}
        self._whole = {
            name: join([self._places[name], *those]) for name, those in compartments.items()
        }
        everything = join(chain(labels.values(), self._places.values()))
        self.is_whole = everything <= clearance
        self._seen_labels = {id_ for id_, label in labels.items() if label <= clearance}
        self._needs: dict[str, list[Label]] = defaultdict(list)
        self._known: dict[str, bool] = {}
        if not self.is_whole:
            self._learn(self.heard)
        cut = Seen(self.sees, self.reads, self._seen_labels.__contains__)
        self.asks: Questions = lineage.questions(WHOLE if self.is_whole else cut)

    @property
    def heard(self) -> Told:
        """What the journal tells."""
        if self._heard is None:
            self._heard = self._hear()
        return self._heard

    def sees(self, id_: str) -> bool:
        """Whether a node of the graph may be shown."""
        if self.is_whole:
            return True
        if id_ not in self._known:
            needs = self._needs.get(id_, [])
            # An endpoint is there for whoever sees one of its models.
            some = any if id_.startswith("endpoint:") else all
            self._known[id_] = bool(needs) and some(one <= self.clearance for one in needs)
        return self._known[id_]

    def reads(self, compartment: str) -> bool:
        """Whether this compartment may be named, and rows in it whose label is seen."""
        return (
            self.is_whole
            or self._places.get(compartment, _compartment(compartment, ())) <= self.clearance
        )

    def reads_all(self, compartment: str) -> bool:
        """Whether rows of every label that lies there are seen."""
        return self.is_whole or self._whole.get(compartment, _HIGHEST) <= self.clearance

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

    def impact_and_rest(self, asked: str) -> tuple[Impact, int]:
        """`lineage.impact` as far as it is seen, and how many things it is besides: for who
        approves an order, and must know that there is more."""
        whole = self._lineage.impact(asked)
        if self.is_whole:
            return whole, 0
        try:
            found = self.asks.impact(asked)
        except Refused:
            found = Impact(asked)
        return found, max(_size(whole) - _size(found), 0)

    @property
    def told(self) -> str:
        """The clearance that answers are cut to, in one line."""
        bound = [
            f"{axis}={','.join(held)}" for axis in AXES if (held := getattr(self.clearance, axis))
        ]
        return " ".join([self.clearance.sensitivity, *bound])

    def flags(self, flags: Iterable[Flag]) -> tuple[list[Flag], int]:
        """Those flags that may be shown, and how many are left out."""
        told = list(flags)
        shown = [f for f in told if self._may_flag(f) and self.may_tell(f.what)]
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

    def _may_flag(self, flag: Flag) -> bool:
        if flag.labels is None or self.is_whole:
            return self.sees(flag.about)
        return self._seen_labels.issuperset(flag.labels.split())

    def _learn(self, heard: Told) -> None:
        """The labels of everything, from lineage's tables and the journal's own words."""
        lineage, needs = self._lineage, self._needs
        for row in lineage.rows(DATASET):
            place = self._places.get(row["compartment"], _compartment(row["compartment"], ()))
            of_rows = map(self._label, row["label_ids"])
            needs[f"dataset:{row['dsv_id']}"] += [self._label(row["label_id"]), *of_rows, place]
        for row in lineage.rows(MIXTURE):
            for source in row["sources"]:
                needs[f"mixture:{row['mix_sha']}"] += needs.get(
                    f"dataset:{source['dsv_id']}", [_HIGHEST]
                )
        for row in lineage.rows(RUN):
            needs[f"run:{row['run_id']}"] += needs.get(f"dataset:{row['dsv_id']}", [_HIGHEST])
        for run_id, records in heard.begun.items():
            needs[f"run:{run_id}"] += [self._said(one.what.get("label")) for one in records]
        for row in lineage.rows(MODEL):
            needs[f"model:{row['model']}/{row['version']}"].append(self._label(row["label_id"]))
        for model, records in heard.registered.items():
            needs[f"model:{model}"] += [self._said(one.what.get("label")) for one in records]
        for row in lineage.rows(DEPLOYMENT):
            model = needs.get(f"model:{row['model']}/{row['version']}", [_HIGHEST])
            needs[f"deployment:{row['endpoint']}/{row['from_ts']}"] += model
            needs[f"endpoint:{row['endpoint']}"].append(join(model))

    def _label(self, label_id: str) -> Label:
        return self._labels.get(label_id, _HIGHEST)

    def _said(self, value: object) -> Label:
        try:
            return parse(value)
        except MalformedLabel:
            return _HIGHEST


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
