"""What every step of the demo has at hand: platform, inputs, people, the generated firm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Denied, Refused
from halocline_governance.label import PUBLIC, Label, join
from halocline_governance.principal import Principal
from halocline_infra.demo.cast import Cast, assemble
from halocline_infra.demo.ledger import Ledger
from halocline_infra.platform import Platform

if TYPE_CHECKING:
    from halocline_pipelines.ingest.source import Source
    from halocline_pipelines.job import Job
    from halocline_pipelines.recipes.firm import Firm
    from halocline_pipelines.recipes.firm_truth import PlantedCanary


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a story is told about. The same inputs are the same story."""

    data: Path | None = None
    label: str | None = None
    licence: str | None = None
    text: str | None = None
    source: str | None = None
    seed: int = 7
    scale: float = 1.0
    train_seconds: int = 75

    def __post_init__(self) -> None:
        given = [name for name in ("label", "licence", "text", "source") if getattr(self, name)]
        if given and self.data is None:
            raise Refused(f"--{given[0]} describes your documents: give them with --data")

    def as_json(self) -> dict[str, Any]:
        return {
            "data": _listing(self.data) if self.data else None,
            **{name: getattr(self, name) for name in _PLAIN},
        }


def _listing(data: Path) -> list[list[str | int]]:
    """Which files, of which size and time: a changed document is another story."""
    files = sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]
    return [
        [str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns]
        for path in files
        if path.exists()
    ]


_PLAIN = ("label", "licence", "text", "source", "seed", "scale", "train_seconds")


@dataclass(slots=True)
class Scene:
    """One telling. `say` shows progress; results of earlier steps are in `ledger`."""

    platform: Platform
    inputs: Inputs
    firm: Firm
    sources: tuple[Source, ...]
    own_compartment: str | None
    canaries: tuple[PlantedCanary, ...]
    home_label: Label
    cast: Cast
    ledger: Ledger
    say: Callable[[str], None]

    def note(self, step: str, key: str) -> Any:
        """What an earlier step left for this one."""
        result = self.ledger.done(step)
        if result is None:
            raise Refused(f"the step {step} is not done; run the demo again")
        return result.notes[key]

    def job(self, name: str, principal: Principal) -> Job:
        """A job of one service, under a run id that a repeated run has again."""
        from halocline_infra import scrubbing
        from halocline_pipelines.job import Job

        platform = self.platform
        return Job(
            spark=platform.spark,
            lake=platform.lake,
            gates=platform.gates,
            guard=platform.guard,
            principal=principal,
            run_id=f"{self.ledger.run_id}-{name}",
            secret=platform.secret("commits"),
            progress=self.say,
            vault=scrubbing.vault(platform),
            pseudonyms=scrubbing.pseudonyms(platform),
        )

    @property
    def labels(self) -> list[Label]:
        """Every label the sources declare."""
        return [source.label for source in self.sources if source.label is not None]

    def clearance_of(self, compartment: str) -> Label:
        """Up to what the services of one compartment are cleared."""
        return join(label for label in self.labels if label.compartment == compartment)

    @property
    def compartments(self) -> list[str]:
        return sorted({label.compartment for label in self.labels})


def set_up(platform: Platform, inputs: Inputs, ledger: Ledger, say: Callable[[str], None]) -> Scene:
    """Generate the firm, gather the sources, plant canaries, and put people on the stage."""
    from halocline_infra.demo.sources import firm_of, gather, own_source, planted_with

    own = own_source(inputs)
    firm = firm_of(inputs)
    home = _home(own)
    bait, canaries = planted_with(firm, home)
    sources = gather(own, firm, bait)
    labels = [source.label or PUBLIC for source in sources]
    return Scene(
        platform=platform,
        inputs=inputs,
        firm=firm,
        sources=sources,
        own_compartment=own.label.compartment if own and own.label else None,
        canaries=canaries,
        home_label=home,
        cast=assemble(labels, home),
        ledger=ledger,
        say=say,
    )


def _home(own: Source | None) -> Label:
    """What the model is trained up to: the buy side's, or that of the user's documents."""
    buy = Label("confidential", sides=("buy",))
    if own is None or own.label is None:
        return buy
    return buy | own.label if own.label.compartment in ("public", "buy") else own.label


def refusal(who: Principal, what: str, error: Denied) -> dict[str, str]:
    """A denial as the summary shows it to the compliance officer, reasons and all."""
    return {
        "gate": error.gate,
        "who": who.subject,
        "what": what,
        "why": "; ".join(error.decision.reasons),
        "decision": error.decision.id,
    }
