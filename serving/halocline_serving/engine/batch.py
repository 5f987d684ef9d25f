"""Sequences of one label that step together, and their keys and values.

Left-padded: a sequence's tokens end where the batch's cache ends. Law: a batch has one label, so
sequences of two labels never share a tensor. Knows no queue and no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel

from halocline_governance.label import Label
from halocline_kernels.decode_stats import Draw, Stats, decode_stats, nucleus_floor
from halocline_serving.engine.contract import GenerationRequest

_SEED_BITS = (1 << 64) - 1


@dataclass(slots=True)
class Row:
    """One sequence in a batch: what it was asked, what it drew, how many tokens its cache holds."""

    request: GenerationRequest
    drawn: list[int] = field(default_factory=list[int])
    num_cached: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step drew for one row."""

    token: int
    logprob: float
    entropy: float


class Batch:
    """Rows are parallel to the cache's first axis."""

    def __init__(self, model: PreTrainedModel, label: Label) -> None:
        self.label = label
        self.rows: list[Row] = []
        self._model: Any = model
        self._cache: Any = None

    def join(self, row: Row) -> Step:
        """Run a row's prompt, take it in, and draw its first token."""
        if row.request.label != self.label:
            raise ValueError("a batch holds sequences of one label")
        prompt = torch.tensor([row.request.prompt_ids], device=self._model.device)
        out = self._model(prompt, past_key_values=DynamicCache(), logits_to_keep=1)
        row.num_cached = prompt.shape[1]
        self._merge(out.past_key_values)
        self.rows.append(row)
        return _drawn(out.logits[:, -1], [row])[0]

    def step(self) -> list[Step]:
        """One token for every row."""
        device = self._model.device
        width = self._cache.get_seq_length() + 1
        lengths = torch.tensor([row.num_cached for row in self.rows], device=device)
        columns = torch.arange(width, device=device)
        out = self._model(
            torch.tensor([[row.drawn[-1]] for row in self.rows], device=device),
            attention_mask=(columns >= width - 1 - lengths[:, None]).long(),
            position_ids=lengths[:, None],
            past_key_values=self._cache,
        )
        for row in self.rows:
            row.num_cached += 1
        return _drawn(out.logits[:, -1], self.rows)

    def keep(self, places: Sequence[int]) -> None:
        """Drop every other row and the columns that only they used."""
        self.rows = [self.rows[place] for place in places]
        width = max((row.num_cached for row in self.rows), default=0)
        index = torch.tensor(places, dtype=torch.long, device=self._model.device)
        self._cache = DynamicCache(
            (_tail(layer.keys[index], width), _tail(layer.values[index], width))
            for layer in self._cache.layers
            if places
        )

    def _merge(self, fresh: Any) -> None:
        if len(self.rows) == 0:
            self._cache = fresh
            return
        width = max(self._cache.get_seq_length(), fresh.get_seq_length())
        self._cache = DynamicCache(
            (
                torch.cat([_pad(old.keys, width), _pad(new.keys, width)]),
                torch.cat([_pad(old.values, width), _pad(new.values, width)]),
            )
            for old, new in zip(self._cache.layers, fresh.layers, strict=True)
        )


def _pad(tensor_bhld: torch.Tensor, width: int) -> torch.Tensor:
    missing = width - tensor_bhld.shape[2]
    return torch.nn.functional.pad(tensor_bhld, (0, 0, missing, 0)) if missing else tensor_bhld


def _tail(tensor_bhld: torch.Tensor, width: int) -> torch.Tensor:
    """A copy of the last columns, so that what is dropped is freed."""
    return tensor_bhld[:, :, tensor_bhld.shape[2] - width :].contiguous()


def _drawn(logits_bv: torch.Tensor, rows: Sequence[Row]) -> list[Step]:
    stats = decode_stats(logits_bv, _draw(logits_bv, [row.request for row in rows], rows))
    return [Step(int(token), *found) for token, *found in _columns(stats)]


def _columns(stats: Stats) -> list[tuple[int, float, float]]:
    packed = torch.stack([stats.token_b.double(), stats.logprob_b, stats.entropy_b], dim=1)
    return packed.tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _draw(
    logits_bv: torch.Tensor, requests: Sequence[GenerationRequest], rows: Sequence[Row]
) -> Draw:
    device = logits_bv.device
    plain = Draw.greedy(len(rows), device)
    heat_b = torch.tensor([request.temperature for request in requests], device=device)
    top_p_b = torch.tensor([request.top_p for request in requests], device=device)
    nucleus = any(request.top_p < 1 and request.temperature > 0 for request in requests)
    return Draw(
        temperature_b=heat_b,
        seed_b=torch.tensor([_signed(request.seed) for request in requests], device=device),
        position_b=torch.tensor([len(row.drawn) for row in rows], dtype=torch.int32, device=device),
        floor_b=nucleus_floor(logits_bv, top_p_b, heat_b) if nucleus else plain.floor_b,
        policy_b=plain.policy_b,
        mask_pw=plain.mask_pw,
    )


def _signed(seed: int) -> int:
    """Any whole number as 64 bits, two's complement."""
    bits = seed & _SEED_BITS
    return bits - (1 << 64) if bits >> 63 else bits
