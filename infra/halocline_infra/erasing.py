"""What a compliance officer does to remove somebody's data: orders, and finding what to order.

Composes governance's erasure with serving's spools and the firm's facts, which it must not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Denied, Refused
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_governance.erasure.room import ErasureRoom
    from halocline_infra.platform import Platform

_OUTPUTS = "serving.outputs"


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


def subject_keys(platform: Platform, value: str) -> list[dict[str, Any]]:
    """The pseudonymous keys of a person, by compartment, and how many documents are under each:
    no two compartments have the same key."""
    from halocline_governance.detect.pseudonym import PseudonymKey
    from halocline_governance.erasure import What
    from halocline_governance.erasure.finding import find

    secret, lake = platform.secret("pseudonyms"), platform.lake
    keys = {n: PseudonymKey.derive(secret, n).subject_key(value) for n in lake.compartments()}
    held = find(lake, What.SUBJECT, list(keys.values())).documents
    return [
        {"compartment": name, "key": key, "documents": len(held.get(name, ()))}
        for name, key in keys.items()
    ]


def outputs_with(platform: Platform, officer: Principal, value: str) -> list[str] | None:
    """Request ids of the outputs that this officer may read and whose texts hold the value,
    whatever its case; None when the read gate opens no output to them.
    """
    wanted, found = value.casefold(), list[str]()
    columns = ["request_id", "prompt", "output"]
    try:
        plan = platform.guard.plan(officer, Purpose.AUDIT, _OUTPUTS, columns)
    except Denied:
        return None
    for batch in platform.guard.batches(plan):
        for row in batch.to_pylist():
            if wanted in row["prompt"].casefold() or wanted in row["output"].casefold():
                found.append(row["request_id"])
    return sorted(found)


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
