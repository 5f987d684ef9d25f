"""Attacks on an OIDC issuer's tokens: signatures, keys, headers, claims, and time."""

from __future__ import annotations

import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from halocline_governance.clock import Onward
from halocline_governance.errors import IssuerUnavailable, Unauthenticated
from halocline_governance.identity import Authenticator, Issuer, OidcVerifier, Verifier
from halocline_governance.identity.oidc import EXPIRY_S
from halocline_governance.principal import Principal
from tests.governance.oidc_issuer import (
    CLEARANCE,
    EC,
    ED,
    RSA,
    WEAK,
    World,
    jwk,
    part,
    signed,
)

# Attacks on the signature


def test_no_signature_and_none(world: World) -> None:
    verifier = world.verifier()
    for algorithm in ("none", "None", "NONE", ""):
        head = part({"alg": algorithm, "kid": "k1"})
        for signature in ("", "x", part(b"")):
            with pytest.raises(Unauthenticated):
                verifier.verify(f"{head}.{part(world.claims())}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("key", [RSA, EC, ED])
def test_a_public_key_is_no_shared_secret(world: World, algorithm: str, key: Any) -> None:
    world.publish(jwk(key, "k1"))
    public = key.public_key()
    secrets = [
        public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
    ]
    secrets += [json.dumps(jwk(key, "k1")).encode(), b""]
    verifier = world.verifier()
    for secret in secrets:
        message = f"{part({'alg': algorithm, 'kid': 'k1'})}.{part(world.claims())}"
        tag = hmac.digest(secret, message.encode(), algorithm.replace("HS", "sha"))
        with pytest.raises(Unauthenticated):
            verifier.verify(f"{message}.{part(tag)}")


def test_a_symmetric_key_in_the_set_is_left_out(world: World) -> None:
    world.publish(jwk(RSA, "k1"), {"kty": "oct", "k": part(b"x" * 32), "kid": "k2"})
    with pytest.raises(Unauthenticated):
        world.verifier().verify(jwt.encode(world.claims(), b"x" * 32, "HS256", {"kid": "k2"}))


def test_an_algorithm_of_another_kind_of_key_is_refused(world: World) -> None:
    world.publish(jwk(RSA, "k1"), jwk(EC, "k2"), jwk(ED, "k3"), jwk(RSA, "k4", alg="PS256"))
    verifier = world.verifier()
    wrong = [("RS256", RSA, "k2"), ("ES256", EC, "k1"), ("EdDSA", ED, "k1"), ("RS512", RSA, "k1"),
             ("PS384", RSA, "k1"), ("RS256", RSA, "k4")]  # fmt: skip
    for algorithm, key, kid in wrong:
        with pytest.raises(Unauthenticated):
            verifier.verify(world.token(key, algorithm, kid))
    assert verifier.verify(world.token(RSA, "PS256", "k4")).subject == "ana"


@pytest.mark.parametrize(
    "key",
    [
        jwk(WEAK, "k1"),
        jwk(RSA, "k1", use="enc"),
        jwk(RSA, "k1", key_ops=["sign"]),
        jwk(RSA, "k1", key_ops="verify"),
        jwk(RSA, "k1", alg="HS256"),
        jwk(RSA, "k1", alg=["RS256"]),
        jwk(RSA, "k1", d="AQAB"),
        jwk(RSA, "k1", kty="EC"),
        jwk(RSA, "k1", n="!"),
        jwk(RSA, None),
        jwk(ec.generate_private_key(ec.SECP384R1()), "k1"),
    ],
    ids=range(11),
)
def test_a_key_that_may_not_be_used_is_left_out(world: World, key: dict[str, Any]) -> None:
    world.publish(key, jwk(ED, "k2"))
    verifier = world.verifier()
    with pytest.raises(Unauthenticated, match="key"):
        verifier.verify(jwt.encode(world.claims(), RSA, "RS256", {"kid": "k1"}))
    assert verifier.verify(world.token(ED, "EdDSA", "k2")).subject == "ana"


def test_two_keys_of_one_id_are_none(world: World) -> None:
    world.publish(jwk(RSA, "k1"), jwk(ED, "k1"), jwk(EC, "k2"))
    verifier = world.verifier()
    for key, algorithm in ((RSA, "RS256"), (ED, "EdDSA")):
        with pytest.raises(Unauthenticated):
            verifier.verify(world.token(key, algorithm, "k1"))
    assert verifier.verify(world.token(EC, "ES256", "k2")).subject == "ana"


def test_without_a_key_id_only_an_only_key_will_do(world: World) -> None:
    assert world.verifier().verify(world.token(kid=None)).subject == "ana"
    world.publish(jwk(RSA, "k1"), jwk(ED, "k2"))
    with pytest.raises(Unauthenticated):
        world.verifier().verify(world.token(kid=None))


def test_a_key_in_the_header_is_not_looked_at(world: World) -> None:
    for more in ({"jwk": jwk(ED, "k1")}, {"jku": f"{world.url}/evil"}, {"x5u": "http://x"}):
        header = {"alg": "EdDSA", "kid": "k1", **more}
        with pytest.raises(Unauthenticated):
            world.verifier().verify(signed(header, world.claims(), ED, "EdDSA"))
    assert "/realm/evil" not in world.asked


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"typ": "JOSE"},
        {"typ": None},
        {"typ": "jwt+x"},
        {"kid": 7},
        {"alg": 7},
    ],
    ids=str,
)
def test_an_odd_header_is_refused(world: World, more: dict[str, object]) -> None:
    header = {"alg": "RS256", "kid": "k1", **more}
    with pytest.raises(Unauthenticated):
        world.verifier().verify(signed(header, world.claims()))


def test_a_member_that_stands_twice_is_refused(world: World) -> None:
    claims = json.dumps(world.claims())
    for twice in ('"sub": "root", ', '"aud": "other", '):
        raw = ("{" + twice + claims[1:]).encode()
        with pytest.raises(Unauthenticated):
            world.verifier().verify(signed({"alg": "RS256", "kid": "k1"}, raw))
    header = b'{"alg": "none", "alg": "RS256", "kid": "k1"}'
    with pytest.raises(Unauthenticated):
        world.verifier().verify(signed(header, world.claims()))


def test_a_changed_byte_anywhere_is_seen(world: World) -> None:
    verifier, token = world.verifier(), world.token(EC, "ES256", "k2")
    world.publish(jwk(EC, "k2"))
    assert verifier.verify(token)
    for at in range(0, len(token), 7):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(Unauthenticated):
            verifier.verify(changed)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 17_000,
        "a." * 5000 + "a",
        "..",
        "a.b",
        "a.b.c.d",
        "é.é.é",
        "\ud800.a.a",
        "a.a.a\n",
        f"{part(b'[' * 8000)}.{part(b'{}')}.x",
        f"{part({'alg': 'RS256'})}.{part(b'[' * 8000)}.x",
        f"{part({'alg': 'RS256'})}.{part(b'NaN')}.x",
        f"{part([])}.{part({})}.x",
        f"{part({'alg': 'RS256'})}.{part(b'{' + bytes([0xFF]))}.x",
        "%",
        " ",
    ],
    ids=range(15),
)
def test_what_is_no_token_is_refused_and_costs_no_fetch(world: World, text: str) -> None:
    with pytest.raises(Unauthenticated):
        Authenticator({world.url: world.verifier()}, Open()).verify(text)
    with pytest.raises(Unauthenticated):
        world.verifier().verify(text)
    assert world.asked == []


# Claims and time


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "other"},
        {"aud": ["halocline", "other"]},
        {"aud": []},
        {"aud": {"halocline": 1}},
        {"aud": "HALOCLINE"},
        {"aud": ...},
        {"iss": "https://other.example"},
        {"iss": ["x"]},
        {"iss": ...},
        {"exp": ...},
        {"exp": 1.5e9},
        {"exp": True},
        {"exp": "9999999999"},
        {"iat": ...},
        {"nbf": "soon"},
        {"nbf": None},
        {"sub": ...},
        {"sub": " ana"},
        {"sub": "a\u0301na"},
        {"jti": ...},
        {"jti": ""},
        {"roles": ...},
        {"roles": "analyst"},
        {"roles": {"analyst": 1}},
        {"roles": ["analyst"] * 300},
        {"clearance": ...},
        {"clearance": "restricted"},
        {"clearance": {"sensitivity": "public", "sides": ["buy", "buy"]}},
        {"clearance": {"sensitivity": "public", "planet": "mars"}},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(world: World, changes: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        world.verifier().verify(signed({"alg": "RS256", "kid": "k1"}, world.claims(**changes)))


def test_access_tokens_are_tokens_too(world: World) -> None:
    for kind in ("JWT", "jwt", "at+jwt", "application/AT+JWT"):
        token = signed({"alg": "RS256", "kid": "k1", "typ": kind}, world.claims())
        assert world.verifier().verify(token).subject == "ana"


def test_times(world: World) -> None:
    verifier, now = world.verifier(), int(world.wall)
    world.wall = float(now)
    good: list[dict[str, Any]] = [
        {"exp": now + 1},
        {"iat": now + 60},
        {"nbf": now + 60},
        {"aud": ["halocline"]},
    ]
    bad: list[dict[str, Any]] = [
        {"exp": now},
        {"exp": now - 1},
        {"iat": now + 61},
        {"nbf": now + 61},
    ]
    for changes in good:
        assert verifier.verify(world.token(**changes)).subject == "ana"
    for changes in bad:
        with pytest.raises(Unauthenticated):
            verifier.verify(world.token(**changes))


def test_a_clock_that_jumps(world: World) -> None:
    """Back: what has expired stays so. Forward: it expires early. Keys age by neither."""
    clock = Onward(lambda: world.wall, lambda: world.steady)
    verifier = OidcVerifier(world.url, clock=clock, steady=lambda: world.steady)
    token = world.token(exp=int(world.wall) + 60)
    assert verifier.verify(token).subject == "ana"

    world.wait(61)
    with pytest.raises(Unauthenticated, match="expired"):
        verifier.verify(token)
    world.wall -= 3600
    with pytest.raises(Unauthenticated, match="expired"):
        verifier.verify(token)
    world.wall += 3600
    fresh = world.token()
    world.wall += 7200
    with pytest.raises(Unauthenticated, match="expired"):
        verifier.verify(fresh)
    world.wall -= 7200
    assert verifier.verify(fresh).subject == "ana"
    assert world.num_fetches == 1
    world.wall -= 10 * EXPIRY_S
    world.steady += EXPIRY_S
    world.answers["/realm/keys"] = lambda request: request.send_error(500)
    with pytest.raises(IssuerUnavailable):
        verifier.verify(fresh)


# Several issuers


class Open:
    def narrow(self, principal: Principal) -> Principal:
        return principal


def test_a_key_speaks_for_its_own_issuer_only(world: World) -> None:
    development = Issuer(ED)
    other = OidcVerifier("https://other.example")
    doors = Authenticator(
        {
            "halocline-dev": Verifier(ED.public_key()),
            world.url: world.verifier(),
            "https://other.example": other,
        },
        Open(),
    )
    assert doors.verify(world.token()).subject == "ana"
    assert doors.verify(development.issue("bob", [], CLEARANCE)).subject == "bob"
    crossed = [
        world.token(ED, "EdDSA", "k1"),  # the development key in the issuer's name
        world.token(iss="halocline-dev"),  # the issuer's key in the development key's name
        world.token(iss="https://third.example"),
        signed({"alg": "RS256", "kid": "k1"}, world.claims(iss=None)),
        signed({"alg": "RS256", "kid": "k1"}, world.claims(iss=["halocline-dev"])),
        world.token(iss=world.url + "/"),
    ]
    for token in crossed:
        with pytest.raises(Unauthenticated):
            doors.verify(token)
    assert len(world.asked) == 2


def test_a_token_is_not_in_the_refusal(world: World) -> None:
    token = world.token(aud="other")
    with pytest.raises(Unauthenticated) as caught:
        world.verifier().verify(token)
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None
