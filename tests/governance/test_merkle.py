"""Merkle trees and their proofs: RFC 6962's vectors and definitions, and no other proof."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from halocline_governance.journal import merkle
from halocline_governance.journal.merkle import EMPTY_ROOT, Tree, leaf_hash, node_hash

DATA = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
DATA.append("606162636465666768696a6b6c6d6e6f")
LEAVES = [leaf_hash(bytes.fromhex(item)) for item in DATA]

# certificate-transparency-go, internal/witness and merkle tests: audit paths and consistency proofs
# of the reference tree, with the leaf counted from 0.
PATHS = {
    (0, 8): ["96a296d2", "5f083f0a", "6b47aaf2"],
    (5, 8): ["bc1a0643", "ca854ea1", "d37ee418"],
    (2, 3): ["fac54203"],
    (1, 5): ["6e340b9c", "5f083f0a", "bc1a0643"],
}
CONSISTENT = {
    (1, 1): [],
    (1, 8): ["96a296d2", "5f083f0a", "6b47aaf2"],
    (6, 8): ["0ebc5d34", "ca854ea1", "d37ee418"],
    (2, 5): ["5f083f0a", "bc1a0643"],
}


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it stands there."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def subproof(m: int, leaves: list[bytes], is_whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if is_whole else [root(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, leaves[:k], is_whole), root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), root(leaves[:k])]


def random_leaves(rng: random.Random, size: int) -> list[bytes]:
    return [rng.randbytes(32) for _ in range(size)]


@pytest.mark.parametrize(("place", "expected"), PATHS.items())
def test_reference_audit_paths(place: tuple[int, int], expected: list[str]) -> None:
    index, size = place
    found = merkle.inclusion(merkle.nodes(LEAVES), index, size)

    assert [node.hex()[:8] for node in found] == expected
    assert merkle.verify_inclusion(LEAVES[index], index, size, found, root(LEAVES[:size]))


@pytest.mark.parametrize(("sizes", "expected"), CONSISTENT.items())
def test_reference_consistency_proofs(sizes: tuple[int, int], expected: list[str]) -> None:
    old, new = sizes
    found = merkle.consistency(merkle.nodes(LEAVES), old, new)

    assert [node.hex()[:8] for node in found] == expected
    assert merkle.verify_consistency(old, new, root(LEAVES[:old]), root(LEAVES[:new]), found)


def test_paths_and_roots_are_those_of_the_definitions(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    leaves = random_leaves(rng, 70)
    node = merkle.nodes(leaves)
    roots = [root(leaves[:size]) for size in range(len(leaves) + 1)]
    sizes = range(71) if scale(0, 1) else sorted({*range(18), 31, 32, 33, 64, 69, 70})
    for new in sizes:
        assert Tree(leaves[:new]).root == merkle.root(node, new) == roots[new]
        for index in range(new):
            found = merkle.inclusion(node, index, new)
            assert found == path(index, leaves[:new])
            assert merkle.verify_inclusion(leaves[index], index, new, found, roots[new])
        for old in range(new + 1):
            found = merkle.consistency(node, old, new)
            assert found == (subproof(old, leaves[:new], True) if old else [])
            assert merkle.verify_consistency(old, new, roots[old], roots[new], found)


def test_the_same_in_large_trees(rng: random.Random) -> None:
    leaves = random_leaves(rng, 5000)
    node = merkle.nodes(leaves)
    for _ in range(6):
        new = rng.randrange(1, 5000)
        old, index = rng.randrange(1, new + 1), rng.randrange(new)
        tree, whole = Tree(leaves[:old]).root, Tree(leaves[:new]).root
        shown = merkle.consistency(node, old, new)
        assert merkle.verify_consistency(old, new, tree, whole, shown)
        audit = merkle.inclusion(node, index, new)
        assert merkle.verify_inclusion(leaves[index], index, new, audit, whole)


def test_a_tree_grows_the_same_one_by_one_and_in_batches(rng: random.Random) -> None:
    leaves = random_leaves(rng, 300)
    tree, at = Tree(), 0
    while at < len(leaves):
        step = min(rng.choice([1, 1, 2, 3, 50]), len(leaves) - at)
        if step == 1:
            tree.append(leaves[at])
        else:
            tree.extend(leaves[at : at + step])
        at += step
        before = tree.copy()
        assert (tree.size, tree.root) == (at, root(leaves[:at]))
        before.append(leaves[0])
        assert tree.size == at


def wrong(rng: random.Random, proof: list[bytes]) -> list[bytes]:
    """The proof, changed in one way."""
    other = list(proof)
    how = rng.randrange(5)
    at = rng.randrange(len(proof) or 1)
    if not proof or how == 0:
        other.insert(at, rng.randbytes(32))
    elif how == 1:
        raw = bytearray(other[at])
        raw[rng.randrange(32)] ^= 1 << rng.randrange(8)
        other[at] = bytes(raw)
    elif how == 2:
        del other[at]
    elif how == 3:
        other.append(other[at])
    else:
        rng.shuffle(other)
    return other


def test_no_wrong_inclusion_proof_is_accepted(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    leaves = random_leaves(rng, 40)
    node = merkle.nodes(leaves)
    for _ in range(scale(400, 20_000)):
        size = rng.randrange(1, 41)
        index = rng.randrange(size)
        good, whole = merkle.inclusion(node, index, size), root(leaves[:size])
        bad = wrong(rng, good)
        if bad != good:
            assert not merkle.verify_inclusion(leaves[index], index, size, bad, whole)
        other = rng.choice([index - 1, index + 1, size, rng.randrange(41)])
        if other != index:
            assert not merkle.verify_inclusion(leaves[index], other, size, good, whole)
        assert not merkle.verify_inclusion(rng.randbytes(32), index, size, good, whole)
        assert not merkle.verify_inclusion(leaves[index], index, size, good, rng.randbytes(32))


def test_no_wrong_consistency_proof_is_accepted(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    leaves = random_leaves(rng, 40)
    node = merkle.nodes(leaves)
    roots = [root(leaves[:size]) for size in range(41)]
    for _ in range(scale(400, 20_000)):
        new = rng.randrange(1, 41)
        old = rng.randrange(new + 1)
        good = merkle.consistency(node, old, new)
        bad = wrong(rng, good)
        if bad != good:
            assert not merkle.verify_consistency(old, new, roots[old], roots[new], bad)
        forked = rng.randbytes(32)
        assert not merkle.verify_consistency(old, new, forked, roots[new], good)
        if old:  # anything goes on from an empty log
            assert not merkle.verify_consistency(old, new, roots[old], forked, good)
        assert not merkle.verify_consistency(new + 1, new, roots[new], roots[new], good)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4)])
def test_there_is_no_path_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion(merkle.nodes(LEAVES), index, size)
    assert not merkle.verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])
