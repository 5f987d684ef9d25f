"""A generated firm with ground truth: what curation, walls and gates are tried on.

Deterministic by seed, and of any size. Buy-side rationales, sell-side deal memos under restricted
issuers, two competing customers' tickets under NDA; one source that only has a GPL licence and one
without a label, which the ingest gate must refuse. Knows what it planted and nothing of how it is
found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from halocline_governance.errors import Refused
from halocline_governance.label import PUBLIC, Label
from halocline_pipelines.ingest.source import Document, Source
from halocline_pipelines.recipes.firm_draft import Draft, Drafting
from halocline_pipelines.recipes.firm_truth import Truth
from halocline_pipelines.recipes.firm_words import CUSTOMERS, RESTRICTED

GPL_SOURCE = "generated:gpl-only-manual"
UNLABELLED_SOURCE = "generated:notes-without-a-label"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmConfig:
    """How much of everything. Shares are of each source's documents, rounded down.

    Args:
        seed: everything follows from it.
        num_rationales: buy-side notes, `share_restricted` of them about restricted issuers.
        num_memos: sell-side memos, spread over the restricted issuers.
        num_tickets: customers' tickets, spread over the two customers.
        share_exact: further documents that are copies, byte for byte.
        share_near: further documents that are copies with one or two words changed.
        share_pii: documents with one to three personal values.
        share_near_miss: documents with a value that only looks personal.
        share_toxic, share_low_quality, share_foreign: documents that curation should drop.
        num_canaries: planted secrets, all on the buy side.
        canary_repeats: documents in which each canary stands.
    """

    seed: int = 7
    num_rationales: int = 420
    num_memos: int = 260
    num_tickets: int = 320
    share_restricted: float = 0.2
    share_exact: float = 0.04
    share_near: float = 0.05
    share_pii: float = 0.35
    share_near_miss: float = 0.1
    share_toxic: float = 0.03
    share_low_quality: float = 0.02
    share_foreign: float = 0.02
    num_canaries: int = 2
    canary_repeats: int = 32

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.startswith("share_") and not 0 <= value <= 1:
                raise Refused(f"firm: {field.name} must lie between 0 and 1")
            if field.name.startswith("num_") and value < 0:
                raise Refused(f"firm: {field.name} must not be negative")
        faulty = self.share_toxic + self.share_low_quality + self.share_foreign
        if faulty > 0.5:
            raise Refused("firm: toxic, low-quality and foreign documents are over half of all")
        if self.num_canaries and not 0 < self.canary_repeats <= self.num_rationales // 4:
            raise Refused("firm: canary_repeats must lie between 1 and a quarter of num_rationales")


@dataclass(frozen=True, slots=True)
class Firm:
    """The generated sources and what is true of them."""

    config: FirmConfig
    sources: tuple[Source, ...]
    truth: Truth

    def policy_data(self) -> dict[str, Any]:
        """What the firm tells its policies: mounted at `data.firm`."""
        return {
            "restricted_issuers": sorted(RESTRICTED),
            "competitors": [sorted(CUSTOMERS)],
        }


def generate(config: FirmConfig) -> Firm:
    """The firm of this configuration; the same for the same one."""
    drafting = Drafting(config.seed)
    restricted = int(config.num_rationales * config.share_restricted)
    groups = [
        ("firm:rationales", _BUY, "rationale", config.num_rationales - restricted),
        ("firm:rationales-restricted", _BUY_RESTRICTED, "rationale", restricted),
        *(
            (f"firm:memos-{issuer}", _sell(issuer), "memo", count)
            for issuer, count in _spread(sorted(RESTRICTED), config.num_memos)
        ),
        *(
            (f"firm:tickets-{customer}", _nda(customer), "ticket", count)
            for customer, count in _spread(sorted(CUSTOMERS), config.num_tickets)
        ),
    ]
    sources: list[Source] = []
    for name, label, genre, count in groups:
        drafts = drafting.drafts(name, genre, count)
        if name == "firm:rationales":
            drafting.plant_canaries(drafts, config.num_canaries, config.canary_repeats)
        _spoil(drafting, drafts, config)
        drafts = drafting.copies(drafts, config.share_exact, config.share_near)
        licence = f"LicenseRef-NDA-{label.tenants[0]}" if label.tenants else "LicenseRef-Internal"
        sources.append(_source(name, licence, label, drafts))
    gpl = drafting.copies(drafting.drafts(GPL_SOURCE, "ticket", 3), 0, 0)
    notes = drafting.copies(drafting.drafts(UNLABELLED_SOURCE, "rationale", 3), 0, 0)
    sources.append(_source(GPL_SOURCE, "GPL-3.0-only", PUBLIC, gpl))
    sources.append(_source(UNLABELLED_SOURCE, "LicenseRef-Internal", None, notes))
    return Firm(config, tuple(sources), drafting.truth((GPL_SOURCE, UNLABELLED_SOURCE)))


_BUY = Label("confidential", sides=("buy",))
_BUY_RESTRICTED = Label("restricted", sides=("buy",), issuers=tuple(sorted(RESTRICTED))[:1])


def _sell(issuer: str) -> Label:
    return Label("restricted", sides=("sell",), issuers=(issuer,))


def _nda(customer: str) -> Label:
    return Label(
        "confidential", sides=("sell",), tenants=(customer,), ndas=(f"nda-{customer}-2026",)
    )


def _spread(names: list[str], total: int) -> list[tuple[str, int]]:
    """`total` shared out as evenly as whole numbers allow."""
    return [
        (name, total // len(names) + (place < total % len(names)))
        for place, name in enumerate(names)
    ]


def _spoil(drafting: Drafting, drafts: list[Draft], config: FirmConfig) -> None:
    """Each document is spoilt in at most one way, and one with a canary in none."""
    drafting.plant_pii(drafts, config.share_pii)
    drafting.plant_near_misses(drafts, config.share_near_miss)
    drafting.make_toxic(drafts, config.share_toxic)
    drafting.make_junk(drafts, config.share_low_quality)
    drafting.make_foreign(drafts, config.share_foreign)


def _source(name: str, licence: str, label: Label | None, drafts: list[Draft]) -> Source:
    documents = tuple(Document(d.external_id, d.text, subject=d.subject.email) for d in drafts)

    def read() -> Iterator[Document]:
        return iter(documents)

    return Source(name, licence, label, read)
