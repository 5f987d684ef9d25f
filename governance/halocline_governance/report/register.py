"""The register of crossings for a period, from the journal alone.

The same journal up to the period's end gives the same register, whenever it is asked for. It
tells what is on record: a step is recorded before it holds, so one that failed afterwards stands
here too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.records import Kind
from halocline_governance.report import crossing
from halocline_governance.report.crossing import Story
from halocline_governance.report.record import Entry

FORMAT = "halocline-crossings@1"
_SHOWN = 200
_TOTALS = (
    "crossings", "request", "approve", "open", "revoke", "expire",
    "told", "allowed", "used", "denied",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to and without `end`, both as the journal writes its times."""

    start: str
    end: str

    def __contains__(self, ts: str) -> bool:
        return self.start <= ts < self.end


def register(entries: Iterable[Entry], period: Period) -> dict[str, Any]:
    """Every crossing that something happened to in the period, or that was open in it.

    Args:
        entries: the journal; in any order.
        period: what happened after it is not looked at.
    """
    rows = [line.as_json(period) for line in lines(entries, period)]
    return {
        "format": FORMAT,
        "from": period.start,
        "to": period.end,
        "totals": _totals(rows, period),
        "crossings": rows,
    }


def lines(entries: Iterable[Entry], period: Period) -> list[Line]:
    """As `register`, each crossing with its story, by its first step, then its id."""
    seen = _relevant(entries, period)
    found = {name: Line(story) for name, story in crossing.stories(seen).items()}
    for entry in seen:
        for one in crossing.named(entry):
            line = found.setdefault(crossing.key(one), Line(Story(crossing.asked(one))))
            if str(entry.event["ts"]) in period:
                line.add(entry, is_used=one["id"] in crossing.used(entry))
    for line in found.values():
        for entry in line.story.openings:
            if str(entry.event["ts"]) in period:
                line.add_opening(entry)
    happened = [found[name] for name in sorted(found) if found[name].happened_in(period)]
    return sorted(happened, key=lambda line: (line.since, str(line.story.asked["id"])))


@dataclass(slots=True)
class Line:
    """What the register says of one crossing."""

    story: Story
    told: Counter[str] = field(default_factory=Counter[str])
    allowed: Counter[str] = field(default_factory=Counter[str])
    used: Counter[str] = field(default_factory=Counter[str])
    denials: dict[tuple[str, str, int], Entry] = field(
        default_factory=dict[tuple[str, str, int], Entry]
    )

    def add(self, entry: Entry, *, is_used: bool) -> None:
        """A decision whose question carried this crossing."""
        gate = str(entry.object["gate"])
        self.told[gate] += 1
        self.allowed[gate] += _allows(entry)
        self.used[gate] += is_used
        if not _allows(entry):
            self.denials[_place(entry)] = entry

    def add_opening(self, entry: Entry) -> None:
        """An answer of the cross gate about whether this crossing opens."""
        if not _allows(entry):
            self.denials[_place(entry)] = entry

    @property
    def since(self) -> str:
        """When its first step was recorded."""
        return str(self.story.steps[0].event["ts"]) if self.story.steps else ""

    def expired(self, period: Period) -> str | None:
        """When it expired, if it did so by the period's end and nobody had revoked it before."""
        is_over = self.story.ended == self.story.expires < period.end
        return self.story.expires if is_over and self.story.steps else None

    def happened_in(self, period: Period) -> bool:
        """Whether a step, its end or a decision lies in the period, or it was open in it."""
        times = [str(entry.event["ts"]) for entry in self.story.steps]
        times += [str(entry.event["ts"]) for entry in self.story.openings]
        times += [at] if (at := self.expired(period)) else []
        return any(at in period for at in times) or bool(self.told) or self._was_open(period)

    def _was_open(self, period: Period) -> bool:
        opened = self.story.first("open")
        if opened is None:
            return False
        begins = max(str(opened.event["ts"]), crossing.moment(self.story.asked["not_before"]))
        return begins < period.end and self.story.ended > period.start

    def as_json(self, period: Period) -> dict[str, Any]:
        return {
            **self.story.as_json(),
            "since": self.since,
            "standing": self.story.standing(period.end),
            "expired": self.expired(period),
            "decisions": [
                {
                    "gate": gate,
                    "told": self.told[gate],
                    "allowed": self.allowed[gate],
                    "used": self.used[gate],
                }
                for gate in sorted(self.told)
            ],
            "num_denials": len(self.denials),
            "denials": [_denial(self.denials[place]) for place in sorted(self.denials)[:_SHOWN]],
        }


def _relevant(entries: Iterable[Entry], period: Period) -> list[Entry]:
    """What the register is made from, by time, then place."""
    return sorted(
        (
            entry
            for entry in entries
            if str(entry.event["ts"]) < period.end
            and (entry.kind == Kind.CROSS or crossing.named(entry) or crossing.proposed(entry))
        ),
        key=_place,
    )


def _totals(rows: Iterable[Mapping[str, Any]], period: Period) -> dict[str, int]:
    totals: Counter[str] = Counter(dict.fromkeys(_TOTALS, 0))
    for row in rows:
        totals["crossings"] += 1
        totals.update(step["step"] for step in row["steps"] if step["ts"] in period)
        totals["expire"] += row["expired"] is not None and row["expired"] in period
        totals["denied"] += row["num_denials"]
        for name in ("told", "allowed", "used"):
            totals[name] += sum(gate[name] for gate in row["decisions"])
    return dict(totals)


def _denial(entry: Entry) -> dict[str, Any]:
    return {
        **entry.head(),
        "gate": entry.object["gate"],
        "reasons": sorted(map(str, entry.object["answer"].get("reasons", []))),
        "proof": entry.proof(),
    }


def _allows(entry: Entry) -> bool:
    return entry.object["answer"].get("allow") is True


def _place(entry: Entry) -> tuple[str, str, int]:
    return str(entry.event["ts"]), entry.log, entry.seq
