"""Tokens: a signed claim of who calls, turned into a `Principal` or refused.

The development key is an Ed25519 pair under `keys/`; an OIDC issuer takes its place later. The
algorithm is fixed here and never read from the token.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from halocline_governance.errors import MalformedLabel, Unauthenticated
from halocline_governance.label import Label, parse
from halocline_governance.principal import Principal

AUDIENCE = "halocline"
ISSUER = "halocline-dev"
_ALGORITHM = "EdDSA"
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "jti")
_MAX_TOKEN_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs development tokens."""

    key: Ed25519PrivateKey
    clock: Callable[[], float] = time.time

    def issue(
        self, subject: str, roles: Sequence[str], clearance: Label, lifetime_s: int = 3600
    ) -> str:
        """A compact JWT for one principal."""
        now = int(self.clock())
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + lifetime_s,
            "jti": str(uuid.uuid4()),
            "roles": list(roles),
            "clearance": clearance.as_json(),
        }
        return jwt.encode(claims, self.key, algorithm=_ALGORITHM)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies tokens with one public key. `clock` is seconds since the epoch."""

    key: Ed25519PublicKey
    issuer: str = ISSUER
    clock: Callable[[], float] = time.time

    def verify(self, token: str | None) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: missing, malformed, expired, foreign, or signed any other way.
        """
        if not token or len(token) > _MAX_TOKEN_BYTES:
            raise Unauthenticated("a bearer token is needed: halocline token issue --help")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=self.issuer,
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthenticated(f"the token does not verify: {type(error).__name__}") from None
        self._check_times(claims)
        return _principal(claims)

    def _check_times(self, claims: dict[str, Any]) -> None:
        issued, expires, now = claims["iat"], claims["exp"], self.clock()
        if type(issued) is not int or type(expires) is not int:
            raise Unauthenticated("the token's times are not whole seconds")
        if now >= expires:
            raise Unauthenticated("the token has expired: issue a new one")
        if now < issued - 60:
            raise Unauthenticated("the token is not valid yet: check this machine's clock")


def _principal(claims: dict[str, Any]) -> Principal:
    subject, roles, token_id = claims["sub"], claims.get("roles"), claims["jti"]
    if not isinstance(subject, str) or not subject or not isinstance(token_id, str):
        raise Unauthenticated("the token names no subject")
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):  # pyright: ignore[reportUnknownVariableType]
        raise Unauthenticated("the token's roles are not a list of names")
    try:
        clearance = parse(claims.get("clearance"))
    except MalformedLabel as error:
        raise Unauthenticated(f"the token's clearance is malformed: {error}") from None
    return Principal(subject, tuple(sorted(set(roles))), clearance, token_id)  # pyright: ignore[reportUnknownArgumentType]
