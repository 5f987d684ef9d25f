"""Zero wrong allows, zero wrong denies: principals by labels against a brute-force oracle.

Labels grow along random graphs, as data does: a thing derived from others gets their join. The
oracle is the architecture's sentence, written without the product's label algebra: access =
dominance on sensitivity, sides, tenants and ndas, and (issuers ∩ today's list) ⊆ the clearance's
issuers; and within a compartment lies what is its own, its side's or public.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from halocline_governance.guard.bound import within
from halocline_governance.label import AXES, PUBLIC, SENSITIVITIES, Label, join
from halocline_governance.policy import Engine

_TODAY = ["initech"]  # what conftest's firm restricts
_NAMES = {
    "sides": ("buy", "sell"),
    "tenants": ("acme", "globex", "zeta"),
    "ndas": ("n1", "n2", "n3", "n10"),
    "issuers": ("acme", "hooli", "initech"),
}
_PLACES = ("public", "buy", "sell", "buy.acme", "sell.acme", "sell.globex", "x.merger", "system")
_TABLE = {"system": "lineage.model_edge"}
_LABELS_IN_A_QUESTION = 24


def _some(rng: random.Random, names: tuple[str, ...], share: float) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if rng.random() < share))


def _label(rng: random.Random, share: float) -> Label:
    axes = {axis: _some(rng, names, share) for axis, names in _NAMES.items()}
    return Label(rng.choice(SENSITIVITIES), **axes)


def _graph(rng: random.Random, num_nodes: int) -> dict[str, Label]:
    """Labels by node: a third are sources, every other is made from up to three before it."""
    labels: list[Label] = []
    for number in range(num_nodes):
        if number < num_nodes // 3 or rng.random() < 0.2:
            labels.append(rng.choice([PUBLIC, _label(rng, 0.15), _label(rng, 0.4)]))
        else:
            labels.append(join(rng.sample(labels, rng.randint(1, min(3, len(labels))))))
    return {label.label_id: label for label in labels}


def _may(clearance: Label, label: Label, place: str) -> bool:
    """The architecture's sentence, and where a label may lie."""
    if SENSITIVITIES.index(label.sensitivity) > SENSITIVITIES.index(clearance.sensitivity):
        return False
    for axis in ("sides", "tenants", "ndas"):
        if any(name not in getattr(clearance, axis) for name in getattr(label, axis)):
            return False
    if any(name in _TODAY and name not in clearance.issuers for name in label.issuers):
        return False
    if place == "system" or place.startswith("x."):
        return True
    side, _, tenant = place.partition(".")
    lying = [*label.sides], [*label.tenants]
    return lying in (([], []), ([side], []), ([side], [tenant or None]))


def _question(clearance: Label, place: str, labels: Mapping[str, Label] | None) -> dict[str, Any]:
    table = _TABLE.get(place, "curated.documents")
    resource: dict[str, Any] = {"table": table, "compartment": place, "columns": ["label_id"]}
    if labels is not None:
        resource["labels"] = {label_id: label.as_json() for label_id, label in labels.items()}
    return {
        "principal": {
            "subject": "somebody",
            "roles": ["service"],
            "clearance": clearance.as_json(),
        },
        "purpose": "monitoring",
        "resource": resource,
        "context": {"now": 1_700_000_000},
    }


@pytest.mark.timeout(7200)
def test_zero_wrong_allows_and_zero_wrong_denies(
    rng: random.Random, scale: Callable[[int, int], int], embedded: Engine, served: Engine
) -> None:
    principals = [_label(rng, rng.choice((0.3, 0.6, 0.9))) for _ in range(scale(40, 1000))]
    graphs = [_graph(rng, 12) for _ in range(scale(40, 1000))]
    labels = {label_id: label for graph in graphs for label_id, label in graph.items()}
    told = {True: 0, False: 0}

    for clearance in principals:
        for place in rng.sample(_PLACES, scale(3, 4)):
            expected = {i for i, label in labels.items() if _may(clearance, label, place)}
            some = dict(rng.sample(sorted(labels.items()), _LABELS_IN_A_QUESTION))

            for engine in (embedded, served):
                bounded = engine.decide("read", _question(clearance, place, None))
                named = engine.decide("read", _question(clearance, place, some))

                assert bounded.allow
                anywhere = place == "system" or place.startswith("x.")
                assert set(within(bounded, labels, anywhere=anywhere)) == expected
                assert named.obligations.get("label_ids", []) == sorted(expected & some.keys())
                assert named.allow == bool(expected & some.keys())
            told[True] += len(expected)
            told[False] += len(labels) - len(expected)

    assert min(told.values()) > 0.05 * sum(told.values()), f"the oracle is one-sided: {told}"


def test_the_bound_is_the_join_of_all_that_may_be_read(
    rng: random.Random, scale: Callable[[int, int], int], embedded: Engine
) -> None:
    """So nothing could be bounded more tightly: it is the greatest label that may be read."""
    for _ in range(scale(100, 3000)):
        clearance, place = _label(rng, 0.6), rng.choice(_PLACES)

        answer = embedded.decide("read", _question(clearance, place, None))

        bound = Label(**{k: _tuple(v) for k, v in answer.obligations["bound"].items()})
        assert _may(clearance, bound, place) or (bound.tenants and not bound.sides)
        for axis in AXES[:3]:
            for name in _NAMES[axis]:
                more = bound | Label("public", **{axis: (name,)})
                assert more == bound or not _may(clearance, more, place)


def _tuple(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
