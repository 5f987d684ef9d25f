"""The public keys of one issuer, as its JWKS tells them (RFC 7517)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from halocline_governance.errors import IssuerUnavailable
from halocline_governance.identity.token import PublicKey

_MAX_KEYS = 64
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 8192
# Members of a private key. One that was published is no secret, so it signs for nobody.
_PRIVATE = ("d", "p", "q", "k")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the only algorithms that it may verify by."""

    public: PublicKey
    algorithms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Keyset:
    """Keys by their id."""

    keys: Mapping[str, Key]

    def get(self, key_id: str | None) -> Key | None:
        """The key of this id; for a token that names none, the only key there is."""
        if key_id is None:
            return next(iter(self.keys.values())) if len(self.keys) == 1 else None
        return self.keys.get(key_id)


def parse(raw: bytes) -> Keyset:
    """The keys that may be used. The others are left out: of another kind or use, private, weak,
    without an id, or two of the same id.

    Raises:
        IssuerUnavailable: not a JWKS, too many keys, or none that may be used.
    """
    try:
        document: Any = json.loads(raw)
        members: Any = document["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IssuerUnavailable("the issuer's keys are not a JWKS") from None
    if not isinstance(members, list) or len(cast("list[object]", members)) > _MAX_KEYS:
        raise IssuerUnavailable("the issuer's keys are not a JWKS of at most 64 keys")
    found: list[dict[str, Any]] = [one for one in cast("list[Any]", members) if _is_named(one)]
    times = Counter(str(one["kid"]) for one in found)
    keys = {str(one["kid"]): _key(one) for one in found if times[str(one["kid"])] == 1}
    usable = {key_id: key for key_id, key in keys.items() if key is not None}
    if not usable:
        raise IssuerUnavailable("the issuer has no key that may be used")
    return Keyset(usable)


def _is_named(member: Any) -> bool:
    return isinstance(member, dict) and isinstance(cast("dict[str, Any]", member).get("kid"), str)


def _key(member: dict[str, Any]) -> Key | None:
    operations = member.get("key_ops", ["verify"])
    is_for_verifying = isinstance(operations, list) and "verify" in operations
    if member.get("use", "sig") != "sig" or not is_for_verifying:
        return None
    if any(name in member for name in _PRIVATE):
        return None
    plain = {name: value for name, value in member.items() if name != "alg"}
    try:
        public: Any = jwt.PyJWK(plain).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    algorithms = _algorithms(public)
    if "alg" in member:
        algorithms &= {member["alg"]} if isinstance(member["alg"], str) else set()
    return Key(public, algorithms) if algorithms else None


def _algorithms(public: object) -> frozenset[str]:
    """A kind of key allows its own algorithms only, so none can be mistaken for another's."""
    if isinstance(public, Ed25519PublicKey):
        return frozenset({"EdDSA"})
    if isinstance(public, EllipticCurvePublicKey) and isinstance(public.curve, SECP256R1):
        return frozenset({"ES256"})
    if isinstance(public, RSAPublicKey) and _MIN_RSA_BITS <= public.key_size <= _MAX_RSA_BITS:
        return frozenset({"RS256", "PS256"})
    return frozenset()
