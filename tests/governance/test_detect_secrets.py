"""Keys and tokens: known formats, entropy in context, documented examples left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.secrets import KINDS, SecretDetector

SECRETS = SecretDetector()
RANDOM = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9cD4fG6hJ8k"

# Split so that nobody's scanner takes this file for a leak.
FOUND = {
    "aws_access_key": "AKIA" + "QYLPMN5HXJ3ABCDE",
    "github_token": "ghp_" + RANDOM[:36],
    "gitlab_token": "glpat-" + RANDOM[:20],
    "slack_token": "xoxb-" + "1234567890-abcdefGHIJ",
    "slack_webhook": "hooks.slack.com/services/" + "T01ABCDEF/B02ABCDEF/" + RANDOM[:24],
    "google_api_key": "AIza" + RANDOM[:35],
    "stripe_key": "sk_live_" + RANDOM[:24],
    "npm_token": "npm_" + RANDOM[:36],
    "pypi_token": "pypi-AgE" + RANDOM + RANDOM,
    "model_hub_token": "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "model_api_key": "sk-proj-" + RANDOM,
    "sendgrid_key": "SG." + RANDOM[:22] + "." + RANDOM + RANDOM[:6],
    "private_key": "-----BEGIN RSA PRIVATE "
    + "KEY-----\nMIIEabc+/=\nxyz\n-----END RSA PRIVATE KEY-----",
    "jwt": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + RANDOM,
}


@pytest.mark.parametrize(("kind", "value"), FOUND.items())
def test_known_formats(kind: str, value: str) -> None:
    text = f"use {value} here"

    (span,) = SECRETS.scan(text).spans

    assert (span.kind, text[span.start : span.end]) == (kind, value)


def test_every_format_has_an_example() -> None:
    assert {*FOUND, "generic_secret"} == set(KINDS)


@pytest.mark.parametrize(
    "line", ["api_key = '{}'", 'password: "{}"', "SECRET_KEY={}", "token := {}"]
)
def test_entropy_beside_a_word_for_a_secret(line: str) -> None:
    assert SECRETS.scan(line.format("f3J9kLm2Qx8Zr5Tv1Yw7")).findings == {"generic_secret": 1}


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "password = correct-horse-battery-staple",
        "token: aaaaaaaaaaaaaaaaaaaa1111",
        "checksum = f3J9kLm2Qx8Zr5Tv1Yw7",
        "the eyJunk.eyJunkjunkjunk thing",
        "ghp_short and xoxb-1",
        "sha256:9bd16790b1c84fcd2f3e8b5f7a6c1d2e3f4a5b6c",
        "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_near_miss(text: str) -> None:
    assert SECRETS.scan(text).findings == {}


def test_a_private_key_without_an_end_is_found_by_its_first_line() -> None:
    assert SECRETS.scan("-----BEGIN PRIVATE " + "KEY-----\nMIIE").findings == {"private_key": 1}


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*FOUND.values(), "api_key = 'f3J9kLm2Qx8Zr5Tv1Yw7'", "\n", " "]),
            st.text(max_size=5),
        ),
        max_size=5,
    ).map("".join),
    st.data(),
)
def test_prefix_law(text: str, data: st.DataObject) -> None:
    prefix = text[: data.draw(st.integers(0, len(text)))]
    settled = len(prefix.encode()) - SECRETS.holdback(prefix)

    early = any(span.start < settled for span in SECRETS.scan(prefix).spans)

    assert early == any(span.start < settled for span in SECRETS.scan(text).spans)
