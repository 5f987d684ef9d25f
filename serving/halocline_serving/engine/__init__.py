"""Engines: what turns a prompt into tokens. Importing this loads no torch."""

from halocline_serving.engine.contract import (
    Engine,
    Generation,
    GenerationRequest,
    Message,
    Token,
)

__all__ = ["Engine", "Generation", "GenerationRequest", "Message", "Token"]
