"""Where the demo's documents come from: installed packages, a generated firm, the user's files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halocline_governance.label import Label
from halocline_infra.demo.scene import Inputs

if TYPE_CHECKING:
    from halocline_governance.principal import Principal
    from halocline_infra.platform import Platform
    from halocline_pipelines.ingest.source import Source
    from halocline_pipelines.recipes.firm import Firm
    from halocline_pipelines.recipes.firm_truth import PlantedCanary


def firm_of(inputs: Inputs) -> Firm:
    """The firm of these inputs; `scale` stretches every count."""
    from halocline_pipelines.recipes.firm import FirmConfig, generate

    usual = FirmConfig()
    rationales = max(16, int(usual.num_rationales * inputs.scale))
    return generate(
        FirmConfig(
            seed=inputs.seed,
            num_rationales=rationales,
            num_memos=max(4, int(usual.num_memos * inputs.scale)),
            num_tickets=max(4, int(usual.num_tickets * inputs.scale)),
            canary_repeats=min(usual.canary_repeats, rationales // 4),
        )
    )


def own_source(inputs: Inputs) -> Source | None:
    """The user's documents, as `halocline.yaml` and the command's options declare them.

    Raises:
        Refused: no label or no licence; the message holds a file ready to edit.
    """
    from halocline_pipelines.ingest.files import files
    from halocline_pipelines.ingest.manifest import Declared

    if inputs.data is None:
        return None
    declared = Declared(
        source=inputs.source, licence=inputs.licence, label=inputs.label, text=inputs.text
    )
    return files(inputs.data, declared)


def planted_with(firm: Firm, home: Label) -> tuple[Source | None, tuple[PlantedCanary, ...]]:
    """The canaries of the compartment that the model is trained on, and a source that holds them.

    On the buy side the firm has planted its own. Elsewhere a few documents of a second, equally
    generated firm carry canaries into the user's compartment.
    """
    from halocline_pipelines.ingest.source import Source
    from halocline_pipelines.recipes.firm import FirmConfig, generate

    if home.compartment == "buy":
        return None, firm.truth.canaries
    other = generate(
        FirmConfig(
            seed=firm.config.seed + 1,
            num_rationales=4 * firm.config.canary_repeats,
            num_memos=0,
            num_tickets=0,
            canary_repeats=firm.config.canary_repeats,
        )
    )
    canaries = tuple(
        replace(one, canary=replace(one.canary, compartment=home.compartment))
        for one in other.truth.canaries
    )
    wanted = {ident for one in canaries for ident in one.external_ids}
    (texts,) = (source.documents for source in other.sources if source.name == "firm:rationales")
    bait = Source(
        "demo:canaries",
        "LicenseRef-Internal",
        home,
        lambda: (document for document in texts() if document.external_id in wanted),
    )
    return bait, canaries


def gather(own: Source | None, firm: Firm, bait: Source | None) -> tuple[Source, ...]:
    """Public packages, the firm's private sides, and what the user brought."""
    from halocline_pipelines.ingest.packages import packages

    return (*packages(), *firm.sources, *(source for source in (own, bait) if source))


def tell_policies(platform: Platform, firm: Firm, officer: Principal) -> None:
    """Put the firm's restricted list where policies read it; what is there already stays on it."""
    told = firm.policy_data()
    platform.firm.restrict(told["restricted_issuers"], officer, platform.journal)
    for tenants in told["competitors"]:
        platform.firm.compete(tenants, officer, platform.journal)
