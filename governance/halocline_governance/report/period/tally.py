"""What the journal says of a period: bounded lists of statements with their exact totals, and sums.

Entries come log by log in the order of their records; nothing depends on the order of the logs.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.records import Kind
from halocline_governance.report import crossing
from halocline_governance.report.period.field import (
    allowed,
    at,
    body,
    grants,
    is_look,
    reasons,
    side,
    sides,
)
from halocline_governance.report.period.held import Held
from halocline_governance.report.period.rows import STATEMENTS, row
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period, lines

SHOWN = 100
"""Rows of one list at most; its total counts all."""

_Place = tuple[str, str, int]
_BY_KIND: Mapping[str, tuple[str, ...]] = {
    Kind.DIRECTORY: ("changes",),
    Kind.FIRM: ("firm",),
    Kind.CURATE: ("curated",),
    Kind.TRAIN: ("runs",),
    Kind.REGISTER: ("models",),
    Kind.APPROVE: ("approvals",),
    Kind.ABORT: ("aborts",),
    Kind.ERASE: ("erasures",),
    Kind.REPORT: ("handed",),
    Kind.KEY: ("rekeyed",),
}


def place(entry: Entry) -> _Place:
    """By time, then log, then record."""
    return str(entry.event["ts"]), entry.log, entry.seq


@dataclass(slots=True)
class Newest:
    """The newest of many groups of entries, by the last of each, and how many there were."""

    total: int = 0
    _kept: list[tuple[_Place, tuple[Entry, ...]]] = field(
        default_factory=list[tuple[_Place, tuple[Entry, ...]]]
    )

    def add(self, *entries: Entry) -> None:
        self.total += 1
        item = (place(entries[-1]), entries)
        if len(self._kept) < SHOWN:
            heapq.heappush(self._kept, item)
        else:
            heapq.heappushpop(self._kept, item)

    def groups(self) -> list[tuple[Entry, ...]]:
        """Oldest first."""
        return [entries for _, entries in sorted(self._kept, key=lambda item: item[0])]


@dataclass(slots=True)
class Asked:
    """Decisions that are told together: how many were allowed and denied, the first, the newest."""

    first: Entry
    newest: Entry
    allowed: int = 0
    denied: int = 0

    def add(self, entry: Entry) -> None:
        self.first = min(self.first, entry, key=place)
        self.newest = max(self.newest, entry, key=place)
        if entry.kind == Kind.READ or allowed(entry):
            self.allowed += 1
        else:
            self.denied += 1


class Tally:
    """Takes every entry up to the heads and keeps what the report says of the period."""

    def __init__(self, period: Period, outputs: Mapping[str, bytes] | None = None) -> None:
        self.period = period
        self.held = Held(outputs or {})
        """The outputs that were read, as the journal tells of them."""
        self.erasures: list[Entry] = []
        """Every step of an erasure, of whatever time."""
        self.answers: set[str] = set()
        """The requests that the journal says were answered, or cut off, in the period."""
        self.by_id: dict[str, Entry] = {}
        """Promotions and reads that lineage may name as its decisions; see `want`."""
        self._wanted: set[str] = set()
        self._looks: dict[str, str] = {}
        self._newest: dict[str, Newest] = {}
        self._entries: dict[str, Entry] = {}
        self._groups: dict[str, dict[tuple[str, ...], Asked]] = {}
        self._counts: dict[str, Counter[tuple[str, ...]]] = {}
        self._crossing: list[Entry] = []
        self._before: Entry | None = None

    def want(self, decision_ids: Iterable[str]) -> None:
        """Keep the decisions with these ids, of whatever time."""
        self._wanted |= set(decision_ids)

    def see(self, entry: Entry) -> None:
        """The next entry of a log, or the first of another."""
        before, self._before = self._before, entry
        ts = str(entry.event["ts"])
        if entry.kind == Kind.DECISION and (id_ := _id(entry)) in self._wanted:
            self.by_id[id_] = entry
        if entry.kind in (Kind.GENERATE, Kind.ABORT):
            self._answered(entry)
        self.held.see(entry)
        if entry.kind == Kind.ERASE:
            self.erasures.append(entry)
        if ts >= self.period.end:
            return
        if entry.kind == Kind.DIRECTORY:
            self._keep_entry(entry)
        if entry.kind == Kind.CROSS or crossing.named(entry) or crossing.proposed(entry):
            self._crossing.append(entry)
        if ts >= self.period.start:
            self._count("kinds", entry.kind)
            self._happened(entry, before)

    def lists(self) -> dict[str, dict[str, Any]]:
        """Every list, by the name of its statement."""
        told = {name: self._told(name) for name in STATEMENTS}
        told["entries"] = self._standing()
        for name in ("seen", "reads"):
            told[name] = self._grouped(name)
        told["admitted"] = self._admitted()
        told["denials"] = self._denials()
        told["revisions"] = self._revisions()
        told |= self._crossings()
        return told

    def sums(self) -> dict[str, list[dict[str, Any]]]:
        """Every sum: rows of names and counts, sorted by name."""
        return {
            "kinds": self._sum("kinds", "kind", "records"),
            "days": self._sum("days", "day", "allowed", "denied"),
            "gates": self._sum("gates", "gate", "allowed", "denied"),
            "reasons": self._sum("reasons", "gate", "reason", "denials"),
            "flows": self._sum("flows", "gate", "caller", "data", "allowed", "denied"),
            "endings": self._sum("endings", "record", "outcome", "outputs"),
        }

    def _happened(self, entry: Entry, before: Entry | None) -> None:
        """An entry of the period, and the one before it in its log or in another."""
        if entry.kind == Kind.DECISION:
            self._decision(entry)
            return
        for name in _lists(entry):
            self._list(name).add(entry)
        if entry.kind == Kind.READ and grants(entry):
            self._read(entry)
        if entry.kind in (Kind.GENERATE, Kind.ABORT):
            self._count("endings", entry.kind, str(entry.object.get("outcome")))
        is_again = before is not None and before.log == entry.log and before.kind != Kind.CLOSED
        if entry.kind == Kind.OPENED and is_again:
            assert before is not None
            self._list("crashes").add(before, entry)

    def gaps(self) -> list[str]:
        """What the journal itself leaves open."""
        found = lines(self._crossing, self.period)
        strange = sum(not line.story.steps for line in found)
        if not strange:
            return []
        return [f"{strange} crossings that decisions were told of have no step in the journal"]

    def _decision(self, entry: Entry) -> None:
        gate, verdict = str(entry.object.get("gate")), "allowed" if allowed(entry) else "denied"
        who = str(entry.event["subject"])
        self._count("days", str(entry.event["ts"])[:10], verdict)
        self._count("gates", gate, verdict)
        if gate == "read" and is_look(entry):
            self._looks[_id(entry)] = sides(entry)[0]
        else:
            self._count("flows", gate, *sides(entry), verdict)
        self._group("seen", entry, who)
        revision = str(at(entry.object, "answer").get("revision", ""))
        self._group("revisions", entry, revision)
        if gate == "read" and not is_look(entry):
            self._read(entry)
        if gate == "ingest":
            self._list("admitted" if allowed(entry) else "refused").add(entry)
        if gate == "promote":
            self._list("promotions").add(entry)
        if at(entry.object, "answer", "obligations").get("touches"):
            self._list("touches").add(entry)
        if verdict == "denied":
            told = STATEMENTS["denials"].make([entry], self.period)
            names = ("subject", "purpose", "gate", "about", "reasons")
            self._group("denials", entry, *(str(told[name]) for name in names))
            for reason in reasons(entry) or ["none given"]:
                self._count("reasons", gate, reason)

    def _read(self, entry: Entry) -> None:
        """Rows that were handed over, or that were asked for and denied."""
        names = ("subject", "purpose", "table", "compartment")
        told = STATEMENTS["reads"].make([entry], self.period)
        self._group("reads", entry, *(str(told[name]) for name in names))
        for one in grants(entry):
            caller = self._looks.get(str(one.get("decision_id")), "not known")
            self._count("flows", "read", caller, side(str(one.get("compartment"))), "allowed")

    def _answered(self, entry: Entry) -> None:
        asked = str(entry.object.get("ts", entry.event["ts"]))
        if "request_id" in entry.object and asked in self.period:
            self.answers.add(str(entry.object["request_id"]))

    def _keep_entry(self, entry: Entry) -> None:
        told = entry.object
        if told.get("outcome") != "changed":
            return
        subject = str((at(told, "after") or at(told, "before")).get("subject"))
        there = self._entries.get(subject)
        if there is None or place(there) < place(entry):
            self._entries[subject] = entry

    def _list(self, name: str) -> Newest:
        return self._newest.setdefault(name, Newest())

    def _group(self, name: str, entry: Entry, *key: str) -> None:
        groups = self._groups.setdefault(name, {})
        groups.setdefault(key, Asked(entry, entry)).add(entry)

    def _count(self, name: str, *key: str) -> None:
        self._counts.setdefault(name, Counter())[key] += 1

    def _told(self, name: str) -> dict[str, Any]:
        found = self._newest.get(name, Newest())
        rows = [row(name, entries, self.period) for entries in found.groups()]
        return {"rows": rows, "total": found.total}

    def _admitted(self) -> dict[str, Any]:
        """The newest refusals, and what was let in as far as there is room."""
        let, refused = (self._newest.get(name, Newest()) for name in ("admitted", "refused"))
        no = refused.groups()
        yes = let.groups()[max(0, len(no) + min(let.total, SHOWN) - SHOWN) :]
        both = sorted([*no, *yes], key=lambda group: place(group[-1]))
        rows = [row("admitted", entries, self.period) for entries in both]
        return {"rows": rows, "total": let.total + refused.total}

    def _denials(self) -> dict[str, Any]:
        """Alike denials together; those with the newest."""
        groups = sorted(self._groups.get("denials", {}).values(), key=lambda one: place(one.newest))
        rows = [row("denials", [one.newest], self.period, times=one.denied) for one in groups]
        return {"rows": rows[-SHOWN:], "total": len(groups)}

    def _standing(self) -> dict[str, Any]:
        """The entries that somebody has at the end of the period."""
        held = {name: entry for name, entry in self._entries.items() if at(entry.object, "after")}
        rows = [row("entries", [held[name]], self.period) for name in sorted(held)[:SHOWN]]
        return {"rows": rows, "total": len(held)}

    def _grouped(self, name: str) -> dict[str, Any]:
        """Those with the most decisions, by name."""
        groups = self._groups.get(name, {})
        most = sorted(groups, key=lambda key: (-groups[key].allowed - groups[key].denied, key))
        rows: list[dict[str, Any]] = []
        for key in sorted(most[:SHOWN]):
            one = groups[key]
            counts = {"allowed": one.allowed, "denied": one.denied}
            rows.append(row(name, [one.newest], self.period, **counts))
        return {"rows": rows, "total": len(groups)}

    def _revisions(self) -> dict[str, Any]:
        groups = sorted(
            self._groups.get("revisions", {}).values(), key=lambda one: place(one.first)
        )
        rows = [
            row(
                "revisions",
                [one.first, one.newest],
                self.period,
                decisions=one.allowed + one.denied,
            )
            for one in groups[-SHOWN:]
        ]
        return {"rows": rows, "total": len(groups)}

    def _crossings(self) -> dict[str, dict[str, Any]]:
        """Those something happened to in the period, or that were open in it."""
        found = lines(self._crossing, self.period)
        on_record = [line for line in found if line.story.steps]
        rows = [
            row(
                "crossings",
                line.story.steps,
                self.period,
                told=line.told.total(),
                allowed=line.allowed.total(),
                used=line.used.total(),
                denied=len(line.denials),
            )
            for line in on_record[-SHOWN:]
        ]
        across = [line for line in on_record if line.story.first("open")]
        shown = [row("insiders", line.story.steps, self.period) for line in across[-SHOWN:]]
        return {
            "crossings": {"rows": rows, "total": len(on_record)},
            "insiders": {"rows": shown, "total": len(across)},
        }

    def _sum(self, name: str, *columns: str) -> list[dict[str, Any]]:
        """Counts as rows; the last columns are counts, one of them or `allowed` and `denied`."""
        counts = self._counts.get(name, Counter())
        if columns[-1] != "denied":
            return [dict(zip(columns, (*key, counts[key]), strict=True)) for key in sorted(counts)]
        keys = sorted({key[:-1] for key in counts})
        return [
            dict(zip(columns, (*k, counts[*k, "allowed"], counts[*k, "denied"]), strict=True))
            for k in keys
        ]


def _lists(entry: Entry) -> tuple[str, ...]:
    """The lists that a record stands in by its kind and what it says."""
    if entry.kind == Kind.PROMOTE:
        return ("evidence",) if body(entry).get("evidence") else ()
    if entry.kind == Kind.READ:
        return ("ended",) if at(entry.object, "ended") else ()
    if entry.kind == Kind.MONITOR:
        return ("alarms",) if entry.object.get("alerts") else ()
    if entry.kind == Kind.GENERATE:
        return ("held",) if entry.object.get("outcome") != "released" else ()
    return _BY_KIND.get(entry.kind, ())


def _id(entry: Entry) -> str:
    return str(at(entry.object, "answer").get("id", ""))
