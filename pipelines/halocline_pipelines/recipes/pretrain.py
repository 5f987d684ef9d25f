"""Pre-training runs: small Llamas that a laptop trains in a minute or two."""

from __future__ import annotations

from halocline_pipelines.training.config import Optimiser, Pretrain, Shape


def house(max_seconds: float = 75.0, seed: int = 7) -> Pretrain:
    """About 0.9 million parameters, ended by the clock; one thread is as fast as two here."""
    return Pretrain(
        name="house",
        shape=Shape(num_layers=3, hidden_size=128, intermediate_size=336, num_heads=4),
        optimiser=Optimiser(learning_rate=4e-3, warmup_steps=20),
        vocab_size=2048,
        sequence_length=128,
        batch_size=16,
        max_steps=2000,
        max_seconds=max_seconds,
        min_steps=int(6 * max_seconds),
        evaluate_every=100,
        num_threads=1,
        seed=seed,
    )


def tiny(max_steps: int = 12) -> Pretrain:
    """Ended by steps, so that every machine does the same; for trying the way out."""
    return Pretrain(
        name="tiny",
        shape=Shape(num_layers=1, hidden_size=32, intermediate_size=64, num_heads=2),
        optimiser=Optimiser(warmup_steps=2),
        vocab_size=300,
        sequence_length=32,
        batch_size=4,
        max_steps=max_steps,
        evaluate_every=4,
        sample_tokens=8,
        num_threads=1,
    )
