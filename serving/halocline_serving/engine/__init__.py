"""Engines: what turns a prompt into tokens. Importing this loads no torch; `TorchEngine` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halocline_serving.engine.contract import (
    Engine,
    Generation,
    GenerationRequest,
    Message,
    Token,
)

if TYPE_CHECKING:
    from halocline_serving.engine.torch_engine import TorchEngine

__all__ = ["Engine", "Generation", "GenerationRequest", "Message", "Token", "TorchEngine"]


def __getattr__(name: str) -> Any:
    if name == "TorchEngine":
        from halocline_serving.engine.torch_engine import TorchEngine

        return TorchEngine
    raise AttributeError(f"module {__name__} has no attribute {name}")
