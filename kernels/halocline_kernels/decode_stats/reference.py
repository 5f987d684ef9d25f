"""The semantic truth of `decode_stats`, in torch. Knows no GPU.

Shapes, as suffixes: b rows (sequences), v tokens, p policies, w = ceil(v / 32) words of a bitmask.

Law: logprob, entropy and allowed mass are of the softmax of the raw logits; temperature, mask and
floor only choose among tokens. A row that holds NaN or +inf, or allows nothing, yields token -1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_ROUNDS = 10
_KEY_STEP = (0x9E3779B9, 0xBB67AE85)
_FACTOR = (0xD2511F53, 0xCD9E8D57)
_WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Draw:
    """How to draw one token per row; every tensor lies where the logits lie.

    Args:
        temperature_b: float32; 0 is greedy (the lowest token wins a tie), else Gumbel-max.
        seed_b: int64, one stream of noise per sequence.
        position_b: int32, the step within the stream: the same seed and position, the same noise.
        floor_b: float32; a token whose raw logit is below is not drawn (`nucleus_floor`).
        policy_b: int32, the row of `mask_pw` that applies; -1 for none.
        mask_pw: int32 words; bit t % 32 of word t // 32 says whether token t is allowed.
    """

    temperature_b: Tensor
    seed_b: Tensor
    position_b: Tensor
    floor_b: Tensor
    policy_b: Tensor
    mask_pw: Tensor

    @classmethod
    def greedy(cls, num_rows: int, device: torch.device | str = "cpu") -> Draw:
        """Greedy, unmasked, for every row."""
        return cls(
            temperature_b=torch.zeros(num_rows, device=device),
            seed_b=torch.zeros(num_rows, dtype=torch.int64, device=device),
            position_b=torch.zeros(num_rows, dtype=torch.int32, device=device),
            floor_b=torch.full((num_rows,), -torch.inf, device=device),
            policy_b=torch.full((num_rows,), -1, dtype=torch.int32, device=device),
            mask_pw=torch.zeros((0, 0), dtype=torch.int32, device=device),
        )


@dataclass(frozen=True, slots=True)
class Stats:
    """What one step yields per row. `allowed_mass` is 1 - policy pressure."""

    token_b: Tensor
    logprob_b: Tensor
    entropy_b: Tensor
    allowed_mass_b: Tensor


def decode_stats(logits_bv: Tensor, draw: Draw) -> Stats:
    """One token and its statistics per row."""
    x_bv = logits_bv.float()
    allowed_bv = allowed(draw, x_bv.shape[1])
    score_bv = _scores(x_bv, draw)
    drawable_bv = allowed_bv & (x_bv >= draw.floor_b[:, None]) & (x_bv > -torch.inf)
    score_bv = torch.where(drawable_bv, score_bv, -torch.inf)
    usable_b = (x_bv < torch.inf).all(1) & drawable_bv.any(1)
    token_b = torch.where(usable_b, score_bv.argmax(1), -1)
    logprob_bv = torch.log_softmax(x_bv, dim=1)
    p_bv = logprob_bv.exp()
    entropy_b = -torch.where(p_bv > 0, p_bv * logprob_bv, 0.0).sum(1)
    mass_b = torch.where(allowed_bv, p_bv, 0.0).sum(1)
    logprob_b = logprob_bv.gather(1, token_b.clamp_min(0)[:, None])[:, 0]
    nan_b = torch.full_like(entropy_b, torch.nan)
    return Stats(
        token_b=token_b,
        logprob_b=torch.where(usable_b, logprob_b, nan_b),
        entropy_b=torch.where(usable_b, entropy_b, nan_b),
        allowed_mass_b=torch.where(usable_b, mass_b, nan_b),
    )


def pack_mask(allowed_pv: Tensor) -> Tensor:
    """Policies as booleans over tokens, packed into int32 words."""
    num_policies, num_tokens = allowed_pv.shape
    num_words = -(-num_tokens // 32)
    bits = torch.zeros((num_policies, num_words * 32), dtype=torch.int64, device=allowed_pv.device)
    bits[:, :num_tokens] = allowed_pv.long()
    weights = torch.arange(32, device=allowed_pv.device)
    words = (bits.view(num_policies, num_words, 32) << weights).sum(2)
    return torch.where(words > 0x7FFFFFFF, words - (1 << 32), words).int()


def nucleus_floor(logits_bv: Tensor, top_p_b: Tensor, temperature_b: Tensor) -> Tensor:
    """The raw logit of the least likely token of each row's nucleus; ties at it are all inside.

    Top-p needs an order, so it cannot be part of the single pass: it becomes a floor for it.
    """
    heat_b1 = torch.where(temperature_b > 0, temperature_b, 1.0)[:, None]
    sorted_bv = logits_bv.float().sort(dim=1, descending=True).values
    p_bv = torch.softmax(sorted_bv / heat_b1, dim=1)
    before_bv = p_bv.cumsum(1) - p_bv
    last_b = (before_bv < top_p_b[:, None]).sum(1).clamp_min(1) - 1
    floor_b = sorted_bv.gather(1, last_b[:, None])[:, 0]
    return torch.where(top_p_b < 1, floor_b, -torch.inf)


def allowed(draw: Draw, num_tokens: int) -> Tensor:
    """The policies' verdict per row and token."""
    device = draw.policy_b.device
    if draw.mask_pw.shape[0] == 0:
        return torch.ones((len(draw.policy_b), num_tokens), dtype=torch.bool, device=device)
    token_v = torch.arange(num_tokens, device=device)
    words_bv = draw.mask_pw[draw.policy_b.long().clamp_min(0)][:, token_v // 32].long()
    return ((words_bv >> (token_v % 32)) & 1).bool() | (draw.policy_b < 0)[:, None]


def _scores(x_bv: Tensor, draw: Draw) -> Tensor:
    """What the argmax is taken of: the logits, in rows that are not greedy over temperature and
    with Gumbel noise from Philox4x32-10 at counter (token, position, 0, 0), key = the seed."""
    hot = torch.nonzero(draw.temperature_b > 0)[:, 0]
    if len(hot) == 0:
        return x_bv
    token_1v = torch.arange(x_bv.shape[1], device=x_bv.device)[None, :]
    position_b1 = (draw.position_b[hot].long() & _WORD)[:, None]
    seed_b1 = draw.seed_b[hot][:, None]
    word_bv = philox(token_1v, position_b1, seed_b1 & _WORD, (seed_b1 >> 32) & _WORD)
    scores_bv = x_bv.clone()
    heat_b1 = draw.temperature_b[hot][:, None].clamp_min(1e-30)
    scores_bv[hot] = x_bv[hot] / heat_b1 + gumbel(word_bv)
    return scores_bv


def philox(c0: Tensor, c1: Tensor, k0: Tensor, k1: Tensor) -> Tensor:
    """The first word of Philox4x32-10 over the counter (c0, c1, 0, 0); words are int64 < 2**32."""
    c2 = c3 = torch.zeros_like(c0 + c1)
    for _ in range(_ROUNDS):
        high0, low0 = _multiply(c0, _FACTOR[0])
        high1, low1 = _multiply(c2, _FACTOR[1])
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + _KEY_STEP[0]) & _WORD, (k1 + _KEY_STEP[1]) & _WORD
    return c0


def gumbel(word: Tensor) -> Tensor:
    """-log(E) with E exponential, from the low 31 bits; precise where the noise is largest."""
    v = ((word & 0x7FFFFFFF).float() + 0.5) * 2.0**-31
    series = v * (1 + v * (0.5 + v * (1 / 3)))
    exponential = torch.where(v < 0.01, series, -(1 - v).clamp_min(2.0**-25).log())
    return -exponential.log()


def _multiply(a: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The high and low 32 bits of a * factor, within int64."""
    low, high = a * (factor & 0xFFFF), a * (factor >> 16)
    return (high + (low >> 16)) >> 16, (low + (high << 16)) & _WORD
