"""Texts that are hard to scrub, and what scrubs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from halocline_governance.detect import Detector, Span
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.scrub import Mode, Scrubber, Scrubbing
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_governance.scrub.ring import Ring
from halocline_governance.scrub.surrogate import Surrogates
from halocline_governance.scrub.vault import Vault

KEY = PseudonymKey.derive(bytes(range(32)), "buy")
DETECTORS: tuple[Detector, ...] = (PiiDetector(), SecretDetector())
_OTHERS = Surrogates(KEY)
VALUES = [
    ("email", "jo@corp.example"),
    ("phone", "(212) 555-0123"),
    ("phone", "2125550123"),
    ("credit_card", "4111 1111 1111 1111"),
    ("us_ssn", "536-90-4399"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("ip", "8.8.8.8"),
    ("mac", "3c:22:fb:aa:01:02"),
    ("street_address", "12 Main Street"),
    ("date_of_birth", "03/12/1980"),
]
WORDS = [
    "call", "phone", "account no 12345678901", "passport X12345678", "born ", "date of birth: ",
    "postgres://bob:hunter2@db.corp.example/x", "AKIAIOSFODNN7EXAMQLE", "password = ", "secret: ",
]  # fmt: skip
TOKENS = [
    "<email>", "<email:v1:abcdefgh234567ij>", "<email:v1:", ":v1:abcdefgh234567ij>", "<email:r1:",
    "<email:r1:abcdefghijklmnopqrstuvwxya>", "<credit_card:r1:4444333322226666aaaaaaaaaa>",
    "<phone:v1:2125552367234567>", "r999999:", "<<", ">>", "<ip:r1:\u202e>",
]  # fmt: skip
GLUE = ["", " ", "\n", ",", "-", ":", "x", "7", "\u00e9", "<", ">", "+", ".", "@", "\U0001f600"]
SURROGATES = [other for kind, value in VALUES if (other := _OTHERS.of(kind, value))]
PIECES = [*(value for _, value in VALUES), *WORDS, *TOKENS, *GLUE, *SURROGATES]
SOUP = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=10).map("".join)


def vault(folder: Path) -> Vault:
    return Vault(folder / "vault", Ring(folder / "keys"))


def scrubber(
    mode: Mode, vault: Vault | None = None, detectors: Sequence[Detector] = DETECTORS
) -> Scrubber:
    return Scrubber(tuple(detectors), KEY, Scrubbing(mode), vault)


def _span(start: int, length: int, kind: str, score: float) -> Span:
    return Span(start, start + length, kind, score)


SPANS = st.lists(
    st.builds(
        _span,
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([0.5, 0.75, 1.0]),
    ),
    max_size=12,
)
