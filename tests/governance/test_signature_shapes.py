"""A bundle's signature says one thing in one way; a good token in another place is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from halocline_governance import keys
from halocline_governance.errors import Unverified
from halocline_governance.policy import signing

FILES = {"/read/read.rego": b"package halocline.read\n", "/data.json": b'{"a": 1}'}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> EllipticCurvePrivateKey:
    return keys.p256(tmp_path_factory.mktemp("keys") / "policy.key")


def check(told: object, key: EllipticCurvePrivateKey) -> None:
    signing.check({**FILES, signing.SIGNATURES: json.dumps(told).encode()}, key.public_key())


SHAPES: list[Callable[[str], object]] = [
    lambda token: [token],
    lambda token: token,
    lambda _: {"signatures": None},
    lambda _: {"signatures": []},
    lambda token: {"signatures": token},
    lambda token: {"signatures": {token: 1}},
    lambda token: {"signatures": [token, token]},
    lambda token: {"signatures": [token, None]},
    lambda token: {"signatures": [[token]]},
    lambda token: {"signature": [token]},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_token_in_its_place(
    shape: Callable[[str], object], key: EllipticCurvePrivateKey
) -> None:
    (token,) = json.loads(signing.sign(FILES, key))["signatures"]
    check({"signatures": [token]}, key)
    with pytest.raises(Unverified):
        check(shape(token), key)


def entries(key: EllipticCurvePrivateKey) -> list[dict[str, Any]]:
    (token,) = json.loads(signing.sign(FILES, key))["signatures"]
    return jwt.decode(token, options={"verify_signature": False})["files"]


CLAIMS: list[Callable[[list[dict[str, Any]]], dict[str, Any]]] = [
    lambda _: {},
    lambda _: {"files": None},
    lambda listed: {"files": {one["name"]: one for one in listed}},
    lambda listed: {"files": [*listed, listed[0]]},
    lambda listed: {"files": [*listed, None]},
    lambda listed: {"files": [*listed[:1], {**listed[1], "more": 1}]},
    lambda listed: {"files": [*listed[:1], {**listed[1], "name": 1}]},
    lambda listed: {"files": [*listed[:1], {**listed[1], "hash": None}]},
    lambda listed: {"files": [*listed[:1], {**listed[1], "algorithm": "MD5"}]},
    lambda listed: {"files": listed[:1]},
    lambda listed: {"files": listed, "scope": "read"},
]


@pytest.mark.parametrize("claims", CLAIMS)
def test_what_a_token_claims_is_understood_whole(
    claims: Callable[[list[dict[str, Any]]], dict[str, Any]], key: EllipticCurvePrivateKey
) -> None:
    listed = entries(key)

    def token(said: dict[str, Any], **headers: Any) -> dict[str, list[str]]:
        return {"signatures": [jwt.encode(said, key, algorithm="ES256", headers=headers)]}

    check(token({"files": listed, "keyid": "k", "iss": "me"}, kid="k"), key)
    with pytest.raises(Unverified):
        check(token(claims(listed)), key)
    with pytest.raises(Unverified):
        check(token({"files": listed}, crit=["exp"]), key)
