"""What a pre-training run does, as frozen dataclasses; `recipes/pretrain.py` gives whole ones."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

import rfc8785

from halocline_governance.errors import Refused

MAX_VOCAB = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A Llama's dimensions."""

    num_layers: int = 4
    hidden_size: int = 256
    intermediate_size: int = 688
    num_heads: int = 4

    def __post_init__(self) -> None:
        if min(self.num_layers, self.num_heads) < 1 or self.hidden_size % (2 * self.num_heads):
            raise Refused("the hidden size must be a multiple of twice the number of heads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimiser:
    """AdamW under a cosine: up in `warmup_steps`, down to `final_share` of the rate at the end."""

    learning_rate: float = 2e-3
    final_share: float = 0.1
    warmup_steps: int = 10
    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.05
    clip_norm: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretrain:
    """One run. It ends at `max_steps`, or after `max_seconds` of stepping if that comes first.

    Args:
        min_steps: taken however long they take: a busy machine trains longer, not less.
        vocab_size: of the tokenizer, at most 65536: a token is stored in two bytes.
        batch_size: sequences a step.
        evaluate_every: steps between evaluations; a checkpoint follows each.
        max_eval_sequences: held-out sequences an evaluation looks at.
        sample_prompts: greedily continued at each evaluation.
        num_threads: of torch; another number may change the last bits of a loss.
    """

    name: str
    shape: Shape = field(default_factory=Shape)
    optimiser: Optimiser = field(default_factory=Optimiser)
    vocab_size: int = 4096
    sequence_length: int = 256
    batch_size: int = 8
    max_steps: int = 1000
    max_seconds: float | None = None
    min_steps: int = 0
    evaluate_every: int = 50
    max_eval_sequences: int = 32
    sample_prompts: tuple[str, ...] = ("The",)
    sample_tokens: int = 40
    num_threads: int = 2
    seed: int = 7

    def __post_init__(self) -> None:
        if not 258 <= self.vocab_size <= MAX_VOCAB:
            raise Refused(f"vocab_size must lie between 258 and {MAX_VOCAB}")
        counts = (self.batch_size, self.max_steps, self.evaluate_every, self.num_threads)
        if min(counts) < 1 or self.sequence_length < 8:
            raise Refused("batch size, steps, evaluations and threads are at least 1, a length 8")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise Refused("max_seconds must be positive; leave it out for no limit")

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"sample_prompts": list(self.sample_prompts)}

    @property
    def sha256(self) -> str:
        return hashlib.sha256(rfc8785.dumps(self.as_json())).hexdigest()
