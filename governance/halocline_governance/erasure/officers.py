"""Who may take part in an order: the role, cleared for all that it touches, and never alone.

As with crossings, whoever decides about a side's rows must be cleared for that side. What an order
touches is what the tables hold when it is asked for, and what each beginning finds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from halocline_governance.erasure import finding
from halocline_governance.erasure.finding import Found, Unreadable
from halocline_governance.erasure.order import Standing, What
from halocline_governance.errors import Refused
from halocline_governance.label import SENSITIVITIES, Label
from halocline_governance.lake import Lake
from halocline_governance.principal import Principal

MAY_ERASE = "compliance"
_CROSSED = "x"

Touched = Collection[tuple[str, str]]
"""Compartment and label id; the id is empty where rows are gone and only their place is known."""


def check_role(principal: Principal) -> None:
    if MAY_ERASE not in principal.roles:
        raise Refused(f"erasing is for the role {MAY_ERASE}")


def check_cleared(principal: Principal, lake: Lake, touched: Touched) -> None:
    """
    Raises:
        Refused: a place or a label that the order touches is not within this caller's clearance.
    """
    if not is_cleared(principal, lake, touched):
        raise Refused(
            "this order touches rows that you are not cleared for: officers who are cleared for"
            " every label and compartment in it must ask for, approve and run it"
        )


def check_known(principal: Principal, lake: Lake, touched: Touched, *, found: bool) -> None:
    """The same of names that are only asked about: who is not cleared for what has one is told
    what is told of a name that nothing has.

    Raises:
        Refused: as above, or not every name was found.
    """
    if not found or not is_cleared(principal, lake, touched):
        raise Refused(
            "not every name here is one whose rows you may erase: nothing has it, or it touches"
            " what other officers are cleared for; a source that must not come in: halocline firm"
            " withdraw"
        )


def is_cleared(principal: Principal, lake: Lake, touched: Touched) -> bool:
    return all(_bound(lake, *one) <= principal.clearance for one in set(touched))


def find(principal: Principal, lake: Lake, what: What, names: Sequence[str]) -> Found:
    """What has these names, for somebody who is told where it cannot be looked.

    Raises:
        StorageUnavailable: a table cannot be read; its compartment is named to who is cleared.
    """
    try:
        return finding.find(lake, what, names)
    except Unreadable as error:
        named = is_cleared(principal, lake, {(error.compartment, "")})
        raise Unreadable(error.compartment, error.table, named=named) from None


def touched(found: Found) -> set[tuple[str, str]]:
    """What the rows that were found lie under."""
    return {(one.compartment, id_) for one in found.selections for id_ in one.label_ids}


def touched_by(standing: Standing) -> set[tuple[str, str]]:
    """What an order touches, as its own steps have told."""
    steps = [event["object"] for _, _, event in standing.steps]
    places = {(row["compartment"], "") for told in steps for row in told.get("rows", ())}
    return places | {
        (one["compartment"], id_)
        for told in steps
        for one in told.get("touches", ())
        for id_ in one["label_ids"]
    }


def as_json(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Label ids by compartment, as `request` and `begin` say them."""
    by_place: dict[str, list[str]] = {}
    for compartment, label_id in sorted(pairs):
        by_place.setdefault(compartment, []).append(label_id)
    return [{"compartment": name, "label_ids": ids} for name, ids in by_place.items()]


def _bound(lake: Lake, compartment: str, label_id: str) -> Label:
    """What one must be cleared for. A label that nobody knows could be any of its place."""
    place = _walls(compartment)
    if not label_id:
        return place
    known = lake.labels(compartment).get(label_id) if compartment in lake.compartments() else None
    return place | (known or Label(SENSITIVITIES[-1]))


def _walls(compartment: str) -> Label:
    """The side and the tenant of a compartment; where sides cross, only labels tell them."""
    side, _, tenant = compartment.partition(".")
    if compartment == "public" or side == _CROSSED:
        return Label("public")
    return Label("public", (side,), (tenant,) if tenant else ())
