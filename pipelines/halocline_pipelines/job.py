"""Who does a job, where, under which run: what ingest and curation are handed together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.lake import Lake
from halocline_governance.principal import Principal
from halocline_governance.scrub.pseudonym import PseudonymKey, Pseudonyms
from halocline_governance.scrub.vault import Vault

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one principal.

    Args:
        spark: the session; jobs of one process share it.
        lake: where tables lie.
        gates: asked before anything enters.
        guard: the door to what is read.
        principal: a service, or a data engineer, cleared for what it touches.
        run_id: stands in every row that is written.
        secret: by which a run's commits are told from others'; 32 bytes or more.
        progress: told what is going on; never a governed value.
        vault: of the installation, for recipes with reversible tokens; its files must be those of
            this machine on every worker.
        pseudonyms: keys of the installation's compartments; without them, pseudonyms are of keys
            that derive from `secret`.
    """

    spark: SparkSession
    lake: Lake
    gates: Gates
    guard: Guard
    principal: Principal
    run_id: str
    secret: bytes = field(repr=False)
    progress: Progress = lambda message: None
    vault: Vault | None = None
    pseudonyms: Pseudonyms | None = None

    def pseudonym_key(self, compartment: str, version: int = 1) -> PseudonymKey:
        """What pseudonyms of a compartment are made with."""
        if self.pseudonyms is None:
            return PseudonymKey.derive(self.secret, compartment, version)
        return self.pseudonyms.key(compartment, version)
