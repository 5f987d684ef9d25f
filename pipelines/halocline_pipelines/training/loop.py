"""The training loop: a small Llama on a sampler's stream, with checkpoints it resumes from.

Knows tensors and files, neither tables nor gates. A run that is killed goes on from its last
checkpoint with the same sequences in the same order: the sampler's only state is the step.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.errors import Refused
from halocline_pipelines.mixture.sampler import Sampler
from halocline_pipelines.training.packing import Packed

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaForCausalLM

Log = Callable[[int, dict[str, float]], None]
_PROBE_STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A Llama's size; dimensions per token, lengths in tokens."""

    vocab_size: int = 2048
    hidden_size: int = 192
    num_layers: int = 3
    num_heads: int = 6
    context_length: int = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast. Steps are fixed once, from the speed of this machine, and kept.

    Args:
        seconds: what the steps should take about; `max_steps` bounds them whatever the speed.
        batch: sequences per step.
        peak_rate, final_share: AdamW's learning rate after warm-up, and what is left at the end.
        checkpoint_every, evaluate_every: in steps.
    """

    seconds: float = 75.0
    max_steps: int = 2000
    batch: int = 8
    peak_rate: float = 3e-3
    final_share: float = 0.1
    warmup_steps: int = 20
    checkpoint_every: int = 50
    evaluate_every: int = 100
    seed: int = 7

    def rate(self, step: int, steps: int) -> float:
        """Linear warm-up, then a cosine to `final_share` of the peak."""
        if step < self.warmup_steps:
            return self.peak_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, steps - self.warmup_steps)
        share = self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * done)) / 2
        return self.peak_rate * share


@dataclass(frozen=True, slots=True)
class Trained:
    """Where the model lies, how many steps it took, and its loss on held-out sequences."""

    folder: Path
    steps: int
    num_sequences: int
    loss: float
    num_tokens: int


class Loop:
    """One run in one folder.

    Args:
        folder: checkpoints and the finished model; belongs to this run alone.
        sources: packed sequences, in the order of the sampler's mixture.
        held_out: sequences of tokens nobody trains on.
        log: told (step, figures).
        sample: told (step, model) at each evaluation, to write down what it says.
    """

    def __init__(  # noqa: PLR0913 - a run's parts
        self,
        folder: Path,
        shape: Shape,
        schedule: Schedule,
        sampler: Sampler,
        sources: list[Packed],
        held_out: np.ndarray[Any, np.dtype[np.uint16]],
        log: Log,
        sample: Callable[[int, LlamaForCausalLM], None],
    ) -> None:
        self._folder = folder
        self._shape = shape
        self._schedule = schedule
        self._sampler = sampler
        self._sources = sources
        self._held_out = held_out
        self._log = log
        self._sample = sample

    def run(self) -> Trained:
        """Train to the end, from the last checkpoint if there is one."""
        import torch

        torch.manual_seed(self._schedule.seed)
        model = self._model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=(0.9, 0.95))
        state = self._resume(model, optimizer) or {"step": 0, "steps": self._measure(model)}
        step, steps = int(state["step"]), int(state["steps"])
        model.train()
        while step < steps:
            loss = self._step(model, optimizer, step, steps)
            step += 1
            self._log(step, {"loss": loss, "rate": self._schedule.rate(step - 1, steps)})
            if step % self._schedule.evaluate_every == 0 or step == steps:
                self._evaluate(model, step)
            if step % self._schedule.checkpoint_every == 0 or step == steps:
                self._save(model, optimizer, {"step": step, "steps": steps})
        loss, num_tokens = self.held_out_loss(model)
        return Trained(self._folder, steps, steps * self._schedule.batch, loss, num_tokens)

    def held_out_loss(self, model: LlamaForCausalLM) -> tuple[float, int]:
        """Mean loss in nats per token on the held-out sequences, and how many tokens."""
        import torch

        total, count = 0.0, 0
        model.eval()
        with torch.no_grad():
            for begin in range(0, len(self._held_out), self._schedule.batch):
                batch = _tensor(self._held_out[begin : begin + self._schedule.batch])
                tokens = batch[:, 1:].numel()
                total += float(model(input_ids=batch, labels=batch).loss) * tokens
                count += tokens
        model.train()
        return total / max(count, 1), count

    def _model(self) -> LlamaForCausalLM:
        from transformers import LlamaConfig, LlamaForCausalLM

        shape = self._shape
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=shape.vocab_size,
                hidden_size=shape.hidden_size,
                intermediate_size=shape.hidden_size * 8 // 3 // 16 * 16,
                num_hidden_layers=shape.num_layers,
                num_attention_heads=shape.num_heads,
                num_key_value_heads=shape.num_heads,
                max_position_embeddings=shape.context_length,
                tie_word_embeddings=True,
                bos_token_id=0,
                eos_token_id=0,
                pad_token_id=0,
                attn_implementation="sdpa",
            )
        )

    def _step(self, model: LlamaForCausalLM, optimizer: Any, step: int, steps: int) -> float:
        import torch

        for group in optimizer.param_groups:
            group["lr"] = self._schedule.rate(step, steps)
        batch = self._batch(step)
        loss = model(input_ids=batch, labels=batch).loss
        if not torch.isfinite(loss):
            raise Refused(f"the loss is not a number at step {step}: lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return float(loss)

    def _batch(self, step: int) -> Tensor:
        size = self._schedule.batch
        draws = self._sampler.batch(step * size, size)
        pairs = zip(draws.source.tolist(), draws.seq_no.tolist(), strict=True)
        return _tensor(np.stack([self._sources[source].tokens[seq] for source, seq in pairs]))

    def _measure(self, model: LlamaForCausalLM) -> int:
        """How many steps fit, measured on a throw-away optimizer and put back afterwards."""
        import torch

        before = {name: value.clone() for name, value in model.state_dict().items()}
        trial = torch.optim.AdamW(model.parameters(), lr=0.0)
        self._step(model, trial, 0, 1)
        began = time.monotonic()
        for step in range(_PROBE_STEPS):
            self._step(model, trial, step, _PROBE_STEPS)
        each = (time.monotonic() - began) / _PROBE_STEPS
        model.load_state_dict(before)
        model.zero_grad(set_to_none=True)
        return max(1, min(self._schedule.max_steps, int(self._schedule.seconds / each)))

    def _evaluate(self, model: LlamaForCausalLM, step: int) -> None:
        loss, _ = self.held_out_loss(model)
        self._log(step, {"held_out_loss": loss, "held_out_perplexity": math.exp(min(loss, 50))})
        self._sample(step, model)

    def _resume(self, model: LlamaForCausalLM, optimizer: Any) -> dict[str, Any] | None:
        from safetensors.torch import load_file, load_model

        latest = self._folder / "checkpoint"
        if not latest.is_dir():
            latest = self._folder / "checkpoint.old"  # killed between the two renames of a save
        if not latest.is_dir():
            return None
        load_model(model, str(latest / "model.safetensors"))
        state: dict[str, Any] = json.loads((latest / "state.json").read_bytes())
        if state["mixture"] != self._sampler.mixture.sha256:
            raise Refused(f"{self._folder.name} holds a run of another mixture")
        flat = load_file(str(latest / "optimizer.safetensors"))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in flat.items():
            index, _, name = key.partition(".")
            moments.setdefault(int(index), {})[name] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        return state

    def _save(self, model: LlamaForCausalLM, optimizer: Any, state: dict[str, int]) -> None:
        """Replace the checkpoint; a kill in between leaves the old one or the new one whole."""
        from safetensors.torch import save_file

        draft = self._folder / "checkpoint.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        model.save_pretrained(draft)
        flat = {
            f"{index}.{name}": value.contiguous()
            for index, moments in optimizer.state_dict()["state"].items()
            for name, value in moments.items()
        }
        save_file(flat, str(draft / "optimizer.safetensors"))
        told = {**state, "mixture": self._sampler.mixture.sha256}
        (draft / "state.json").write_text(json.dumps(told))
        for path in draft.iterdir():
            _sync(path)
        final, old = self._folder / "checkpoint", self._folder / "checkpoint.old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.rename(old)
        draft.rename(final)
        _sync(self._folder)
        shutil.rmtree(old, ignore_errors=True)


def _tensor(tokens: np.ndarray[Any, np.dtype[np.uint16]]) -> Tensor:
    import torch

    return torch.from_numpy(tokens.astype(np.int64))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
