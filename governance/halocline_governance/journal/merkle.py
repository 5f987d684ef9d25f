"""RFC 6962 section 2.1 Merkle trees over SHA-256: the compact form that grows, and its proofs.

A proof is built from a function `node(level, i)`, the root of the i-th complete subtree of
`2**level` leaves: an index has it on disk, `nodes` has it in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
Node = Callable[[int, int], bytes]

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right).digest()


class Tree:
    """An append-only tree that keeps only the roots of its complete subtrees.

    Law: after any appends, `root` equals RFC 6962's MTH of the leaves.
    """

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._levels: list[bytes | None] = []
        self.extend(leaves)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        carry, level = leaf, 0
        while self.size >> level & 1:
            held = self._levels[level]
            assert held is not None
            carry = node_hash(held, carry)
            self._levels[level] = None
            level += 1
        if level == len(self._levels):
            self._levels.append(None)
        self._levels[level] = carry
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes, level by level: for many at once quicker than one by one."""
        nodes, level = list(leaves), 0
        self.size += len(nodes)
        while nodes:
            if level == len(self._levels):
                self._levels.append(None)
            held = self._levels[level]
            if held is not None:
                nodes.insert(0, held)
            self._levels[level] = nodes.pop() if len(nodes) & 1 else None
            half = iter(nodes)
            nodes = [_sha256(b"\x01" + a + b).digest() for a, b in zip(half, half, strict=True)]
            level += 1

    def copy(self) -> Tree:
        other = Tree()
        other.size, other._levels = self.size, self._levels.copy()
        return other

    @property
    def root(self) -> bytes:
        root: bytes | None = None
        for node in self._levels:
            if node is not None:
                root = node if root is None else node_hash(node, root)
        return EMPTY_ROOT if root is None else root


def nodes(leaves: Sequence[bytes]) -> Node:
    """`node(level, i)` over leaf hashes in memory."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def root(node: Node, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return _range(node, 0, size) if size else EMPTY_ROOT


def inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1).

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(node, middle, end))
            end = middle
        else:
            path.append(_range(node, start, middle))
            start = middle
    return path[::-1]


def consistency(node: Node, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` leaves is a prefix of that of `new` (RFC 6962 section
    2.1.2); empty when they are equal or the old one is empty.

    Raises:
        ValueError: the old tree is the larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is no prefix of one of {new}")
    path: list[bytes] = []
    start, end = 0, new
    while old and old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(node, middle, end))
            end = middle
        else:
            path.append(_range(node, start, middle))
            start = middle
    if start and old:
        path.append(_range(node, start, end))  # else the old root itself, which the verifier has
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether `path` shows the leaf at `index` in the tree of that root (RFC 9162 section
    2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for node in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(node, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, node)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether `path` shows the tree of `old` leaves to be a prefix of that of `new` (RFC 9162
    section 2.1.4.2; there 0 < old < new, here also the two cases without a path)."""
    if not 0 <= old <= new:
        return False
    if old == new or old == 0:
        return not path and old_root == (new_root if old == new else EMPTY_ROOT)
    if not path:
        return False
    if old & (old - 1) == 0:
        path = [old_root, *path]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, node)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _range(node: Node, start: int, end: int) -> bytes:
    """The root over leaves `start` to `end`, where `start` is a multiple of the power of two that
    `end - start` does not exceed."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range(node, start, middle), _range(node, middle, end))
