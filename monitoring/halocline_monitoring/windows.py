"""One window over answered requests, as a partial that can be merged with any other.

Counts and fixed-bin histograms only, all integers, so that merging is exact. Knows no table.

Law (tests/monitoring/test_windows.py): `of(a + b) == of(a).merge(of(b))`, in any order, and
JSON round-trips.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.detect import Detector, Verdict, guarded
from halocline_monitoring import histogram
from halocline_monitoring.histogram import Counts

_NOTHING = hashlib.sha256(b"").hexdigest()
_BATCH_ROWS = 1_024
_NUMBERS = ("prompt_tokens", "completion_tokens", "mean_logprob", "mean_entropy")

Row = Mapping[str, Any]
Checks = Callable[[str], Sequence[Detector]]


@dataclass(frozen=True, slots=True)
class Partial:
    """Counts of outputs by what was seen of them.

    `counts` has keys of the forms `outcome:held`, `finish:stop`, `stored:pii@1:found` (the verdict
    written when it was answered), `now:pii@1:found` (by the same detector today),
    `leaked:canary@1` (found today in bytes that left), `kind:pii@1:email` (outputs with that
    finding) and `changed:pii@1` (same detector, same bytes, another verdict).
    """

    num_rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    histograms: Mapping[str, Counts] = field(default_factory=dict[str, Counts])

    def merge(self, other: Partial) -> Partial:
        """The partial of both sets of rows together."""
        counts = Counter(self.counts) + Counter(other.counts)
        names = {*self.histograms, *other.histograms}
        return Partial(
            self.num_rows + other.num_rows,
            dict(sorted(counts.items())),
            {name: _added(name, self, other) for name in sorted(names)},
        )

    def rate(self, name: str) -> tuple[int, int]:
        """How many of how many outputs."""
        return self.counts.get(name, 0), self.num_rows

    def as_json(self) -> dict[str, Any]:
        return {
            "num_rows": self.num_rows,
            "counts": dict(self.counts),
            "histograms": {name: list(counts) for name, counts in self.histograms.items()},
        }

    def dumps(self) -> str:
        """Canonical JSON, as `monitoring.windows` holds it."""
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))


def parse(text: str) -> Partial:
    """A partial from its JSON."""
    obj: dict[str, Any] = json.loads(text)
    histograms = {name: tuple(counts) for name, counts in obj["histograms"].items()}
    return Partial(obj["num_rows"], obj["counts"], histograms)


def of(rows: Iterable[Row], checks: Checks) -> Partial:
    """The partial of these rows of `serving.outputs`, each text scanned again.

    Args:
        checks: the detectors for an answer of this label id: those of the release gate.
    """
    counts: Counter[str] = Counter()
    bins: dict[str, Counter[int]] = {}
    num_rows = 0
    for some in _by_label(rows):
        num_rows += len(some)
        for row in some:
            counts.update(_seen(row))
            for name in _NUMBERS:
                _put(bins, name, row[name])
            _put(bins, "output_chars", float(len(row["output"])))
        for check in map(guarded, checks(str(some[0]["label_id"]))):
            for row, verdict in zip(some, _scanned(check, some), strict=True):
                counts.update(_judged(row, check, verdict))
                if verdict.score is not None:
                    _put(bins, f"score:{verdict.detector}", verdict.score)
    return Partial(
        num_rows,
        dict(sorted(counts.items())),
        {name: _filled(name, bins[name]) for name in sorted(bins)},
    )


def _by_label(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in groups of one label, no bigger than a batch."""
    waiting: dict[str, list[Row]] = {}
    for row in rows:
        group = waiting.setdefault(str(row["label_id"]), [])
        group.append(row)
        if len(group) == _BATCH_ROWS:
            yield waiting.pop(str(row["label_id"]))
    yield from waiting.values()


def _scanned(check: Detector, rows: Sequence[Row]) -> Iterable[Verdict]:
    from halocline_governance.detect.batch import Texts

    return check.scan_batch(Texts.of([row["output"] for row in rows]))


def released_text(row: Row) -> str:
    """What left of this output: all of it, a prefix, or nothing, by the hash on record.

    Where no prefix has that hash, nobody knows, and all of it is assumed to have left.
    """
    wanted, text = row["released_sha256"], str(row["output"])
    if wanted in ("", None, _NOTHING):
        return ""
    running = hashlib.sha256()
    for at, char in enumerate(text):
        running.update(char.encode("utf-8", "surrogatepass"))
        if running.hexdigest() == wanted:
            return text[: at + 1]
    return text


def stored_verdicts(row: Row) -> list[dict[str, Any]]:
    """What the release gate was told about this output."""
    return json.loads(row["verdicts"] or "[]")


def _seen(row: Row) -> list[str]:
    seen = [f"outcome:{row['outcome']}", f"finish:{row['finish_reason']}"]
    seen += [f"stored:{v['detector']}:{v['status']}" for v in stored_verdicts(row)]
    return seen


def _judged(row: Row, detector: Detector, verdict: Verdict) -> list[str]:
    name = verdict.detector
    told = [f"now:{name}:{verdict.status}"]
    told += [f"kind:{name}:{kind}" for kind in verdict.findings]
    if verdict.status == "found" and _is_found_in(released_text(row), detector, verdict):
        told.append(f"leaked:{name}")
    for stored in stored_verdicts(row):
        same = stored["detector"] == name and stored["sha256"] == verdict.sha256
        if same and stored["status"] != verdict.status:
            told.append(f"changed:{name}")
    return told


def _is_found_in(released: str, detector: Detector, whole: Verdict) -> bool:
    if not released:
        return False
    if hashlib.sha256(released.encode("utf-8", "surrogatepass")).hexdigest() == whole.sha256:
        return True
    return detector.scan(released).status != "clean"


def _put(bins: dict[str, Counter[int]], name: str, value: float | None) -> None:
    bins.setdefault(name, Counter())[histogram.place(name, value)] += 1


def _filled(name: str, filled: Mapping[int, int]) -> Counts:
    return tuple(filled.get(at, 0) for at in range(len(histogram.empty(name))))


def _added(name: str, left: Partial, right: Partial) -> Counts:
    nothing = histogram.empty(name)
    pairs = zip(
        left.histograms.get(name, nothing), right.histograms.get(name, nothing), strict=True
    )
    return tuple(a + b for a, b in pairs)
