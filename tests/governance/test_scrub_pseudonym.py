"""Keyed pseudonyms: consistent under one key, unlinkable across keys, and inert in a text."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.pii import KINDS, PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.errors import Refused
from halocline_governance.scrub.pseudonym import PseudonymKey

MASTER = bytes(range(32))
KEY = PseudonymKey.derive(MASTER, "buy")
GLUE = st.sampled_from(["", " ", "\n", ",", "-", ":", "x", "7", "\u00e9", "<", ">"])


def test_tokens_do_not_join_across_compartments_versions_kinds_or_masters() -> None:
    keys = [
        KEY,
        PseudonymKey.derive(MASTER, "sell"),
        PseudonymKey.derive(MASTER, "sell.acme"),
        PseudonymKey.derive(MASTER, "buy", 2),
        PseudonymKey.derive(MASTER[::-1], "buy"),
    ]
    codes = {key.token("email", "jo@example.org").split(":")[2] for key in keys}

    assert len(codes) == len(keys)
    assert (
        KEY.token("phone", "1234567").split(":")[2] != KEY.token("us_ssn", "1234567").split(":")[2]
    )


def test_a_key_is_derived_the_same_every_time() -> None:
    assert PseudonymKey.derive(MASTER, "buy") == KEY
    assert KEY.subject_key("Jo@Example.org") == KEY.subject_key("jo@example.org ")


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        ("email", ["jo@corp.example", "Jo [at] corp [dot] example", "jo at corp dot example",
                   "jo(at)corp.example"]),
        ("phone", ["(212) 555-0123", "212.555.0123", "\uff12\uff11\uff12 555 0123"]),
        ("phone", ["+49 30 1234567", "0049 30 1234567"]),
        ("iban", ["DE89 3704 0044 0532 0130 00", "de89370400440532013000"]),
        ("person", ["Ren\u00e9e  Doe", "Rene\u0301e Doe"]),
        ("street_address", ["12 Main Street", "12  MAIN\nstreet"]),
    ],
)  # fmt: skip
def test_spellings_of_one_value_have_one_token(kind: str, spellings: list[str]) -> None:
    assert len({KEY.token(kind, spelling) for spelling in spellings}) == 1


def test_neither_key_nor_value_shows() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(KEY.secret) not in repr(KEY)


def test_a_short_master_key_is_refused() -> None:
    with pytest.raises(Refused, match="at least 32"):
        PseudonymKey.derive(b"short", "buy")


@given(st.sampled_from(sorted(KINDS)), st.text(max_size=20), GLUE, GLUE)
def test_no_detector_finds_anything_in_a_token(kind: str, value: str, a: str, b: str) -> None:
    token = KEY.token(kind, value)

    assert PiiDetector().scan(a + token + b).findings == {}
    assert SecretDetector().scan(a + token + b).findings == {}


def test_importing_the_package_loads_neither_arrow_nor_a_cipher() -> None:
    code = (
        "import sys, halocline_governance.scrub, halocline_governance.scrub.custody\n"
        "print({'numpy', 'pyarrow', 'torch', 'cryptography'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
