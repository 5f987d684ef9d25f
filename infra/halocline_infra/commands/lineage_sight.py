"""What of lineage the caller of a command may see."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from halocline_governance.label import SYSTEM
from halocline_infra.commands.options import called

if TYPE_CHECKING:
    from halocline_governance.label import Label
    from halocline_governance.lineage.sight import Sight
    from halocline_infra.platform import Platform


@contextmanager
def officer(token: str | None) -> Generator[tuple[Platform, Sight]]:
    """The platform, for somebody the read gate lets at the audit record, and what they see."""
    from halocline_infra.oversight import require_auditor

    with called(token) as (platform, caller):
        require_auditor(platform, caller)
        yield platform, sight_of(platform, caller.clearance)


def sight_of(platform: Platform, clearance: Label) -> Sight:
    """What such a clearance sees of this installation's lineage."""
    from halocline_governance.lineage import checks_told
    from halocline_governance.lineage.sight import Sight

    lake, hear = platform.lake, partial(checks_told.heard, platform.environment.journal)
    places = {place: lake.labels(place).values() for place in lake.compartments()}
    return Sight(clearance, platform.lineage, hear, labels(platform), places)


def labels(platform: Platform) -> dict[str, Label]:
    """Every label that is known, by id."""
    return {
        label_id: label
        for place in (SYSTEM, *platform.lake.compartments())
        for label_id, label in platform.lake.labels(place).items()
    }
