"""decode_stats: the reference against plain torch, and the Triton kernel against the reference."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from halocline_kernels.decode_stats import Draw, decode_stats, nucleus_floor, pack_mask
from halocline_kernels.decode_stats.reference import allowed, gumbel, philox

HERE = Path(__file__).parent


def listed(tensor: torch.Tensor) -> list[float]:
    return tensor.tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def run_alone(script: str, cache: Path) -> dict[str, dict[str, float]]:
    """The JSON that a script of this folder prints in a process of its own."""
    env = os.environ | {"TRITON_CACHE_DIR": str(cache), "TRITON_DEFAULT_FP_FUSION": "1"}
    done = subprocess.run(
        [sys.executable, HERE / script], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_kernel_equals_reference_in_the_interpreter(tmp_path: Path) -> None:
    found = run_alone("decode_stats_interpreted.py", tmp_path)

    assert len(found) == 27
    for case, gaps in found.items():
        assert gaps["token"] == gaps["nan"] == 0, case
        assert max(gaps["logprob_b"], gaps["entropy_b"], gaps["allowed_mass_b"]) < 2e-6, case


def test_kernels_compile_for_hopper_within_budget(tmp_path: Path) -> None:
    for kernel, used in run_alone("decode_stats_compiled.py", tmp_path).items():
        assert used["stack"] == used["local"] == 0, f"{kernel} spills"
        assert 0 < used["reg"] <= 128, kernel
        assert used["shared"] <= 8 * 1024, kernel


def test_philox_gives_the_published_vectors() -> None:
    """Random123's known answers for philox4x32-10 with counter and key of zeros."""
    zero = torch.zeros(1, dtype=torch.int64)

    assert philox(zero, zero, zero, zero).item() == 0x6627E8D5


def test_gumbel_noise_is_standard_gumbel() -> None:
    word = torch.arange(2**15, 2**31, 2**16)
    noise = gumbel(word)

    assert torch.isfinite(noise).all()
    assert noise.mean().item() == pytest.approx(0.5772, abs=2e-3)
    assert noise.var().item() == pytest.approx(1.6449, abs=1e-2)
    assert gumbel(torch.tensor([0])).item() == pytest.approx(22.18, abs=0.01)


def test_statistics_are_those_of_the_softmax() -> None:
    logits = torch.randn((7, 333), generator=torch.Generator().manual_seed(1)) * 5
    p = torch.distributions.Categorical(logits=logits.double())

    stats = decode_stats(logits, Draw.greedy(7))

    assert listed(stats.token_b) == listed(logits.argmax(1))
    torch.testing.assert_close(
        stats.logprob_b.double(), p.log_prob(stats.token_b), rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(stats.entropy_b.double(), p.entropy(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(stats.allowed_mass_b, torch.ones(7))


def sampling(logits: torch.Tensor, num: int, **changes: torch.Tensor) -> torch.Tensor:
    """`num` draws of one row at temperature 1, at successive positions of one stream."""
    draw = replace(
        Draw.greedy(num),
        temperature_b=torch.ones(num),
        position_b=torch.arange(num, dtype=torch.int32),
        seed_b=torch.full((num,), 42),
    )
    return decode_stats(logits.expand(num, -1), replace(draw, **changes)).token_b


def test_sampling_follows_the_distribution() -> None:
    logits = torch.randn(28, generator=torch.Generator().manual_seed(2))
    num = 20_000

    counts = torch.bincount(sampling(logits, num), minlength=28).double()

    expected = torch.softmax(logits.double(), 0) * num
    chi2 = ((counts - expected) ** 2 / expected).sum().item()
    assert chi2 < 55.5  # the 99.9 % quantile at 27 degrees of freedom


def test_same_seed_and_position_same_token_in_any_batch() -> None:
    logits = torch.randn(50, generator=torch.Generator().manual_seed(3))

    alone = [sampling(logits, 1, position_b=torch.tensor([k])).item() for k in range(20)]

    assert listed(sampling(logits, 20)) == alone


def test_forbidden_tokens_are_never_drawn_and_their_mass_is_told() -> None:
    logits = torch.zeros(40)
    permitted = torch.arange(40)[None] % 4 == 0
    num = 500
    mask, policy = pack_mask(permitted), torch.zeros(num, dtype=torch.int32)
    draw = replace(
        Draw.greedy(num), temperature_b=torch.ones(num), policy_b=policy, mask_pw=mask,
        position_b=torch.arange(num, dtype=torch.int32),
    )  # fmt: skip

    stats = decode_stats(logits.expand(num, -1), draw)

    assert set(listed(stats.token_b)) == set(range(0, 40, 4))
    torch.testing.assert_close(stats.allowed_mass_b, torch.full((num,), 0.25))


@given(bits=st.lists(st.booleans(), min_size=1, max_size=200))
def test_a_packed_mask_says_what_it_was_packed_from(bits: list[bool]) -> None:
    draw = replace(
        Draw.greedy(1),
        policy_b=torch.zeros(1, dtype=torch.int32),
        mask_pw=pack_mask(torch.tensor([bits])),
    )

    assert listed(allowed(draw, len(bits))[0]) == bits


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_an_unusable_row_yields_no_token(bad: float) -> None:
    logits = torch.zeros((2, 5))
    logits[0, 2] = bad

    stats = decode_stats(logits, Draw.greedy(2))

    assert listed(stats.token_b) == [-1, 0]
    assert listed(stats.logprob_b.isnan()) == [True, False]


def test_a_row_that_allows_nothing_yields_no_token() -> None:
    draw = replace(
        Draw.greedy(1),
        policy_b=torch.zeros(1, dtype=torch.int32),
        mask_pw=torch.zeros((1, 1), dtype=torch.int32),
    )

    assert decode_stats(torch.zeros((1, 9)), draw).token_b.item() == -1


def test_nucleus_floor_keeps_the_smallest_set_of_that_mass() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().repeat(4, 1)
    top_p = torch.tensor([0.4, 0.79, 0.81, 1.0])

    floor = nucleus_floor(logits, top_p, torch.ones(4))

    assert listed((logits >= floor[:, None]).sum(1)) == [1, 2, 3, 4]
