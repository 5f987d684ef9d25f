"""How MLflow follows lineage, for `halocline lineage check`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halocline_governance.lineage.checks import Checked, Flag
    from halocline_governance.lineage.checks_told import Told
    from halocline_infra.platform import Platform
    from halocline_registry.projection import Registered


def followed(
    platform: Platform, heard: Told, found: Checked, run: str | None, *, repair: bool
) -> tuple[list[str], list[Flag]]:
    """What was repaired in MLflow, and where it still tells something else than lineage.

    Args:
        platform: whose MLflow.
        heard: what the journal tells of registered versions.
        found: what the checks found; a repair writes it to each run that was checked.
        run: only this run's differences, and those of what came out of it.
        repair: write what is missing or changed, as far as MLflow lets it.

    Raises:
        TrackingUnavailable: MLflow cannot be read.
    """
    from halocline_registry.projection import Projection

    projection = Projection(platform.tracking, platform.lineage, platform.lake)
    repaired: list[str] = []
    if repair:
        flagged = Counter(flag.about for flag in found.flags)
        rows = platform.lineage.rows("lineage.run_source")
        ids = {row["run_id"] for row in rows if run in (None, row["run_id"])}
        repaired = projection.repair({id_: flagged[f"run:{id_}"] for id_ in ids})
    differs = projection.differences(_packages(platform, heard))
    if run is not None:
        models = platform.lineage.rows("lineage.model_edge")
        of_run = {f"model:{row['model']}/{row['version']}" for row in models
                  if row["run_id"] == run}  # fmt: skip
        differs = [one for one in differs if one.about in {f"run:{run}", *of_run}]
    return repaired, differs


def _packages(platform: Platform, heard: Told) -> dict[str, Registered]:
    """Where each version's package lies, as the journal has it."""
    from halocline_registry.projection import Registered

    newest = {name: records[-1].what for name, records in heard.registered.items()}
    return {
        name: Registered(platform.environment.models / what["folder"], what["manifest_sha256"])
        for name, what in newest.items()
    }
