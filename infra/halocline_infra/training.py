"""Constructs training runs for commands and the demo: sites, sources, recipes by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_infra.platform import Platform
    from halocline_pipelines.training.config import Pretrain
    from halocline_pipelines.training.inputs import TrainSource
    from halocline_pipelines.training.run import Site

_SOURCE = re.compile(r"(?P<name>[a-z][a-z0-9.-]*)(@(?P<version>[0-9]+))?=(?P<weight>[1-9][0-9]*)")


def site(platform: Platform) -> Site:
    """Where runs take place: one folder a compartment under `training/`."""
    from halocline_pipelines.training.run import Site

    return Site(
        lake=platform.lake,
        guard=platform.guard,
        gates=platform.gates,
        lineage=platform.lineage,
        tracking=platform.tracking,
        folder=platform.environment.home / "training",
    )


def sources(texts: Iterable[str]) -> tuple[TrainSource, ...]:
    """Curated documents by compartment, from `compartment[@version]=weight`.

    Raises:
        Refused: a source of another form.
    """
    from halocline_pipelines.training.inputs import TrainSource

    found: list[TrainSource] = []
    for text in texts:
        match = _SOURCE.fullmatch(text)
        if match is None:
            raise Refused(f"{text}: write a source as buy=3, or buy@2=3 to pin version 2")
        version = int(match["version"]) if match["version"] else None
        table = f"{match['name']}:curated.documents"
        found.append(TrainSource(table, int(match["weight"]), version))
    return tuple(found)


def recipe_of(name: str) -> Pretrain:
    """A recipe by its function's name.

    Raises:
        Refused: no such recipe; says which there are.
    """
    known = _recipes()
    if name not in known:
        raise Refused(f"no recipe {name}; there are: {', '.join(known)}")
    return known[name]()


def recipes_there() -> dict[str, str]:
    """Recipe names, and the first line of what each says of itself."""
    return {name: (make.__doc__ or "").splitlines()[0] for name, make in _recipes().items()}


def _recipes() -> dict[str, Callable[[], Pretrain]]:
    from halocline_pipelines.recipes import pretrain

    return {"house": pretrain.house, "tiny": pretrain.tiny}
