"""How MLflow follows lineage, for `halocline lineage check`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halocline_governance.lineage.checks import Checked
    from halocline_infra.platform import Platform


def followed(
    platform: Platform, found: Checked, run: str | None, *, repair: bool
) -> tuple[list[str], list[str]]:
    """What was repaired in MLflow, and where it still tells something else than lineage.

    Args:
        platform: whose MLflow.
        found: what the checks found; a repair writes it to each run that was checked.
        run: only this run's differences.
        repair: write what is missing or changed, as far as MLflow lets it.
    """
    from halocline_registry.projection import Projection

    projection = Projection(platform.tracking, platform.lineage, platform.lake)
    repaired: list[str] = []
    if repair:
        flagged = Counter(flag.about for flag in found.flags)
        rows = platform.lineage.rows("lineage.run_source")
        ids = {row["run_id"] for row in rows if run in (None, row["run_id"])}
        repaired = projection.repair({id_: flagged[f"run:{id_}"] for id_ in ids})
    differs = projection.differences()
    return repaired, [one for one in differs if run is None or f"run {run}:" in one]
