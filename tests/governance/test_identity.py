"""Tokens: only what this issuer signed, for this audience, now."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import Unauthenticated
from halocline_governance.identity import AUDIENCE, ISSUER, Issuer, Verifier
from halocline_governance.label import parse_compact

KEY = Ed25519PrivateKey.generate()
CLEARANCE = parse_compact("confidential sides=buy")


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    good: dict[str, object] = {
        "iss": ISSUER,
        "sub": "ana",
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 60,
        "jti": "1",
        "roles": ["analyst"],
        "clearance": CLEARANCE.as_json(),
    }
    return {key: val for key, val in {**good, **changes}.items() if val is not ...}


def verify(token: str) -> object:
    return Verifier(KEY.public_key()).verify(token)


def test_round_trip() -> None:
    principal = Verifier(KEY.public_key()).verify(Issuer(KEY).issue("ana", ["analyst"], CLEARANCE))

    assert (principal.subject, principal.roles) == ("ana", ("analyst",))
    assert principal.clearance == CLEARANCE


WRONG: list[dict[str, object]] = [
    {"aud": "other"},
    {"iss": "other"},
    {"exp": int(time.time()) - 1},
    {"exp": str(int(time.time()) + 60)},
    {"exp": 1e18},
    {"iat": int(time.time()) + 3600},
    {"sub": ""},
    {"sub": 7},
    {"jti": ...},
    {"aud": ...},
    {"exp": ...},
    {"roles": "compliance"},
    {"roles": [1]},
    {"clearance": ...},
    {"clearance": "everything"},
    {"clearance": {"sensitivity": "cosmic"}},
]


@pytest.mark.parametrize("change", WRONG, ids=" ".join)
def test_a_wrong_claim_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        verify(jwt.encode(claims(**change), KEY, algorithm="EdDSA"))


def test_another_key_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify(jwt.encode(claims(), Ed25519PrivateKey.generate(), algorithm="EdDSA"))


def test_no_algorithm_is_taken_from_the_token() -> None:
    public = KEY.public_key().public_bytes_raw()
    none = ".".join(_encode(part) for part in ({"alg": "none", "typ": "JWT"}, claims())) + "."
    confused = jwt.encode(claims(), public, algorithm="HS256")

    for token in (none, confused, "", "a.b.c", "x" * 100_000, None):
        with pytest.raises(Unauthenticated):
            Verifier(KEY.public_key()).verify(token)


def test_the_refusal_does_not_hold_the_token() -> None:
    token = jwt.encode(claims(aud="other"), KEY, algorithm="EdDSA")
    with pytest.raises(Unauthenticated) as caught:
        verify(token)
    assert token not in str(caught.value)


def _encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
