"""Components over verified pairs, against brute force; and no row goes for one above its label."""

import random
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from halocline_governance.label import Label
from halocline_pipelines.dedup import exact
from halocline_pipelines.dedup.cluster import Duplicate, Fingerprints, duplicates
from halocline_pipelines.dedup.fingerprint import joined
from halocline_pipelines.dedup.minhash import MinHash

LOW = Label("confidential", sides=("buy",))
HIGH = Label("restricted", sides=("buy",))
ISSUER_A = Label("restricted", sides=("buy",), issuers=("a",))
ISSUER_B = Label("restricted", sides=("buy",), issuers=("b",))
LABELS = {label.label_id: label for label in (LOW, HIGH, ISSUER_A, ISSUER_B)}
MINHASH = MinHash()

Row = tuple[int, str, Label, bool]


def fingerprints(rows: list[Row]) -> Fingerprints:
    signatures = [MINHASH.signature(text) for _, text, _, _ in rows]
    return Fingerprints(
        row_uid=np.array([uid for uid, _, _, _ in rows], dtype=np.int64),
        label_id=np.array([label.label_id for _, _, label, _ in rows]),
        digest=np.array([exact.digest(text) for _, text, _, _ in rows], dtype="S16"),
        bands=np.stack([MINHASH.bands(one) for one in signatures]),
        signature=np.stack(signatures),
        is_kept=np.array([kept for _, _, _, kept in rows]),
    )


def gone(rows: list[Row]) -> dict[int, int]:
    return {one.row_uid: one.kept_uid for one in duplicates(fingerprints(rows), LABELS, MINHASH)}


def text(seed: int, edit: int = 0) -> str:
    rng = random.Random(seed)
    words = [rng.choice("abcdefghij") + str(rng.randrange(1000)) for _ in range(200)]
    for place in range(edit):
        words[place * 50] = f"edit{edit}{place}"
    return " ".join(words)


def test_the_smallest_row_stays() -> None:
    rows = [(3, text(1), LOW, False), (1, text(1), LOW, False), (2, text(2), LOW, False)]
    assert gone(rows) == {3: 1}


def test_near_and_exact_are_told_apart() -> None:
    rows = [(1, text(1), LOW, False), (2, text(1, edit=1), LOW, False), (3, text(1), LOW, False)]
    assert duplicates(fingerprints(rows), LABELS, MINHASH) == [
        Duplicate(2, 1, "minhash@1"),
        Duplicate(3, 1, "exact@1"),
    ]


def test_what_was_kept_before_stays() -> None:
    rows = [(1, text(1), LOW, False), (5, text(1), LOW, True), (7, text(1), LOW, True)]
    assert gone(rows) == {1: 5}


def test_a_row_never_goes_for_one_above_its_label() -> None:
    assert gone([(1, text(1), HIGH, False), (2, text(1), LOW, False)]) == {1: 2}
    assert gone([(1, text(1), LOW, False), (2, text(1), HIGH, False)]) == {2: 1}
    assert gone([(1, text(1), HIGH, True), (2, text(1), LOW, False)]) == {}


def test_labels_that_do_not_compare_do_not_meet() -> None:
    assert gone([(1, text(1), ISSUER_A, False), (2, text(1), ISSUER_B, False)]) == {}


def test_nothing_and_one_row() -> None:
    assert gone([(1, text(1), LOW, False)]) == {}
    empty = fingerprints([(1, text(1), LOW, False)]).take(np.zeros(0, dtype=np.int64))
    assert duplicates(empty, LABELS, MINHASH) == []


def test_a_thousand_copies() -> None:
    rows: list[Row] = [(uid, text(1), LOW, False) for uid in range(10, 1010)]
    assert gone(rows) == dict.fromkeys(range(11, 1010), 10)


def random_rows(rng: random.Random) -> list[Row]:
    labels = list(LABELS.values())
    uids = rng.sample(range(10**6), 40)
    return [
        (uid, text(rng.randrange(8), rng.randrange(3)), rng.choice(labels), rng.random() < 0.2)
        for uid in uids
    ]


def alike(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> bool:
    return int((left == right).sum()) >= MINHASH.threshold * MINHASH.num_hashes


def brute(rows: list[Row]) -> dict[int, int]:
    """The definition, pair by pair, without bands: same digest, or estimate at the threshold."""
    signatures = {row[0]: MINHASH.signature(row[1]) for row in rows}
    stays = {row[0] for row in rows if row[3]}
    found: dict[int, int] = {}
    for label in (LOW, HIGH, ISSUER_A, ISSUER_B):
        seen = sorted(
            row for row in rows if row[2] == label or (row[2] <= label and row[0] in stays)
        )
        unseen: list[int] = [row[0] for row in seen]
        while unseen:
            component: set[int] = set()
            frontier: list[int] = [unseen[0]]
            while frontier:
                at = frontier.pop()
                component.add(at)
                others = [uid for uid in unseen if uid not in component]
                frontier += [uid for uid in others if alike(signatures[uid], signatures[at])]
            unseen = [uid for uid in unseen if uid not in component]
            fixed = [row[0] for row in seen if row[0] in component and (row[3] or row[2] != label)]
            kept = min(fixed or component)
            mine = {row[0] for row in seen if row[2] == label and not row[3]}
            found |= {uid: kept for uid in component & mine if uid != kept}
        stays |= {row[0] for row in rows if row[2] == label and row[0] not in found}
    return found


def test_as_the_definition_says(rng: random.Random) -> None:
    for _ in range(25):
        rows = random_rows(rng)
        assert gone(rows) == brute(rows)


def test_order_and_splitting_do_not_matter(rng: random.Random) -> None:
    rows = random_rows(rng)
    shuffled = rng.sample(rows, len(rows))
    assert gone(rows) == gone(shuffled)
    both = joined([fingerprints(rows[:15]), fingerprints(rows[15:])])
    assert duplicates(both, LABELS, MINHASH) == duplicates(fingerprints(rows), LABELS, MINHASH)


def test_threshold_is_the_recipes() -> None:
    rows: list[Row] = [(1, text(1), LOW, False), (2, text(1, edit=3), LOW, False)]
    strict = replace(MINHASH, threshold=1.0)
    assert duplicates(fingerprints(rows), LABELS, strict) == []
    assert gone(rows) == {2: 1}
