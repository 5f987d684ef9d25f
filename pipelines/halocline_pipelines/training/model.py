"""A small Llama: built from a recipe, measured on held-out sequences, continued greedily."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import LlamaConfig, LlamaForCausalLM

from halocline_pipelines.training import tokenizer
from halocline_pipelines.training.config import Pretrain
from halocline_pipelines.training.packing import Tokens
from halocline_pipelines.training.tokenizer import Vocabulary

_IGNORED = -100
_EVAL_BATCH = 8


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Mean loss in nats per token, and over how many tokens."""

    loss: float
    num_tokens: int


def build(recipe: Pretrain, vocabulary: Vocabulary) -> LlamaForCausalLM:
    """Fresh weights that the recipe's seed decides."""
    shape = recipe.shape
    config = LlamaConfig(
        vocab_size=vocabulary.size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_heads,
        max_position_embeddings=recipe.sequence_length,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=vocabulary.end,
        pad_token_id=vocabulary.pad,
        use_cache=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return LlamaForCausalLM(config)


def loss_of(model: LlamaForCausalLM, batch: NDArray[np.int64], pad: int) -> torch.Tensor:
    """Mean loss over all tokens that are not padding."""
    ids = torch.from_numpy(batch)  # pyright: ignore[reportUnknownMemberType]
    labels = ids.masked_fill(ids == pad, _IGNORED)
    out: Any = model(input_ids=ids, labels=labels, use_cache=False)
    return out.loss


def evaluate(model: LlamaForCausalLM, sequences: Tokens, pad: int) -> HeldOut:
    """The loss on these sequences; what it is does not depend on how they are batched."""
    total, count = 0.0, 0
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(sequences), _EVAL_BATCH):
            batch = sequences[start : start + _EVAL_BATCH].astype(np.int64)
            tokens = int((batch[:, 1:] != pad).sum())
            if tokens:
                total += float(loss_of(model, batch, pad)) * tokens
                count += tokens
    model.train()
    return HeldOut(total / count if count else math.nan, count)


def continued(model: LlamaForCausalLM, vocabulary: Vocabulary, prompt: str, num_tokens: int) -> str:
    """The greedy continuation of a prompt, up to the end of a document."""
    ids = vocabulary.encode([prompt])[0] or [vocabulary.end]
    room = int(model.config.max_position_embeddings)
    model.eval()
    with torch.inference_mode():
        for _ in range(num_tokens):
            window = torch.tensor([ids[-room:]])
            out: Any = model(input_ids=window, use_cache=False)
            ids.append(int(out.logits[0, -1].argmax()))
            if ids[-1] == vocabulary.end:
                break
    model.train()
    return vocabulary.decode(ids)


def greedy(folder: Path, num_tokens: int) -> Callable[[str], str]:
    """The model in a folder as a function from prompt to greedy continuation, for leak tests."""
    loaded: Any = LlamaForCausalLM.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    vocabulary = tokenizer.load(folder)
    return lambda prompt: continued(loaded, vocabulary, prompt, num_tokens)


def save(model: LlamaForCausalLM, vocabulary: Vocabulary, folder: Path, length: int) -> None:
    """As transformers and the registry's packages read it."""
    model.save_pretrained(folder)
    vocabulary.save(folder, length)
