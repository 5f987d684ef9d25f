"""The steps of a run. What happens at a step follows from the recipe, the stream and the weights.

The clock matters only when the recipe says so: then it decides where the cosine stands, and when
the run ends, never which sequences come next.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from halocline_governance.errors import Refused
from halocline_pipelines.mixture import Sampler
from halocline_pipelines.training import checkpoint, model
from halocline_pipelines.training.checkpoint import Progress
from halocline_pipelines.training.config import Optimiser, Pretrain
from halocline_pipelines.training.packing import Tokens
from halocline_pipelines.training.tokenizer import Vocabulary

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


@dataclass(frozen=True, slots=True)
class Stream:
    """The training sequences of each source of the mixture, in its order, and what is held out."""

    sampler: Sampler
    sources: Sequence[Tokens]
    held_out: Tokens

    def batch(self, start: int, size: int) -> NDArray[np.int64]:
        """The sequences at positions `start .. start + size - 1`."""
        drawn = self.sampler.batch(start, size)
        rows: list[NDArray[Any]] = [
            self.sources[source][seq_no]
            for source, seq_no in zip(drawn.source.tolist(), drawn.seq_no.tolist(), strict=True)
        ]
        return np.stack(rows).astype(np.int64)


class Loop:
    """One run in one folder; goes on from its newest checkpoint.

    Args:
        recipe: what to do.
        vocabulary: the tokenizer.
        stream: the data.
        folder: of checkpoints.
    """

    def __init__(
        self, recipe: Pretrain, vocabulary: Vocabulary, stream: Stream, folder: Path
    ) -> None:
        torch.set_num_threads(recipe.num_threads)
        self._recipe = recipe
        self.vocabulary = vocabulary
        self._stream = stream
        self._folder = folder
        self.model: LlamaForCausalLM = model.build(recipe, vocabulary)
        self._optimiser = _adamw(recipe.optimiser, self.model)
        mixture = stream.sampler.mixture.sha256
        self.progress = checkpoint.restore(folder, self.model, self._optimiser, mixture)

    def run(self, evaluated: Callable[[Progress], None]) -> None:
        """Step until the end; `evaluated` is called after each evaluation, before its checkpoint.

        Raises:
            Refused: the loss is not a number any more.
        """
        self.model.train()
        while (share := self._share()) < 1:
            began = time.monotonic()
            self._step(share)
            self.progress.elapsed_s += time.monotonic() - began
            if self.progress.step % self._recipe.evaluate_every == 0 or self._share() >= 1:
                self._evaluate()
                evaluated(self.progress)
                checkpoint.save(self._folder, self.model, self._optimiser, self.progress)

    def _share(self) -> float:
        """How much of the run is behind."""
        recipe, progress = self._recipe, self.progress
        of_time = progress.elapsed_s / recipe.max_seconds if recipe.max_seconds else 0.0
        if recipe.min_steps:
            of_time = min(of_time, progress.step / recipe.min_steps)
        return max(progress.step / recipe.max_steps, of_time)

    def _step(self, share: float) -> None:
        recipe, progress = self._recipe, self.progress
        rate = learning_rate(recipe.optimiser, progress.step, share)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        batch = self._stream.batch(progress.next_sample, recipe.batch_size)
        loss = model.loss_of(self.model, batch, self.vocabulary.pad)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.optimiser.clip_norm)
        self._optimiser.step()  # pyright: ignore[reportUnknownMemberType]
        value = loss.item()
        if not math.isfinite(value):
            raise Refused(f"step {progress.step}: the loss diverged; lower the learning rate")
        progress.step += 1
        progress.next_sample += recipe.batch_size
        progress.history.append(
            {"step": progress.step, "ts_ms": _now_ms(), "loss": value, "learning_rate": rate}
        )

    def _evaluate(self) -> None:
        recipe, progress = self._recipe, self.progress
        some = self._stream.held_out[: recipe.max_eval_sequences]
        held_out = model.evaluate(self.model, some, self.vocabulary.pad)
        progress.history[-1] |= {
            "held_out_loss": held_out.loss,
            "held_out_perplexity": math.exp(min(held_out.loss, 700.0)),
            "num_tokens": progress.next_sample * recipe.sequence_length,
        }
        for number, prompt in enumerate(recipe.sample_prompts):
            text = model.continued(self.model, self.vocabulary, prompt, recipe.sample_tokens)
            progress.samples.append((progress.step, number, text))


def learning_rate(optimiser: Optimiser, step: int, share: float) -> float:
    """Linear warm-up times a cosine from the whole rate to its final share."""
    warm = min(1.0, (step + 1) / max(1, optimiser.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    floor = optimiser.final_share
    return optimiser.learning_rate * warm * (floor + (1 - floor) * cosine)


def _adamw(optimiser: Optimiser, trained: torch.nn.Module) -> torch.optim.AdamW:
    """Decay is for matrices; norms are left alone."""
    parameters = list(trained.parameters())
    return torch.optim.AdamW(
        [
            {
                "params": [p for p in parameters if p.dim() > 1],
                "weight_decay": optimiser.weight_decay,
            },
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=optimiser.learning_rate,
        betas=(optimiser.beta1, optimiser.beta2),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
