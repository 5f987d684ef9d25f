"""What serving asks of an engine. Knows no policy, no caller and no transport."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from halocline_governance.label import Label
from halocline_governance.refs import ModelRef

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One answer to generate.

    `label` is the answer's label: an engine may never let two labels share what it keeps of a
    prompt. `temperature` 0 is greedy; the same `seed` gives the same tokens.
    """

    prompt_ids: tuple[int, ...]
    label: Label
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """One step. `text` is what it adds to the answer, whole characters only and often empty; the
    last token of an answer says why it is the last."""

    id: int
    text: str
    logprob: float
    entropy: float
    finish: Finish | None = None


class Generation(Protocol):
    """Tokens as they come. Iterate from one thread; `cancel` from any: iteration then ends."""

    def __iter__(self) -> Iterator[Token]: ...

    def __next__(self) -> Token: ...

    def cancel(self) -> None: ...


class Engine(Protocol):
    """A loaded model.

    Law: the texts of a generation's tokens, joined, are the answer; it never holds a stop string
    and never half a character.
    """

    @property
    def ref(self) -> ModelRef: ...

    @property
    def context_length(self) -> int: ...

    @property
    def is_alive(self) -> bool: ...

    @property
    def num_waiting(self) -> int: ...

    def render(self, messages: Sequence[Message]) -> str:
        """A chat as one prompt."""
        ...

    def encode(self, prompt: str, *, rendered: bool) -> tuple[int, ...]:
        """A prompt's tokens; `rendered` when it came from `render`."""
        ...

    def can_accept(self) -> bool:
        """Whether `generate` would take one more request now."""
        ...

    def generate(self, request: GenerationRequest) -> Generation:
        """Start a generation.

        Raises:
            QueueFull: too many requests wait.
            GenerationFailed: the engine has stopped.
        """
        ...

    def close(self) -> None:
        """Stop; generations under way fail."""
        ...
