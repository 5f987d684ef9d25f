"""Which interned labels lie within the bound that a read decision obliges to.

The gate says up to where in the lattice the caller may read; this applies the lattice's own order.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from halocline_governance.decision import Decision
from halocline_governance.errors import MalformedLabel, NoCompartment, PolicyUnavailable
from halocline_governance.guard.kept import Kept
from halocline_governance.label import Label, parse

_KEPT = 256
_BLOCKED = "blocked_issuers"


def within(answer: Decision, labels: Mapping[str, Label], *, anywhere: bool) -> dict[str, Label]:
    """The labels that the decision lets its caller read, by id, sorted.

    Args:
        answer: an allow of the read gate.
        labels: what is interned in the compartment.
        anywhere: `system`, or a compartment of a crossing: labels of several sides may lie there.

    Raises:
        PolicyUnavailable: the decision names no well-formed bound.
    """
    bound, blocked = _obliged(answer.obligations)
    return {
        label_id: label
        for label_id, label in sorted(labels.items())
        if _without_issuers(label) <= bound
        and not blocked.intersection(label.issuers)
        and (anywhere or _lies_somewhere(label))
    }


class Readable:
    """Remembers what `within` gave while neither the decision nor the labels change."""

    def __init__(self) -> None:
        self._kept: Kept[tuple[str, int], tuple[Any, Mapping[str, Label]]] = Kept(_KEPT)

    def of(
        self, answer: Decision, labels: Mapping[str, Label], *, anywhere: bool
    ) -> Mapping[str, Label]:
        """See `within`. The labels are told apart by identity: the lake hands out the same
        mapping while nothing was interned."""
        key = (answer.id, id(labels))
        kept = self._kept.get(key)
        if kept is not None and kept[0] is labels:
            return kept[1]
        found = MappingProxyType(within(answer, labels, anywhere=anywhere))
        self._kept.put(key, (labels, found))
        return found


def _obliged(obligations: Mapping[str, Any]) -> tuple[Label, frozenset[str]]:
    bound: object = obligations.get("bound")
    blocked = obligations.get(_BLOCKED)
    if not isinstance(blocked, list) or not isinstance(bound, Mapping):
        raise PolicyUnavailable("the read gate allowed without saying up to which label")
    issuers = cast("list[object]", blocked)
    try:
        label = parse(cast("object", bound))
    except MalformedLabel:
        raise PolicyUnavailable("the read gate's bound is no label") from None
    if label.issuers or not all(isinstance(issuer, str) for issuer in issuers):
        raise PolicyUnavailable("the read gate's bound is not of the agreed shape")
    return label, frozenset(cast("list[str]", issuers))


def _without_issuers(label: Label) -> Label:
    if not label.issuers:
        return label
    return Label(label.sensitivity, label.sides, label.tenants, label.ndas)


def _lies_somewhere(label: Label) -> bool:
    try:
        return bool(label.compartment)
    except NoCompartment:
        return False
