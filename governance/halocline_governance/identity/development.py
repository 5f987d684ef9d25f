"""The development key: an Ed25519 pair under `keys/`, for an installation without an issuer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from halocline_governance.clock import Onward
from halocline_governance.identity import token as tokens
from halocline_governance.identity.claims import AUDIENCE, Expected
from halocline_governance.label import Label
from halocline_governance.principal import Principal

ISSUER = "halocline-dev"
_ALGORITHM = "EdDSA"


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
    clock: Callable[[], float] = field(default_factory=Onward)

    def verify(self, token: str | None) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: missing, malformed, expired, foreign, or signed any other way.
        """
        read = tokens.read(token)
        read.verify(self.key, (_ALGORITHM,))
        return Expected(self.issuer, clock=self.clock).principal(read)
