"""The encoder in whole numbers: each compiled step against the plain definition, exact products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from halocline_governance.detect.toxicity import encoder, kernels, whole

Array = NDArray[Any]
WIDTH = 64


@pytest.fixture
def numbers(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def one_core() -> Iterator[None]:
    """Two threads wait for each other where the cores are busy with other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def product(rng: np.random.Generator, rows: int, width: int) -> tuple[Array, Array, Array, Array]:
    """Sums, units and biases of a product, the rows' steps: what they stand for is some 1 big."""
    sums = rng.integers(-40_000, 40_000, (rows, width)).astype(np.int32)
    unit = rng.uniform(0.001, 0.002, width).astype(np.float32)
    steps = rng.uniform(0.02, 0.04, rows).astype(np.float32)
    return sums, unit, rng.normal(size=width).astype(np.float32), steps


def real(sums: Array, unit: Array, bias: Array, steps: Array) -> Array:
    return sums * (steps.astype(float)[:, None] * unit) + bias


def holds(out: Array, steps: Array, meant: Array) -> None:
    """Each row lies within half a step of what is meant, and reaches the largest step."""
    off = np.abs(out * steps.astype(float)[:, None] - meant)
    assert (off.max(axis=1) <= 0.505 * steps).all()
    assert (np.abs(out).max(axis=1) == kernels.STEPS).all()


def normed(x: Array, scale: Array, shift: Array) -> Array:
    return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) * scale + shift


def test_a_sum_is_added_and_normed(numbers: np.random.Generator) -> None:
    sums, unit, bias, steps = product(numbers, 40, WIDTH)
    x, scale, shift = (
        numbers.normal(size=size).astype(np.float32) for size in ((40, WIDTH), WIDTH, WIDTH)
    )
    meant = normed(x + real(sums, unit, bias, steps), scale, shift)
    out = np.empty((40, WIDTH), dtype=np.int8)

    kernels.added(sums, unit, bias, scale, shift, x, steps, out)

    assert x == pytest.approx(meant, abs=1e-5)
    holds(out, steps, meant)


def test_pieces_are_embedded_at_their_places(numbers: np.random.Generator) -> None:
    words, where, scale, shift = (
        numbers.normal(size=size).astype(np.float32)
        for size in ((9, WIDTH), (5, WIDTH), WIDTH, WIDTH)
    )
    ids, places = np.array([3, 8, 0, 3]), np.array([0, 1, 4, 0])
    x, steps = np.empty((4, WIDTH), dtype=np.float32), np.empty(4, dtype=np.float32)
    out = np.empty((4, WIDTH), dtype=np.int8)

    kernels.embed(ids, places, words, where, scale, shift, x, steps, out)

    meant = normed(words[ids].astype(float) + where[places], scale, shift)
    assert x == pytest.approx(meant, abs=1e-5)
    holds(out, steps, meant)


def test_gelu_is_the_exact_one(numbers: np.random.Generator) -> None:
    sums, unit, bias, steps = product(numbers, 40, 4 * WIDTH)
    meant = functional.gelu(torch.tensor(real(3 * sums, unit, bias, steps))).numpy()
    out = np.empty((40, 4 * WIDTH), dtype=np.int8)

    kernels.bent(3 * sums, unit, bias, steps, out)

    holds(out, steps, meant)


def test_attention_stays_within_each_sequence(numbers: np.random.Generator) -> None:
    sizes = [1, 31, 32, 33, 7, 128]
    sums, unit, bias, steps = product(numbers, sum(sizes), 3 * WIDTH)
    parts = np.split(real(sums, unit, bias, steps), np.cumsum(sizes)[:-1])
    meant: list[Array] = []
    for part in parts:
        heads = torch.tensor(part.reshape(len(part), 3, WIDTH // kernels.HEAD, kernels.HEAD))
        q, k, v = heads.permute(1, 2, 0, 3)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        meant.append(mixed.transpose(0, 1).reshape(len(part), WIDTH).numpy())
    out = np.empty((sum(sizes), WIDTH), dtype=np.int8)

    kernels.attended(sums, unit, bias, np.cumsum(sizes), steps, out)

    holds(out, steps, np.concatenate(meant))


def test_a_row_of_zeros_has_no_step() -> None:
    x, bias, one = (
        np.full(shape, n, np.float32) for shape, n in (((1, WIDTH), 0), (WIDTH, 0), (WIDTH, 1))
    )
    steps, out = np.ones(1, dtype=np.float32), np.ones((1, WIDTH), dtype=np.int8)

    kernels.added(np.zeros((1, WIDTH), dtype=np.int32), one, bias, one, bias, x, steps, out)

    assert (steps[0], out.any()) == (0.0, False)


@pytest.mark.usefixtures("one_core")
def test_products_are_exact_in_int8_and_in_floats(numbers: np.random.Generator) -> None:
    shapes = [(1, 384, 1152), (7, 1536, 384), (200, 384, 384), (65, 1536, 384)]
    for rows, inner, outer in shapes:
        left = numbers.choice([-127, 127], (rows, inner)).astype(np.int8)
        right = numbers.choice([-63, 63], (inner, outer)).astype(np.int8)
        left[0], right[:, 0] = 127, 63
        meant = left.astype(np.int64) @ right

        for multiply in (whole.in_int8, whole.in_floats)[not whole.by_int8() :]:
            found = multiply(torch.from_numpy(left), torch.from_numpy(right))
            assert np.array_equal(found.numpy(), meant)


@pytest.mark.usefixtures("one_core")
def test_the_encoder_rounded_is_near_the_exact_one(seed: int) -> None:
    torch.manual_seed(seed)
    weights = encoder.base()
    weights |= {"head.weight": torch.randn(6, 768) / 8, "head.bias": torch.randn(6)}
    rng = np.random.default_rng(seed)
    parts: list[list[int]] = [
        rng.integers(1000, 29_000, size).tolist() for size in (2, 9, 33, 24, 40, 15)
    ]

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, _: object) -> torch.Tensor:
        return functional.scaled_dot_product_attention(q, k, v)

    meant: list[torch.Tensor] = []
    for part in parts:
        x = encoder.embed(weights, torch.tensor([part]))
        for number in range(encoder.LAYERS):
            x = encoder.layer(weights, number, x, linear, attend, None)
        meant.append(linear(torch.cat([x.mean(1), x.amax(1)], 1), "head"))
    rounded = whole.Encoder.of(weights)
    found = rounded.read(parts)

    exact = torch.cat(meant).numpy()
    assert np.abs(found - exact).max() < 0.2 * exact.std()
    assert all(
        np.array_equal(rounded.read([p])[0], row) for p, row in zip(parts, found, strict=True)
    )
