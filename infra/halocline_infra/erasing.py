"""What a compliance officer does to remove somebody's data: orders, and finding what to order.

Composes governance's erasure with serving's spools and the firm's facts, which it must not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Refused
from halocline_governance.principal import Principal

if TYPE_CHECKING:
    from halocline_governance.erasure.room import ErasureRoom
    from halocline_infra.platform import Platform


def room(platform: Platform) -> ErasureRoom:
    """The orders of this installation."""
    from halocline_governance.erasure.room import ErasureRoom, Site
    from halocline_infra import checks

    return ErasureRoom(
        Site(
            lake=platform.lake,
            journal_dir=platform.environment.journal,
            journal=platform.gates.journal,
            lineage=platform.lineage,
            withdraw=lambda sources, by: _withdraw(platform, sources, by),
            recover=lambda: _recover(platform),
            renew=lambda compartment: checks.fingerprint_again(platform, compartment),
            reports=platform.environment.reports,
        )
    )


def preview(platform: Platform, officer: Principal, told: Mapping[str, Any]) -> dict[str, Any]:
    """What `ErasureRoom.look` said, without the things whose label is above the officer's
    clearance: how many those are is `hidden`."""
    from halocline_governance.label import SYSTEM
    from halocline_governance.lineage import checks_told
    from halocline_governance.lineage.sight import Sight

    lake, journal = platform.lake, platform.environment.journal
    places = {name: lake.labels(name) for name in (SYSTEM, *lake.compartments())}
    labels = {id_: label for those in places.values() for id_, label in those.items()}
    within = {name: those.values() for name, those in places.items() if name != SYSTEM}
    sight = Sight(
        officer.clearance, platform.lineage, lambda: checks_told.heard(journal), labels, within
    )
    exposed, hidden = list[dict[str, Any]](), 0
    for one in told["exposed"]:
        found, num = sight.impact_and_rest(one["thing"])
        exposed.append(found.as_json())
        hidden += num
    unsure = dict(told["unsure"])
    for name, kind in (("models", "model"), ("endpoints_now", "endpoint")):
        seen = [one for one in unsure[name]["first"] if sight.sees(f"{kind}:{one}")]
        hidden += unsure[name]["num"] - len(seen)
        unsure[name] = {"num": len(seen), "first": seen}
    flags, num_flags = sight.texts(unsure["flags"]["first"])
    gaps, num_gaps = sight.texts(unsure["gaps"])
    unsure |= {"flags": {"num": len(flags), "first": flags}, "gaps": gaps}
    return {
        **told, "exposed": exposed, "unsure": unsure, "hidden": hidden + num_flags + num_gaps,
    }  # fmt: skip


def _withdraw(platform: Platform, sources: Sequence[str], by: Principal) -> None:
    """Put the sources on the firm's list, or see that they are on the one that decides.

    Raises:
        Refused: a signed bundle decides, and does not list them.
    """
    from halocline_infra.oversight import installed_policies

    if platform.environment.policy_bundle is None:
        platform.firm.withdraw(sources, by, platform.journal)
        return
    firm = installed_policies(platform).data.get("firm", {})
    if set(sources) - set(firm.get("withdrawn_sources", [])):
        raise Refused(
            "a signed bundle decides here: list the source in its withdrawn_sources first"
            " (halocline firm withdraw where it is signed), then run the order again"
        )


def _recover(platform: Platform) -> None:
    from halocline_serving.outputs import Outputs

    with Outputs(platform.lake, platform.gates.journal) as outputs:
        outputs.flush()
