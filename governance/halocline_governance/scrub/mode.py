"""What is put in the place of a finding, kind by kind; frozen, so that a recipe names it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from halocline_governance.errors import Refused


class Mode(StrEnum):
    """What becomes of a value."""

    KIND = "kind"
    """`<email>`: only that something stood here."""

    PSEUDONYM = "pseudonym"
    """`<email:v1:…>`: the same token for the same value within a compartment; one way."""

    REVERSIBLE = "reversible"
    """`<email:r1:…>`: as above, and the value lies sealed in the compartment's vault."""

    SURROGATE = "surrogate"
    """Another value of this kind that is nobody's, where the kind has such; else a pseudonym."""

    DROP = "drop"
    """Nothing."""

    KEEP = "keep"
    """The value, as it is."""


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """The choice of a recipe.

    Args:
        default: for every kind that `by_kind` does not name.
        by_kind: pairs of kind and mode, each kind once.
        max_spans: a text with more findings than this is dropped whole; None for no bound. Dolma
            (Soldaini et al. 2024, section 5.3) replaces up to 5 and drops the document beyond.

    Raises:
        Refused: a kind stands twice, or the bound is below 0.
    """

    default: Mode = Mode.PSEUDONYM
    by_kind: tuple[tuple[str, Mode], ...] = ()
    max_spans: int | None = None

    def __post_init__(self) -> None:
        kinds = [kind for kind, _ in self.by_kind]
        if len(kinds) != len(set(kinds)):
            raise Refused("scrubbing: name each kind once")
        if self.max_spans is not None and self.max_spans < 0:
            raise Refused("scrubbing: the bound on findings is 0 or more")

    def mode(self, kind: str) -> Mode:
        """What becomes of a value of this kind."""
        return next((mode for name, mode in self.by_kind if name == kind), self.default)

    def uses(self, mode: Mode) -> bool:
        """Whether any kind has this mode."""
        return mode is self.default or any(mode is one for _, one in self.by_kind)
