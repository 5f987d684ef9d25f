"""Recipes for training from scratch: functions that return what a run does."""

from __future__ import annotations

from dataclasses import dataclass, field

from halocline_pipelines.training.loop import Schedule, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One run.

    Args:
        name: the model's name in the registry.
        shares: compartment to integer share of the tokens.
        held_out_every: one sequence in so many is kept for evaluation.
        prompt: what the samples during training begin with.
    """

    name: str
    shares: dict[str, int]
    shape: Shape = field(default_factory=Shape)
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 7
    held_out_every: int = 20
    prompt: str = "The "
    sample_tokens: int = 40


def research_note(shares: dict[str, int], seconds: float = 75.0, seed: int = 7) -> Recipe:
    """A model of 1.7 million parameters that two cores train in a minute or two."""
    return Recipe(
        name="research-note",
        shares=shares,
        schedule=Schedule(seconds=seconds, seed=seed),
        seed=seed,
    )
