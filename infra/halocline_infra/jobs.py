"""Constructs a pipeline job for a command: progress goes to standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from halocline_governance.principal import Principal
from halocline_governance.records import uuid7

if TYPE_CHECKING:
    from halocline_infra.platform import Platform
    from halocline_pipelines.job import Job


def job(platform: Platform, principal: Principal, name: str, run_id: str | None = None) -> Job:
    """A job under a run id of its own."""
    from halocline_infra import scrubbing
    from halocline_pipelines.job import Job

    console = Console(stderr=True, highlight=False)
    return Job(
        spark=platform.spark,
        lake=platform.lake,
        gates=platform.gates,
        guard=platform.guard,
        principal=principal,
        run_id=run_id or f"{name}-{uuid7()}",
        secret=platform.secret("commits"),
        vault=scrubbing.vault(platform),
        pseudonyms=scrubbing.pseudonyms(platform),
        progress=lambda text: console.print(text, style="dim", markup=False),
    )
