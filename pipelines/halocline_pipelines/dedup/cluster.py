"""Which rows are duplicates of which: components over verified pairs, a label at a time.

A row may be dropped because of rows whose label is at or below its own, and of no others: that a
row is missing would else tell of something its readers may not see. Knows no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from halocline_governance.label import SENSITIVITIES, Label
from halocline_pipelines.dedup.exact import RULE as EXACT
from halocline_pipelines.dedup.minhash import MinHash, estimates

Index = NDArray[np.int64]
_MAX_HUBS = 16
_PAIRS = 65_536


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Rows to compare. `is_kept` rows were kept before: they stay, whatever comes."""

    row_uid: NDArray[np.int64]
    label_id: NDArray[np.str_]
    digest: NDArray[np.bytes_]
    bands: NDArray[np.float64]
    signature: NDArray[np.uint32]
    is_kept: NDArray[np.bool_]

    def take(self, rows: Index | NDArray[np.bool_]) -> Fingerprints:
        return Fingerprints(
            self.row_uid[rows],
            self.label_id[rows],
            self.digest[rows],
            self.bands[rows],
            self.signature[rows],
            self.is_kept[rows],
        )


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Why a row goes: the rule, and the row that stays for it."""

    row_uid: int
    kept_uid: int
    rule: str


def duplicates(
    rows: Fingerprints, labels: Mapping[str, Label], minhash: MinHash
) -> list[Duplicate]:
    """Every row that goes. The same for the same rows, in whatever order they come."""
    rows = rows.take(np.argsort(rows.row_uid, kind="stable"))
    stays = rows.is_kept.copy()
    found: list[Duplicate] = []
    for label_id in sorted(set(rows.label_id.tolist()), key=lambda one: _height(labels[one])):
        below = [other for other in labels if labels[other] <= labels[label_id]]
        mine = rows.label_id == label_id
        visible = np.flatnonzero(mine | (np.isin(rows.label_id, below) & stays))
        gone = _among(rows.take(visible), (stays | ~mine)[visible], minhash)
        dropped = {duplicate.row_uid for duplicate in gone}
        stays |= mine & ~np.isin(rows.row_uid, list(dropped))
        found += gone
    return found


def _height(label: Label) -> tuple[int, str]:
    """Grows along the order of labels, so that whatever lies below comes first."""
    sets = (label.sides, label.tenants, label.ndas, label.issuers)
    return SENSITIVITIES.index(label.sensitivity) + sum(map(len, sets)), label.label_id


def _among(rows: Fingerprints, is_fixed: NDArray[np.bool_], minhash: MinHash) -> list[Duplicate]:
    """Drop all of each component but its fixed rows, or but its smallest row."""
    count = len(rows.row_uid)
    roots = np.arange(count)
    exact = _groups(rows.digest)
    edges = [_pairs(exact)]
    near = _distinct(count, [_pairs(_groups(rows.bands[:, at])) for at in range(minhash.num_bands)])
    edges += [pairs[_similar(rows, pairs, minhash.threshold)] for pairs in _blocks(near)]
    for left, right in np.concatenate(edges).tolist():
        _unite(roots, left, right)
    components: dict[int, list[int]] = {}
    for at in range(count):
        components.setdefault(_root(roots, at), []).append(at)
    found: list[Duplicate] = []
    for members in components.values():
        if len(members) > 1:
            found += _dropped(rows, members, is_fixed)
    return found


def _dropped(
    rows: Fingerprints, members: list[int], is_fixed: NDArray[np.bool_]
) -> Iterator[Duplicate]:
    """Members come by row id. Exact is told before near where a row is both."""
    kept = next((at for at in members if is_fixed[at]), members[0])
    seen = {rows.digest[at] for at in members if is_fixed[at] or at == kept}
    for at in members:
        if at == kept or is_fixed[at]:
            continue
        digest = rows.digest[at]
        rule = EXACT if digest in seen else "minhash@1"
        seen.add(digest)
        yield Duplicate(int(rows.row_uid[at]), int(rows.row_uid[kept]), rule)


def _groups(keys: NDArray[np.generic]) -> list[Index]:
    """Positions that share a key, for each key that several have; ascending within a group."""
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    borders = np.flatnonzero(sorted_keys[1:] != sorted_keys[:-1]) + 1
    return [group for group in np.split(order, borders) if len(group) > 1]


def _pairs(groups: list[Index]) -> Index:
    """All pairs of a small group; of a big one, everyone with each of its first members."""
    parts = [np.zeros((0, 2), dtype=np.int64)]
    for group in groups:
        for place in range(min(len(group) - 1, _MAX_HUBS)):
            others = group[place + 1 :]
            parts.append(np.column_stack([np.full(len(others), group[place]), others]))
    return np.concatenate(parts)


def _distinct(count: int, parts: list[Index]) -> Index:
    pairs = np.concatenate(parts)
    codes = np.unique(pairs[:, 0] * count + pairs[:, 1])
    return np.column_stack([codes // max(count, 1), codes % max(count, 1)])


def _blocks(pairs: Index) -> Iterator[Index]:
    for at in range(0, len(pairs), _PAIRS):
        yield pairs[at : at + _PAIRS]


def _similar(rows: Fingerprints, pairs: Index, threshold: float) -> NDArray[np.bool_]:
    left, right = rows.signature[pairs[:, 0]], rows.signature[pairs[:, 1]]
    return estimates(left, right) >= threshold


def _root(roots: Index, at: int) -> int:
    while roots[at] != at:
        roots[at] = roots[roots[at]]
        at = int(roots[at])
    return at


def _unite(roots: Index, left: int, right: int) -> None:
    left, right = _root(roots, left), _root(roots, right)
    roots[max(left, right)] = min(left, right)
